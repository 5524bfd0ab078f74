#include "tcp-stage.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { server_control_port = 19990, client_control_port = 19991, scene_seconds = 40, word_bytes = 32 };

struct in_addr server_address, client_address;

static char **own_words;
static int control = -1, serving, has_ended, has_peer, settle_ms;

void die(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fprintf(stderr, " (%s)\n", strerror(errno));
    exit(1);
}

/* One write for a line, so that lines of several threads and processes stay whole. */
void say(const char *format, ...) {
    char line[512];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(line, sizeof line - 1, format, values);
    va_end(values);
    line[length] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)length + 1) != length + 1)
        exit(1);
}

const char *failure(int number) {
    const char *name = strerrorname_np(number);
    return number == 0 ? "none" : name ? name : "unknown";
}

const char *ok(long result) { return result < 0 ? failure(errno) : "ok"; }

const char *counted(long result) {
    static _Thread_local char text[4][24];
    static _Thread_local unsigned next;
    if (result < 0)
        return failure(errno);
    char *at = text[next++ % 4];
    snprintf(at, sizeof text[0], "%ld", result);
    return at;
}

const char *bits(uint32_t events) {
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {{POLLIN, "IN"}, {POLLPRI, "PRI"}, {POLLOUT, "OUT"}, {POLLERR, "ERR"}, {POLLHUP, "HUP"}, {POLLNVAL, "NVAL"}, {POLLRDHUP, "RDHUP"}};
    static _Thread_local char text[4][64];
    static _Thread_local unsigned next;
    char *at = text[next++ % 4];
    *at = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (events & names[i].bit)
            sprintf(at + strlen(at), "%s%s", *at ? "|" : "", names[i].name);
    return *at ? at : "-";
}

static const char *host_name(struct in_addr address) {
    static _Thread_local char text[INET_ADDRSTRLEN];
    if (address.s_addr == server_address.s_addr)
        return "server";
    if (address.s_addr == client_address.s_addr)
        return "client";
    return inet_ntop(AF_INET, &address, text, sizeof text);
}

const char *named(const void *address, socklen_t length, int own) {
    static _Thread_local char text[4][96];
    static _Thread_local unsigned next;
    const struct sockaddr_in *four = address;
    const struct sockaddr_in6 *six = address;
    char *at = text[next++ % 4], shown[24], plain[INET6_ADDRSTRLEN];
    int family = ((const struct sockaddr *)address)->sa_family;
    if (length < sizeof *four || (family != AF_INET && family != AF_INET6)) {
        snprintf(at, sizeof text[0], "family %d in %u bytes", length < 2 ? 0 : family, length);
        return at;
    }

    int port = ntohs(four->sin_port);
    int fixed = port == 0 || (port >= 17000 && port < 20000);
    snprintf(shown, sizeof shown, port == own && own ? "P" : fixed ? "%d" : "some", port);
    struct in_addr inner = four->sin_addr;
    if (family == AF_INET6)
        memcpy(&inner, six->sin6_addr.s6_addr + 12, 4);
    if (family == AF_INET)
        snprintf(at, sizeof text[0], "%s:%s", host_name(inner), shown);
    else if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        snprintf(at, sizeof text[0], "[::ffff:%s]:%s", host_name(inner), shown);
    else
        snprintf(at, sizeof text[0], "[%s]:%s", inet_ntop(AF_INET6, &six->sin6_addr, plain, sizeof plain), shown);
    return at;
}

void pause_ms(int milliseconds) {
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    while (nanosleep(&left, &left) && errno == EINTR)
        ;
}

void settle(void) { pause_ms(settle_ms); }

static void send_word(const char *word) {
    struct sockaddr_in peer = serving ? at(client_address, client_control_port) : at(server_address, server_control_port);
    if (sendto(control, word, strlen(word), 0, (struct sockaddr *)&peer, sizeof peer) < 0)
        die("tell %s", word);
}

/* The next word that is no repetition of the greeting; 0: none came. */
static int receive_word(char word[word_bytes], int milliseconds) {
    for (;;) {
        if (!(wait_for(control, POLLIN, milliseconds) & POLLIN))
            return 0;
        ssize_t length = recv(control, word, word_bytes - 1, 0);
        if (length < 0)
            die("control");
        word[length] = 0;
        if (serving ? strcmp(word, "hello") : strcmp(word, "ready") || !has_peer)
            return 1;
        has_peer = 1;
    }
}

void tell(const char *word) { send_word(word); }

void await(const char *word) {
    char found[word_bytes];
    if (!receive_word(found, patience_ms * 2))
        die("\"%s\" was not told", word);
    if (strcmp(found, word))
        die("\"%s\" was told where \"%s\" was expected", found, word);
}

void tell_number(int number) {
    char word[word_bytes];
    snprintf(word, sizeof word, "%d", number);
    send_word(word);
}

int await_number(void) {
    char found[word_bytes];
    if (!receive_word(found, patience_ms * 2) || atoi(found) == 0)
        die("no number was told");
    return atoi(found);
}

void ready(void) {
    for (char word[word_bytes]; !has_peer;) {
        if (!(wait_for(control, POLLIN, patience_ms) & POLLIN))
            die("there is no client");
        ssize_t length = recv(control, word, sizeof word - 1, 0);
        has_peer = length == 5 && !memcmp(word, "hello", 5);
    }

    send_word("ready");
}

/* Datagrams before the server is there are lost, so the greeting is repeated. */
static void await_ready(void) {
    char word[word_bytes];
    for (int waited = 0; waited < patience_ms; waited += 25) {
        send_word("hello");
        if (receive_word(word, 25)) {
            if (strcmp(word, "ready"))
                die("\"%s\" was told before \"ready\"", word);
            has_peer = 1;
            settle();
            return;
        }
    }

    die("there is no server");
}

static void await_end(void) {
    if (!has_ended)
        await("end");
}

int serve(const int *listeners, int count) {
    struct caller {
        int fd;
        size_t used;
        char line[64];
    };
    struct epoll_event wanted = {.events = EPOLLIN}, found[64];
    int set = epoll_create1(EPOLL_CLOEXEC), calls = 0;
    for (int i = -1; i < count; i++) {
        wanted.data.u64 = (uint64_t)(i + 1);
        if (i >= 0)
            set_blocking(listeners[i], 0);
        if (epoll_ctl(set, EPOLL_CTL_ADD, i < 0 ? control : listeners[i], &wanted))
            die("epoll_ctl");
    }

    for (;;) {
        int events = epoll_wait(set, found, 64, patience_ms * 2);
        if (events <= 0)
            die("nothing happens to the server");
        for (int i = 0; i < events; i++) {
            char word[word_bytes];
            if (found[i].data.u64 == 0) {
                if (!receive_word(word, 0))
                    continue;
                if (strcmp(word, "end"))
                    die("\"%s\" was told to a server that answers", word);
                has_ended = 1;
                close(set);
                return calls;
            }

            if (found[i].data.u64 <= (uint64_t)count) {
                for (int fd; (fd = accept4(listeners[found[i].data.u64 - 1], NULL, NULL, SOCK_CLOEXEC)) >= 0; calls++) {
                    struct caller *made = calloc(1, sizeof *made);
                    made->fd = fd;
                    wanted.data.ptr = made;
                    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &wanted))
                        die("epoll_ctl");
                }

                if (errno != EAGAIN && errno != ECONNABORTED)
                    die("accept4");
                continue;
            }

            struct caller *caller = found[i].data.ptr;
            ssize_t length = recv(caller->fd, caller->line + caller->used, sizeof caller->line - caller->used, MSG_DONTWAIT);
            if (length < 0 && errno == EAGAIN)
                continue;
            caller->used += length > 0 ? (size_t)length : 0;
            char kind = caller->line[0];
            if (length > 0 && caller->used < sizeof caller->line && caller->line[caller->used - 1] != '\n')
                continue;
            if (length > 0 && kind == '?') {
                struct sockaddr_in peer;
                socklen_t size = sizeof peer;
                getpeername(caller->fd, (struct sockaddr *)&peer, &size);
                caller->used = (size_t)sprintf(caller->line, "%s %d\n", inet_ntoa(peer.sin_addr), ntohs(peer.sin_port));
            }

            if (length > 0)
                send(caller->fd, caller->line, caller->used, MSG_NOSIGNAL);
            caller->used = 0;
            if (length <= 0 || kind == '#' || kind == '!') {
                if (kind == '!')
                    close_with_reset(caller->fd);
                else
                    close(caller->fd);
                free(caller);
            }
        }
    }
}

void serve_ports(int count) {
    int listeners[16] = {0};
    for (int i = 0; i < count; i++)
        begin_to_wait(listeners[i] = listening(i));
    ready();
    say("connections: %d", serve(listeners, count));
    for (int i = 0; i < count; i++)
        close(listeners[i]);
}

pid_t child(void) {
    pid_t made = fork();
    if (made < 0)
        die("fork");
    if (made == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(scene_seconds);
    }

    return made;
}

void ended_well(pid_t pid) {
    int status;
    if (waitpid(pid, &status, 0) != pid)
        die("waitpid");
    if (status)
        die("a child ended with status %#x", status);
}

char **aside_words(const char *first, const char *second) {
    static char *words[9];
    memcpy(words, own_words, 6 * sizeof *words);
    words[2] = (char *)"aside";
    words[6] = (char *)first;
    words[7] = (char *)second;
    return words;
}

pid_t start_aside(int preload, const char *first, const char *second) {
    pid_t made = child();
    if (made == 0) {
        if (preload == without_preload)
            unsetenv("LD_PRELOAD");
        execv("/proc/self/exe", aside_words(first, second));
        die("exec");
    }

    return made;
}

int play(int count, char **words, const struct scene *scenes) {
    int is_aside = count >= 7 && !strcmp(words[2], "aside");
    if (!is_aside && count != 6) {
        fprintf(stderr, "usage: %s SCENE server|client SERVER-ADDRESS CLIENT-ADDRESS SETTLE-MILLISECONDS\nscenes:", words[0]);
        for (; scenes->name; scenes++)
            fprintf(stderr, " %s", scenes->name);
        fprintf(stderr, "\n");
        return 2;
    }

    own_words = words;
    settle_ms = atoi(words[5]);
    if (!inet_aton(words[3], &server_address) || !inet_aton(words[4], &client_address))
        die("the addresses are none");
    while (scenes->name && strcmp(scenes->name, words[1]))
        scenes++;
    if (!scenes->name)
        die("there is no scene %s", words[1]);
    alarm(scene_seconds);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < 8192 ? files.rlim_max : 8192;
    setrlimit(RLIMIT_NOFILE, &files);
    if (is_aside) {
        scenes->aside(words + 6);
        return 0;
    }

    serving = !strcmp(words[2], "server");
    control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in own = serving ? at(server_address, server_control_port) : at(client_address, client_control_port);
    if (control < 0 || bind(control, (struct sockaddr *)&own, sizeof own))
        die("control socket");
    if (serving) {
        if (scenes->server)
            scenes->server();
        else
            ready();
        await_end();
        return 0;
    }

    await_ready();
    scenes->client();
    tell("end");
    return 0;
}
