/*
 * ordinary-calls files|descriptors|memory|processes|threads|sockets|errors
 *
 * What programs do with the calls that the preload stands in for, none of it Freeflow's. Every line says what came of it
 * and is the same in every run, so that a run with the preload can be held against one without.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { patience_seconds = 20, threads = 8, rounds = 50, page = 4096 };

extern char **environ;

static const char *program;

/* Says what a call returned, and why where it failed. */
static long said(const char *what, long result) {
    if (result == -1)
        printf("%s: %s\n", what, strerror(errno));
    else
        printf("%s: %ld\n", what, result);
    fflush(stdout);
    return result;
}

static int is_entry(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static void files(void) {
    char folder[] = "/tmp/ordinary-calls-XXXXXX", text[PATH_MAX] = "", *found;
    struct dirent **names;
    struct stat status;
    glob_t matches;
    if (!mkdtemp(folder) || chdir(folder))
        return (void)said("mkdtemp", -1);

    FILE *stream = fopen("file", "w");
    fprintf(stream, "%s\n", "one line");
    fclose(stream);
    stream = freopen("file", "r", fopen("/dev/null", "r"));
    printf("read back: %s", fgets(text, sizeof text, stream));
    said("fstat", fstat(fileno(stream), &status));
    printf("%ld bytes, mode %o\n", (long)status.st_size, status.st_mode);
    fclose(stream);

    int place = open(".", O_RDONLY | O_DIRECTORY), file = openat(place, "other", O_CREAT | O_RDWR | O_EXCL, 0640);
    said("write", write(file, "0123456789", 10));
    said("lseek", lseek(file, 3, SEEK_SET));
    said("read", read(file, text, 4));
    said("fstatat", fstatat(place, "other", &status, 0));
    printf("%ld bytes, mode %o\n", (long)status.st_size, status.st_mode);
    said("symlink", symlink("other", "link"));
    said("lstat", lstat("link", &status));
    printf("a link: %d\n", S_ISLNK(status.st_mode));
    said("stat", stat("link", &status));
    printf("a file: %d\n", S_ISREG(status.st_mode));
    memset(text, 0, sizeof text);
    said("readlink", readlink("link", text, sizeof text));
    said("readlinkat", readlinkat(place, "link", text, sizeof text));
    puts(text);
    found = realpath("link", NULL);
    printf("realpath ends in %s\n", found ? strrchr(found, '/') : "nothing");
    free(found);
    said("access", access("other", R_OK | W_OK));
    said("faccessat", faccessat(place, "nothing", F_OK, 0));

    int count = scandir(".", &names, is_entry, alphasort);
    for (int at = 0; at < count; at++) {
        puts(names[at]->d_name);
        free(names[at]);
    }
    free(names);
    DIR *directory = opendir(".");
    for (count = 0; readdir(directory);)
        count++;
    closedir(directory);
    printf("%d entries\n", count);
    said("glob", glob("*i*", 0, NULL, &matches));
    for (size_t at = 0; at < matches.gl_pathc; at++)
        puts(matches.gl_pathv[at]);
    globfree(&matches);
    said("glob of /sys", glob("/sys/class/net/lo/addr*s", 0, NULL, &matches));

    said("null", stat("/dev/null", &status));
    printf("device %lx\n", (unsigned long)status.st_rdev);
    said("unlink", unlink("file") | unlink("other") | unlink("link"));
    close(file);
    close(place);
    said("rmdir", chdir("/") | rmdir(folder));
}

static void descriptors(void) {
    int ends[2], copy;
    char text[16];
    struct iovec parts[2] = {{"ab", 2}, {"cd", 2}};
    said("pipe2", pipe2(ends, O_CLOEXEC));
    said("F_GETFD", fcntl(ends[0], F_GETFD));
    said("dup", copy = dup(ends[1]));
    said("F_GETFD", fcntl(copy, F_GETFD));
    said("writev", writev(copy, parts, 2));
    said("FIONREAD", ioctl(ends[0], FIONREAD, &copy));
    printf("%d bytes wait\n", copy);
    said("dup2", dup2(ends[1], 40));
    said("dup3", dup3(ends[1], 41, O_CLOEXEC));
    said("dup3 onto itself", dup3(41, 41, 0));
    said("F_DUPFD", fcntl(ends[0], F_DUPFD, 100));
    said("F_DUPFD_CLOEXEC", fcntl(ends[0], F_DUPFD_CLOEXEC, 100));
    said("F_GETFD", fcntl(101, F_GETFD));
    said("F_SETFL", fcntl(ends[0], F_SETFL, O_NONBLOCK));
    said("F_GETFL", fcntl(100, F_GETFL));
    said("read", read(100, text, sizeof text));
    said("read", read(100, text, sizeof text));
    said("close", close(40));
    said("close", close(40));
    for (int at = 3; at < 2000; at++)
        close(at);
    said("the lowest free one", open("/dev/null", O_RDONLY));
    DIR *directory = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] != '.')
            puts(entry->d_name);
    }
    closedir(directory);
}

static void memory(void) {
    char *private = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(private, 'x', 4 * page);
    said("madvise", madvise(private, 2 * page, MADV_DONTNEED));
    printf("%d %d\n", private[0], private[2 * page]);
    said("mprotect", mprotect(private, page, PROT_READ));
    said("munmap", munmap(private, 4 * page));

    FILE *stream = tmpfile();
    said("ftruncate", ftruncate(fileno(stream), 2 * page));
    char *shared = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(stream), 0);
    strcpy(shared + page, "through the file");
    char text[32] = "";
    said("pread", pread(fileno(stream), text, sizeof text, page));
    puts(text);
    fclose(stream);
    said("mmap of what is closed", (long)mmap(NULL, page, PROT_READ, MAP_SHARED, 999, 0));
    unsigned long sum = 0;
    for (int round = 0; round < rounds; round++) {
        unsigned char *block = calloc(1, (size_t)page * (size_t)(round + 1));
        for (int at = 0; at < page * (round + 1); at += 512)
            sum += block[at];
        memset(block, 0xff, (size_t)page * (size_t)(round + 1));
        free(block);
    }
    printf("calloc sums up to %lu\n", sum);
}

static void say_end(const char *what, pid_t child) {
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        said(what, -1);
    else
        printf("%s: %s %d\n", what, WIFEXITED(status) ? "exit status" : "signal",
               WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    fflush(stdout);
}

static void processes(void) {
    char *echo[] = {"sh", "-c", "echo from the shell", NULL};
    pid_t child = fork();
    if (child == 0)
        _exit(open("/dev/null", O_RDONLY) >= 0 ? 7 : 8);
    say_end("fork", child);
    child = fork();
    if (child == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0)
            raise(SIGKILL);
        say_end("fork of a fork", grandchild);
        _exit(0);
    }
    say_end("fork", child);
    child = vfork();
    if (child == 0) {
        execvp(echo[0], echo);
        _exit(127);
    }
    say_end("vfork and exec", child);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    if (posix_spawnp(&child, "sh", &actions, NULL, echo, environ))
        child = -1;
    say_end("posix_spawn", child);
    posix_spawn_file_actions_destroy(&actions);
    said("system", system("exit 3"));
    char line[64] = "";
    FILE *stream = popen("echo from a pipe", "r");
    fputs(fgets(line, sizeof line, stream), stdout);
    said("pclose", pclose(stream));
    fflush(stdout);
    execl(program, program, "errors", (char *)NULL);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local int mine;
static int together;

static void *work(void *argument) {
    (void)argument;
    for (int round = 0; round < rounds; round++) {
        struct stat status;
        int file = open("/proc/self/stat", O_RDONLY), copy = fcntl(file, F_DUPFD, 50);
        char byte;
        if (file >= 0 && !fstat(copy, &status) && read(copy, &byte, 1) == 1)
            mine++;
        close(copy);
        close(file);
        if (round % 10 == 0) {
            pid_t child = fork();
            if (child == 0)
                _exit(0);
            waitpid(child, NULL, 0);
        }
    }
    pthread_mutex_lock(&lock);
    together += mine;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void in_threads(void) {
    pthread_t all[threads];
    for (int at = 0; at < threads; at++)
        pthread_create(&all[at], NULL, work, NULL);
    for (int at = 0; at < threads; at++)
        pthread_join(all[at], NULL);
    printf("%d files were read\n", together);
}

static int listener_on(struct sockaddr_in *address) {
    socklen_t length = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    said("bind", bind(listener, (struct sockaddr *)address, sizeof *address));
    said("listen", listen(listener, 8));
    said("getsockname", getsockname(listener, (struct sockaddr *)address, &length));
    return listener;
}

static void pass_descriptor(void) {
    int pair[2], passed = open("/etc/passwd", O_RDONLY);
    char control[CMSG_SPACE(sizeof(int))] = "", byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    said("socketpair", socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &passed, sizeof passed);
    said("sendmsg", sendmsg(pair[0], &message, 0));
    said("recvmsg", recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC));
    memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof passed);
    said("read of what was passed", read(passed, &byte, 1));
    close(passed);
    close(pair[0]);
    close(pair[1]);
}

static void sockets(void) {
    struct sockaddr_in address, peer;
    socklen_t length = sizeof peer;
    int error = -1, listener = listener_on(&address), set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef};
    said("accept of nothing", accept(listener, NULL, NULL));
    said("EPOLL_CTL_ADD", epoll_ctl(set, EPOLL_CTL_ADD, listener, &event));
    said("EPOLL_CTL_ADD again", epoll_ctl(set, EPOLL_CTL_ADD, listener, &event));
    said("epoll_wait", epoll_wait(set, &event, 1, 0));

    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(client, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        said("connect", -1);
    said("epoll_wait", epoll_wait(set, &event, 1, 5000));
    printf("%x %llx\n", event.events, (unsigned long long)event.data.u64);
    int server = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
    printf("from %s\n", inet_ntoa(peer.sin_addr));
    struct pollfd writable = {.fd = client, .events = POLLOUT};
    said("poll", poll(&writable, 1, 5000));
    length = sizeof error;
    said("SO_ERROR", getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length));
    printf("error %d\n", error);
    said("send", send(client, "hello", 5, 0));
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(server, &readable);
    struct timeval patience = {.tv_sec = 5};
    said("select", select(server + 1, &readable, NULL, NULL, &patience) > 0);
    char text[16];
    said("recv", recv(server, text, sizeof text, 0));
    said("shutdown", shutdown(client, SHUT_WR));
    said("recv of the end", recv(server, text, sizeof text, 0));
    said("close", close(client) | close(server) | close(listener));
    said("epoll_wait", epoll_wait(set, &event, 1, 0));
    client = socket(AF_INET, SOCK_STREAM, 0);
    said("connect to nobody", connect(client, (struct sockaddr *)&address, sizeof address));
    close(client);

    int wake = eventfd(0, EFD_NONBLOCK);
    said("read of an eventfd", read(wake, text, 8));
    struct timespec moment = {.tv_nsec = 1000000};
    said("ppoll", ppoll(&(struct pollfd){.fd = wake, .events = POLLIN}, 1, &moment, NULL));
    said("an address of no family", connect(wake, (struct sockaddr *)&address, sizeof address));
    pass_descriptor();
}

static void errors(void) {
    struct stat status;
    char text[8];
    said("open", open("/no/such/file", O_RDONLY));
    said("open for writing", open("/proc/version", O_WRONLY | O_DIRECTORY));
    said("opendir", opendir("/etc/passwd") ? 0 : -1);
    said("fopen", fopen("/no/such/file", "r") ? 0 : -1);
    said("stat", stat("/etc/passwd/x", &status));
    said("fstat", fstat(-1, &status));
    said("close", close(-1));
    said("dup", dup(-1));
    said("dup2", dup2(0, -1));
    said("fcntl", fcntl(999, F_GETFD));
    said("ioctl", ioctl(open("/etc/passwd", O_RDONLY), FIONCLEX + 77, NULL));
    said("write", write(open("/etc/passwd", O_RDONLY), "x", 1));
    said("readlink", readlink("/etc/passwd", text, sizeof text));
    said("realpath", realpath("/no/such/file", NULL) ? 0 : -1);
    said("socket", socket(AF_INET, SOCK_STREAM, 999));
    said("a device that is not there", open("/dev/infiniband/uverbs0", O_RDWR));
}

int main(int count, char **words) {
    static const struct {
        const char *name;
        void (*run)(void);
    } exercises[] = {{"files", files},     {"descriptors", descriptors}, {"memory", memory}, {"processes", processes},
                     {"threads", in_threads}, {"sockets", sockets},         {"errors", errors}};
    program = words[0];
    umask(022);
    alarm(patience_seconds);
    for (size_t at = 0; at < sizeof exercises / sizeof *exercises; at++) {
        if (count == 2 && !strcmp(words[1], exercises[at].name)) {
            exercises[at].run();
            return 0;
        }
    }
    fputs("usage: ordinary-calls files|descriptors|memory|processes|threads|sockets|errors\n", stderr);
    return 2;
}
