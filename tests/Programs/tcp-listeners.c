/* What listeners are bound to, and what becomes of them: closed, copied, handed on. */
#include "tcp-stage.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void say_connect(const char *what, int index) {
    int fd = tcp(0);
    say("%s: %s", what, ok(to_server(fd, index)));
    close(fd);
}

static int listening_six(int index, int only) {
    struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)(first_port + index)), .sin6_addr = in6addr_any};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, only);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) || listen(fd, 16))
        die("listen");
    return fd;
}

/* 0: any; 1: loopback; 2: the container's address; 3: any of IPv6; 4: of IPv6 only; 5: the mapped address; 6: no bind */
static void bound_server(void) {
    int listeners[7];
    struct sockaddr_in6 mapped = at_mapped(server_address, first_port + 5), found;
    listeners[0] = listening(0);
    listeners[1] = listening_at((struct in_addr){htonl(INADDR_LOOPBACK)}, 1);
    listeners[2] = listening_at(server_address, 2);
    listeners[3] = listening_six(3, 0);
    listeners[4] = listening_six(4, 1);
    listeners[5] = socket(AF_INET6, SOCK_STREAM, 0);
    set_int(listeners[5], SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(listeners[5], (struct sockaddr *)&mapped, sizeof mapped) || listen(listeners[5], 16))
        die("listen");
    listeners[6] = tcp(0);
    if (listen(listeners[6], 16))
        die("listen");
    for (int i = 0; i < 7; i++)
        begin_to_wait(listeners[i]);
    ready();
    tell_number(port_of(listeners[6]));
    for (int i = 0; i < 7; i++) {
        if (i == 1 || i == 4)
            continue;
        struct sockaddr_in6 peer;
        socklen_t peer_size = sizeof peer, size = sizeof found;
        wait_for(listeners[i], POLLIN, patience_ms);
        int fd = accept(listeners[i], (struct sockaddr *)&peer, &peer_size), value = -1;
        getsockname(fd, (struct sockaddr *)&found, &size);
        say("listener %d: %s, %s to %s", i, ok(fd), named(&peer, peer_size, 0), named(&found, size, 0));
        size = sizeof value;
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &size);
        say("SO_DOMAIN: %d", value);
        say("IPV6_V6ONLY: %s", ok(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &size)));
        say("IPV6_TCLASS: %s", ok(setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &(int){0x20}, sizeof(int))));
        say("IP_TOS: %s", ok(setsockopt(fd, IPPROTO_IP, IP_TOS, &(int){0x10}, sizeof(int))));
        answer(fd);
    }

    struct sockaddr_in loopback = at((struct in_addr){htonl(INADDR_LOOPBACK)}, first_port + 1);
    int fd = tcp(0);
    say("to itself: %s", ok(connect(fd, (struct sockaddr *)&loopback, sizeof loopback)));
    close(accepted(listeners[1]));
}

static void bound_client(void) {
    static const char *names[] = {"any", "loopback", "its address", "any of IPv6", "any of IPv6 only", "its mapped address"};
    int own = await_number();
    for (int i = 0; i < 6; i++) {
        if (i == 1 || i == 4)
            say_connect(names[i], i);
        else
            say("%s: %d", names[i], answered_in_turn(i, 1));
    }

    say("a port of the system's choice: %d", answered_in_turn(own - first_port, 1));
}

/* Who waits in the queue of a listener that goes away reads a reset. */
static void closed_server(void) {
    for (int way = 0; way < 3; way++) { /* 0: close; 1: the process ends; 2: it is killed */
        pid_t other = way ? child() : 0;
        if (other == 0) {
            int listener = listening(way);
            begin_to_wait(listener);
            if (way == 0)
                ready();
            tell("come");
            say("waits: %s", bits((uint32_t)wait_for(listener, POLLIN, patience_ms)));
            await("came");
            if (way == 0)
                say("close: %s", ok(close(listener)));
            if (way == 1)
                exit(0);
            if (way == 2)
                raise(SIGKILL);
        }

        if (way) {
            int status;
            waitpid(other, &status, 0);
            say("status: %#x", (unsigned)status);
        }

        tell("gone");
        await("seen");
    }

    /* The same port at once again. */
    int listener = listening(0);
    begin_to_wait(listener);
    tell("come");
    answer(accepted(listener));
}

static void closed_client(void) {
    for (int way = 0; way < 3; way++) {
        await("come");
        settle();
        int fds[3];
        for (int i = 0; i < 3; i++)
            fds[i] = connected(way);
        /* Until the last has come, too. */
        pause_ms(100);
        tell("came");
        await("gone");
        for (int i = 0; i < 3; i++) {
            say("poll: %s", bits((uint32_t)wait_for(fds[i], POLLRDHUP, patience_ms)));
            say("reads: %s", read_line(fds[i]));
            close(fds[i]);
        }

        settle();
        say_connect("then", way);
        tell("seen");
    }

    await("come");
    settle();
    say("answered: %d", answered_in_turn(0, 1));
}

/* Copies of a listener; the one that was copied is closed. */
static void copied_server(void) {
    int listeners[5];
    for (int i = 0; i < 5; i++)
        listeners[i] = listening(i);
    int copies[] = {dup(listeners[0]), fcntl(listeners[1], F_DUPFD_CLOEXEC, 50), dup2(listeners[2], 60), dup3(listeners[3], 61, O_CLOEXEC), listeners[4]};
    close(listeners[0]);
    for (int i = 0; i < 5; i++)
        begin_to_wait(copies[i]);
    /* These are closed after the other has begun to wait. */
    close(listeners[1]);
    close(listeners[2]);
    close(listeners[3]);
    say("listen again: %s", ok(listen(copies[4], 64)));
    say("and again: %s", ok(listen(copies[4], 1)));
    ready();
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 2; j++) {
            int fd = accepted(copies[i]);
            say("copy %d: %s", i, ok(fd));
            answer(fd);
        }

    /* The place of a listener taken by another. */
    int other = listening(5);
    say("dup2: %s", ok(dup2(other, copies[4])));
    close(other);
    begin_to_wait(copies[4]);
    tell("come");
    answer(accepted(copies[4]));
}

static void copied_client(void) {
    for (int i = 0; i < 5; i++)
        say("answered: %d", answered_in_turn(i, 2));
    await("come");
    settle();
    say("answered: %d", answered_in_turn(5, 1));
    say_connect("the one whose place was taken", 4);
}

/*
 * Further processes: serve three callers each with the listener that they were given, "LISTENER GATE" by number, or that
 * comes through the gate, "-1 GATE". They say through the gate when they wait.
 */
static void serve_inherited(char **arguments) {
    int listener, gate;
    if (sscanf(arguments[0], "%d %d", &listener, &gate) != 2)
        die("usage");
    if (listener < 0)
        listener = passed_descriptor(gate);
    begin_to_wait(listener);
    if (write(gate, "", 1) != 1)
        die("gate");
    for (int i = 0; i < 3; i++)
        answer(accepted(listener));
}

static void await_gate(int gate) {
    char byte;
    if (!(wait_for(gate, POLLIN, patience_ms) & POLLIN) || read(gate, &byte, 1) != 1)
        die("a further process does not wait");
}

static pid_t spawned(const char *descriptors) {
    extern char **environ;
    pid_t made;
    if (posix_spawn(&made, "/proc/self/exe", NULL, NULL, aside_words(descriptors, NULL), environ))
        die("posix_spawn");
    return made;
}

/* The process that listens hands the listener to another, which serves. 0: fork; 1: fork, exec; 2: posix_spawn; 3: vfork */
static void inherited_server(void) {
    int listeners[4], gates[2];
    char descriptors[4][32];
    pid_t others[4];
    if (pipe(gates))
        die("pipe");
    for (int i = 0; i < 4; i++) {
        listeners[i] = listening(i);
        fcntl(listeners[i], F_SETFD, 0);
        sprintf(descriptors[i], "%d %d", listeners[i], gates[1]);
        /* The first two have waited here before. */
        if (i < 2)
            begin_to_wait(listeners[i]);
    }

    if ((others[0] = child()) == 0) {
        serve_inherited(&(char *){descriptors[0]});
        exit(0);
    }

    others[1] = start_aside(with_preload, descriptors[1], NULL);
    others[2] = spawned(descriptors[2]);
    char **words = aside_words(descriptors[3], NULL);
    if ((others[3] = vfork()) == 0) {
        execv("/proc/self/exe", words);
        _exit(1);
    }

    for (int i = 0; i < 4; i++) {
        close(listeners[i]);
        await_gate(gates[0]);
    }

    ready();
    for (int i = 0; i < 4; i++)
        ended_well(others[i]);
    say("served by all");
}

static void inherited_client(void) {
    for (int i = 0; i < 4; i++)
        say("answered: %d", answered_in_turn(i, 3));
}

/* A listener that is passed over a unix socket, to a process that has never heard of it. */
static void passed_server(void) {
    for (int closes = 0; closes < 2; closes++) {
        int pair[2];
        char descriptors[32];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
            die("socketpair");
        sprintf(descriptors, "-1 %d", pair[1]);
        pid_t other = start_aside(with_preload, descriptors, NULL);
        int listener = listening(closes);
        begin_to_wait(listener);
        pass_descriptor(pair[0], listener);
        await_gate(pair[0]);
        if (closes)
            close(listener);
        else
            ready();
        tell("come");
        ended_well(other);
        say("served by the other");
        await("went");
        close(pair[0]);
        close(pair[1]);
    }
}

static void passed_client(void) {
    for (int i = 0; i < 2; i++) {
        await("come");
        settle();
        say("answered: %d", answered_in_turn(i, 3));
        tell("went");
    }
}

/* Options that change how connections come: deferred until data comes, or fast open. */
static void deferred_server(void) {
    int listeners[2] = {listening(0), listening(1)};
    set_int(listeners[0], IPPROTO_TCP, TCP_DEFER_ACCEPT, 5);
    set_int(listeners[1], IPPROTO_TCP, TCP_FASTOPEN, 16);
    for (int i = 0; i < 2; i++)
        begin_to_wait(listeners[i]);
    ready();
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            answer(accepted(listeners[i]));
}

static void deferred_client(void) {
    for (int i = 0; i < 2; i++)
        say("answered: %d", answered_in_turn(i, 2));
}

static const struct scene scenes[] = {
    {"bound", bound_server, bound_client, NULL},
    {"closed", closed_server, closed_client, NULL},
    {"copied", copied_server, copied_client, NULL},
    {"inherited", inherited_server, inherited_client, serve_inherited},
    {"passed", passed_server, passed_client, serve_inherited},
    {"deferred", deferred_server, deferred_client, NULL},
    {NULL, NULL, NULL, NULL},
};

int main(int count, char **words) { return play(count, words, scenes); }
