/* getpeername() and getsockname() on both ends, whichever process asks and by whichever copy of the descriptor. */
#include "tcp-stage.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* `own` is the port that the system chose for the client. */
static void show(const char *what, int fd, int own) {
    struct sockaddr_storage local, peer;
    socklen_t local_size = sizeof local, peer_size = sizeof peer;
    int local_result = getsockname(fd, (struct sockaddr *)&local, &local_size), local_error = errno;
    int peer_result = getpeername(fd, (struct sockaddr *)&peer, &peer_size), peer_error = errno;
    say("%s: %s - %s", what, local_result ? failure(local_error) : named(&local, local_size, own),
        peer_result ? failure(peer_error) : named(&peer, peer_size, own));
}

/* A process that never had a connection gets descriptors, and shows them. */
static void keep(int through, int own) {
    for (int fd; (fd = passed_descriptor(through)) >= 0; close(fd)) {
        show("passed", fd, own);
        int copy = dup(fd);
        show("passed, a copy", copy, own);
        close(copy);
        if (send(through, "", 1, 0) != 1)
            die("send");
    }

    exit(0);
}

static int await_number_from(int gate) {
    int number;
    if (recv(gate, &number, sizeof number, MSG_WAITALL) != sizeof number)
        exit(1);
    return number;
}

static void show_aside(char **arguments) {
    int fd, own, gate;
    if (sscanf(arguments[0], "%d %d %d", &fd, &own, &gate) == 3) {
        /* Started before there was any connection. */
        keep(gate, await_number_from(gate));
    }

    if (sscanf(arguments[0], "%d %d", &fd, &own) != 2)
        die("usage");
    show(arguments[1], fd, own);
    int copy = dup(fd);
    show("a copy there", copy, own);
    if (!strcmp(arguments[1], "exec")) {
        char here[32];
        sprintf(here, "%d %d", copy, own);
        close(fd);
        execv("/proc/self/exe", aside_words(here, "exec again"));
        die("exec");
    }
}

static void exec_aside(const char *descriptor, const char *what, pid_t (*make)(void)) {
    char **words = aside_words(descriptor, what);
    pid_t made = make();
    if (made == 0) {
        execv("/proc/self/exe", words);
        _exit(1);
    }

    ended_well(made);
}

static void everywhere(int fd, int own, int keeper, pid_t keeper_pid) {
    char number[32], line[512] = "";
    show("itself", fd, own);
    int copy = dup(fd);
    show("dup", copy, own);
    int second = dup2(fd, 70), third = fcntl(fd, F_DUPFD, 80), fourth = fcntl(fd, F_DUPFD_CLOEXEC, 90), fifth = dup3(fd, 71, O_CLOEXEC);
    show("dup2", second, own);
    show("F_DUPFD", third, own);
    show("F_DUPFD_CLOEXEC", fourth, own);
    show("dup3", fifth, own);
    close(second);
    show("when a copy is closed", fd, own);
    pid_t other = child();
    if (other == 0) {
        show("a child", fd, own);
        close(fd);
        show("a child's copy", copy, own);
        pid_t next = child();
        if (next == 0) {
            show("a grandchild", copy, own);
            exit(0);
        }

        ended_well(next);
        exit(0);
    }

    ended_well(other);
    show("the parent", fd, own);
    sprintf(number, "%d %d", copy, own);
    exec_aside(number, "exec", fork);
    pid_t spawned;
    if (posix_spawn(&spawned, "/proc/self/exe", NULL, NULL, aside_words(number, "posix_spawn"), environ))
        die("posix_spawn");
    ended_well(spawned);
    char **words = aside_words(number, "vfork");
    if ((spawned = vfork()) == 0) {
        execv("/proc/self/exe", words);
        _exit(1);
    }

    ended_well(spawned);
    show("after vfork", fd, own);
    words = aside_words(number, "system");
    for (int i = 0; words[i]; i++)
        sprintf(line + strlen(line), "%s'%s'", i ? " " : "", words[i]);
    if (system(line))
        die("system");
    FILE *out = popen(line, "w");
    if (!out || pclose(out))
        die("popen");
    pass_descriptor(keeper, fd);
    char byte;
    if (recv(keeper, &byte, 1, 0) != 1)
        die("keeper");
    pass_descriptor(keeper, third);
    if (recv(keeper, &byte, 1, 0) != 1)
        die("keeper");
    close(keeper);
    ended_well(keeper_pid);
    show("in the end", fd, own);
    close(copy);
    close(third);
    close(fourth);
    close(fifth);
}

/* Returns the gate to a process that has no connection yet; it is told the port by a line. */
static int start_keeper(pid_t *made, int by_exec) {
    int pair[2];
    char words[32];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
        die("socketpair");
    fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    sprintf(words, "-1 0 %d", pair[1]);
    if (by_exec)
        *made = start_aside(with_preload, words, NULL);
    else if ((*made = child()) == 0) {
        close(pair[0]);
        keep(pair[1], await_number_from(pair[1]));
    }

    close(pair[1]);
    return pair[0];
}

static void tell_keeper(int gate, int own) {
    if (send(gate, &own, sizeof own, 0) != sizeof own)
        die("keeper");
}

static void copies_server(void) {
    int listeners[2] = {listening(0), socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in6 own6 = {.sin6_family = AF_INET6, .sin6_port = htons(first_port + 1), .sin6_addr = in6addr_any};
    set_int(listeners[1], SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(listeners[1], (struct sockaddr *)&own6, sizeof own6) || listen(listeners[1], 8))
        die("listen");
    pid_t keepers[2];
    int gates[2];
    for (int i = 0; i < 2; i++) {
        gates[i] = start_keeper(&keepers[i], i);
        begin_to_wait(listeners[i]);
    }

    ready();
    for (int i = 0; i < 2; i++) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        wait_for(listeners[i], POLLIN, patience_ms);
        int fd = accept(listeners[i], (struct sockaddr *)&peer, &size), own = atoi(read_line(fd));
        say("accepted: %s", named(&peer, size, own));
        tell_keeper(gates[i], own);
        everywhere(fd, own, gates[i], keepers[i]);
        send_text(fd, "done\n");
        say("line: %s", read_line(fd));
        close(fd);
    }
}

static void copies_client(void) {
    pid_t keepers[2];
    int gates[2];
    for (int i = 0; i < 2; i++)
        gates[i] = start_keeper(&keepers[i], i);
    for (int i = 0; i < 2; i++) {
        char line[16];
        struct sockaddr_in four = at(server_address, first_port + i);
        struct sockaddr_in6 six = at_mapped(server_address, first_port + i);
        int fd = socket(i ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
        if (connect(fd, i ? (struct sockaddr *)&six : (struct sockaddr *)&four, i ? sizeof six : sizeof four))
            die("connect");
        int own = port_of(fd);
        sprintf(line, "%d\n", own);
        send_text(fd, line);
        tell_keeper(gates[i], own);
        everywhere(fd, own, gates[i], keepers[i]);
        send_text(fd, "done\n");
        say("line: %s", read_line(fd));
        close(fd);
    }
}

static void say_lengths(const char *what, int fd, int (*ask)(int, struct sockaddr *, socklen_t *)) {
    static const socklen_t lengths[] = {0, 2, 4, 8, 16, 28, 100};
    struct sockaddr_in whole;
    socklen_t whole_size = sizeof whole;
    ask(fd, (struct sockaddr *)&whole, &whole_size);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        unsigned char room[128], untouched[128];
        socklen_t size = lengths[i], given = size < whole_size ? size : whole_size;
        memset(room, 0xee, sizeof room);
        memset(untouched, 0xee, sizeof untouched);
        int result = ask(fd, (struct sockaddr *)room, &size);
        say("%s of %u: %s, %u, %s, %s", what, lengths[i], ok(result), size, memcmp(room, &whole, given) ? "wrong" : "right",
            memcmp(room + given, untouched, sizeof room - given) ? "overrun" : "bounded");
    }

    socklen_t size = sizeof whole, negative = (socklen_t)-1;
    say("%s, no address: %s", what, ok(ask(fd, NULL, &size)));
    say("%s, no address, no room: %s", what, ok(ask(fd, NULL, &(socklen_t){0})));
    say("%s, no length: %s", what, ok(ask(fd, (struct sockaddr *)&whole, NULL)));
    say("%s, nothing at all: %s", what, ok(ask(fd, NULL, NULL)));
    say("%s, negative: %s", what, ok(ask(fd, (struct sockaddr *)&whole, &negative)));
    say("%s, a wild address: %s", what, ok(ask(fd, (struct sockaddr *)8, &size)));
    say("%s, a wild length: %s", what, ok(ask(fd, (struct sockaddr *)&whole, (socklen_t *)8)));
}

static int ask_own(int fd, struct sockaddr *address, socklen_t *length) { return getsockname(fd, address, length); }
static int ask_peer(int fd, struct sockaddr *address, socklen_t *length) { return getpeername(fd, address, length); }

static void lengths_of(int fd) {
    say_lengths("own", fd, ask_own);
    say_lengths("peer", fd, ask_peer);
    /* TCP gives no source. */
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    char byte;
    send_text(fd, "x");
    wait_for(fd, POLLIN, patience_ms);
    ssize_t count = recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &size);
    say("recvfrom: %s, source: %u bytes", counted(count), size);
    struct sockaddr_in to = at(server_address, 1);
    say("sendto: %s", counted(sendto(fd, "y", 1, 0, (struct sockaddr *)&to, sizeof to)));
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1};
    wait_for(fd, POLLIN, patience_ms);
    count = recvmsg(fd, &message, 0);
    say("recvmsg: %s, source: %u bytes", counted(count), message.msg_namelen);
}

static void lengths_server(void) {
    int listener = listening(0);
    begin_to_wait(listener);
    ready();
    int fd = accepted(listener);
    lengths_of(fd);
    await("done");
    close(fd);
}

static void lengths_client(void) {
    int fd = connected(0);
    lengths_of(fd);
    tell("done");
    close(fd);
}

/* What is left of the names when the connection is over. */
static void over_server(void) {
    int listener = listening(0);
    begin_to_wait(listener);
    ready();
    for (int i = 0; i < 3; i++) {
        int fd = accepted(listener);
        show("connected", fd, 0);
        await("shown");
        if (i == 0)
            close_with_reset(fd);
        if (i == 1)
            close(fd);
        if (i == 2) {
            say("shutdown: %s", ok(shutdown(fd, SHUT_WR)));
            say("end: %s", read_line(fd));
            show("both shut", fd, 0);
            close(fd);
        }

        tell("over");
    }
}

static void over_client(void) {
    for (int i = 0; i < 3; i++) {
        int fd = connected(0);
        show("connected", fd, 0);
        tell("shown");
        if (i == 2) {
            say("end: %s", read_line(fd));
            show("half shut", fd, 0);
            shutdown(fd, SHUT_WR);
        }

        await("over");
        say("poll: %s", bits((uint32_t)wait_for(fd, POLLIN | POLLRDHUP, patience_ms)));
        if (i == 0) {
            say("read: %s", read_line(fd));
            show("reset", fd, 0);
        } else if (i == 1)
            show("closed by the peer", fd, 0);
        else
            say("shown");
        close(fd);
    }
}

static void streams_server(void) {
    int listener = listening(0);
    begin_to_wait(listener);
    ready();
    int fd = accepted(listener);
    await("done");
    close(fd);
}

/* A descriptor whose plain connection was closed as a stream, within libc, and that is another connection's then. */
static void streams_client(void) {
    struct sockaddr_in nearby = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof nearby;
    int ends[2], far = connected(0), listener = tcp(0), near = tcp(0);
    if (bind(listener, (struct sockaddr *)&nearby, size) || listen(listener, 1) || getsockname(listener, (struct sockaddr *)&nearby, &size) ||
        connect(near, (struct sockaddr *)&nearby, size) || socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        die("a connection nearby");
    FILE *stream = fdopen(near, "r+");
    if (!stream)
        die("fdopen");
    fclose(stream);
    pass_descriptor(ends[0], far);
    int again = passed_descriptor(ends[1]);
    say("the same descriptor: %s", again == near ? "yes" : "no");
    show("where a stream was", again, port_of(far));
    tell("done");
}

static const struct scene scenes[] = {
    {"copies", copies_server, copies_client, show_aside},
    {"lengths", lengths_server, lengths_client, NULL},
    {"over", over_server, over_client, NULL},
    {"streams", streams_server, streams_client, NULL},
    {NULL, NULL, NULL, NULL},
};

int main(int count, char **words) { return play(count, words, scenes); }
