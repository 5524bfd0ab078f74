/* Ways to wait for connections and to accept them, by one process; interruptions, time limits, arguments. */
#include "tcp-stage.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/time.h>
#include <unistd.h>

enum way { by_accept, by_poll, by_ppoll, by_select, by_pselect, by_level, by_edge, by_one_shot, ways };

static const char *way_names[] = {"accept", "poll", "ppoll", "select", "pselect", "epoll", "epoll, edge", "epoll, one shot"};
static int sets[ways];

/* What the listener's way of waiting has to say, for at most so long. */
static const char *waited(enum way way, int listener, int milliseconds) {
    static char text[64];
    struct pollfd one = {.fd = listener, .events = POLLIN};
    struct timeval coarse = {milliseconds / 1000, milliseconds % 1000 * 1000};
    struct timespec fine = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    struct epoll_event found = {0};
    fd_set readable;
    int count;
    FD_ZERO(&readable);
    FD_SET(listener, &readable);
    switch (way) {
    case by_poll:
    case by_ppoll:
        count = way == by_poll ? poll(&one, 1, milliseconds) : ppoll(&one, 1, &fine, NULL);
        sprintf(text, "%s %s", counted(count), bits((uint32_t)one.revents));
        break;
    case by_select:
    case by_pselect:
        count = way == by_select ? select(listener + 1, &readable, NULL, NULL, &coarse) : pselect(listener + 1, &readable, NULL, NULL, &fine, NULL);
        sprintf(text, "%s %s", counted(count), FD_ISSET(listener, &readable) ? "read" : "-");
        break;
    default:
        count = epoll_wait(sets[way], &found, 1, milliseconds);
        sprintf(text, "%s %s of %llx", counted(count), bits(found.events), (unsigned long long)found.data.u64);
    }

    return text;
}

static void prepare(enum way way, int listener) {
    static const uint32_t flags[ways] = {[by_edge] = EPOLLET, [by_one_shot] = EPOLLONESHOT};
    struct epoll_event wanted = {.events = EPOLLIN | flags[way], .data.u64 = 0x1234567800000000u + way};
    if (way < by_level)
        return;
    sets[way] = epoll_create1(0);
    if (epoll_ctl(sets[way], EPOLL_CTL_ADD, listener, &wanted))
        die("epoll_ctl");
}

static void rearm(enum way way, int listener) {
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 0x99};
    if (way == by_one_shot && epoll_ctl(sets[way], EPOLL_CTL_MOD, listener, &wanted))
        die("epoll_ctl");
}

/* Three callers one after another for each way; the callers after the first come while the server waits. */
static void each_way_server(void) {
    int listeners[ways];
    for (enum way way = 0; way < ways; way++) {
        listeners[way] = listening((int)way);
        if (way != by_accept)
            set_blocking(listeners[way], 0);
        prepare(way, listeners[way]);
        if (way == by_accept)
            begin_to_wait(listeners[way]);
        else
            say("%s: %s", way_names[way], waited(way, listeners[way], 0));
    }

    ready();
    for (enum way way = 0; way < ways; way++) {
        say("== %s", way_names[way]);
        for (int i = 0; i < 3; i++) {
            struct sockaddr_in peer;
            socklen_t size = sizeof peer;
            if (way != by_accept)
                say("waited: %s", waited(way, listeners[way], patience_ms));
            int fd = i == 0 ? accept(listeners[way], (struct sockaddr *)&peer, &size)
                            : accept4(listeners[way], (struct sockaddr *)&peer, &size, i == 1 ? SOCK_NONBLOCK : SOCK_CLOEXEC | SOCK_NONBLOCK);
            say("accept: %s, from %s", ok(fd), named(&peer, size, 0));
            if (fd < 0)
                die("accept");
            say("flags: %d %d", fcntl(fd, F_GETFL) & O_NONBLOCK ? 1 : 0, fcntl(fd, F_GETFD));
            if (way != by_accept)
                say("accept: %s", ok(accept(listeners[way], NULL, NULL)));
            answer(fd);
            rearm(way, listeners[way]);
        }

        if (way != by_accept)
            say("waited: %s", waited(way, listeners[way], 0));
    }
}

static void each_way_client(void) {
    for (enum way way = 0; way < ways; way++)
        say("answered by %s: %d", way_names[way], answered_in_turn((int)way, 3));
}

/* Ten callers at once on a listener with a queue, waited for by each way in turn. */
static void bursts_server(void) {
    int listener = listening(0);
    set_blocking(listener, 0);
    begin_to_wait(listener);
    ready();
    for (enum way way = by_poll; way < ways; way++) {
        int served = 0;
        prepare(way, listener);
        tell("come");
        while (served < 10) {
            const char *said = waited(way, listener, patience_ms);
            if (*said != '1')
                die("%s: %s", way_names[way], said);
            for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; served++)
                answer(fd);
            if (errno != EAGAIN)
                die("accept");
            rearm(way, listener);
        }

        say("%s: %d, then %s", way_names[way], served, waited(way, listener, 0));
        if (way >= by_level)
            close(sets[way]);
        await("went");
    }
}

static void bursts_client(void) {
    for (enum way way = by_poll; way < ways; way++) {
        await("come");
        say("answered: %d", answered(0, 10));
        tell("went");
    }
}

/* A disarmed listener is silent, whatever waits; armed again it speaks once. */
static void one_shot_server(void) {
    int listener = listening(0);
    set_blocking(listener, 0);
    prepare(by_one_shot, listener);
    say("waited: %s", waited(by_one_shot, listener, 0));
    ready();
    for (int i = 0; i < 4; i++) {
        await("called");
        say("waited: %s", i < 3 ? waited(by_one_shot, listener, patience_ms) : "not");
        say("again: %s", waited(by_one_shot, listener, 100));
        int fd = accepted(listener);
        tell("next");
        await("called");
        say("once more: %s", waited(by_one_shot, listener, 100));
        answer(fd);
        rearm(by_one_shot, listener);
        say("rearmed: %s", waited(by_one_shot, listener, patience_ms));
        answer(accepted(listener));
        if (i < 2)
            rearm(by_one_shot, listener);
        tell("next");
    }
}

static void one_shot_client(void) {
    for (int i = 0; i < 4; i++) {
        int first = connected(0);
        tell("called");
        await("next");
        int second = connected(0);
        tell("called");
        send_text(first, "first\n");
        send_text(second, "second\n");
        say("first: %s", read_line(first));
        say("second: %s", read_line(second));
        await("next");
        close_with_reset(first);
        close_with_reset(second);
    }
}

static volatile sig_atomic_t signals;
static pthread_t main_thread;

static void count_signal(int signal) {
    (void)signal;
    signals++;
}

static void *signalling_thread(void *unused) {
    pause_ms(150);
    pthread_kill(main_thread, SIGUSR1);
    return unused;
}

static void signal_soon(pthread_t *sender) {
    if (pthread_create(sender, NULL, signalling_thread, NULL))
        die("pthread_create");
}

static void say_interrupted(const char *what, int listener, enum way way) {
    pthread_t sender;
    signal_soon(&sender);
    if (way == by_accept)
        say("%s: %s", what, ok(accept(listener, NULL, NULL)));
    else
        say("%s: %.5s", what, waited(way, listener, patience_ms));
    pthread_join(sender, NULL);
}

static void interruptions_server(void) {
    int listener = listening(0);
    struct timeval little = {0, 300000}, none = {0};
    sigset_t blocked, open;
    pthread_t sender;
    main_thread = pthread_self();
    prepare(by_level, listener);
    set_handler(SIGUSR1, count_signal, 0);
    say_interrupted("accept", listener, by_accept);
    set_handler(SIGUSR1, count_signal, SA_RESTART);
    for (enum way way = by_poll; way <= by_level; way++)
        say_interrupted(way_names[way], listener, way);
    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &little, sizeof little);
    say("accept within SO_RCVTIMEO: %s", ok(accept(listener, NULL, NULL)));
    say_interrupted("accept within SO_RCVTIMEO, SA_RESTART", listener, by_accept);
    say("signals: %d", signals);

    /* The masks of ppoll, pselect and epoll_pwait let a signal through for as long as they wait. */
    sigemptyset(&open);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    for (int i = 0; i < 3; i++) {
        struct pollfd one = {.fd = listener, .events = POLLIN};
        struct timespec patience = {patience_ms / 1000, 0};
        struct epoll_event found;
        fd_set readable;
        FD_ZERO(&readable);
        FD_SET(listener, &readable);
        raise(SIGUSR1);
        say("with a mask: %s", ok(i == 0   ? ppoll(&one, 1, &patience, &open)
                                  : i == 1 ? pselect(listener + 1, &readable, NULL, NULL, &patience, &open)
                                           : epoll_pwait(sets[by_level], &found, 1, patience_ms, &open)));
        say("signals: %d", signals);
    }

    raise(SIGUSR1);
    ready();
    for (int i = 0; i < 2; i++) {
        struct pollfd one = {.fd = listener, .events = POLLIN};
        struct timespec patience = {patience_ms / 1000, 0};
        say("blocked: %d, signals: %d", ppoll(&one, 1, &patience, &blocked), signals);
        answer(accept(listener, NULL, NULL));
    }

    pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
    say("unblocked, signals: %d", signals);
    /* A signal comes first, then a caller: accept goes on. */
    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
    signal_soon(&sender);
    tell("come");
    int fd = accept(listener, NULL, NULL);
    say("accept, SA_RESTART: %s, signals: %d", ok(fd), signals);
    answer(fd);
    pthread_join(sender, NULL);
}

static void interruptions_client(void) {
    say("answered: %d", answered_in_turn(0, 2));
    await("come");
    pause_ms(300);
    say("answered: %d", answered_in_turn(0, 1));
}

static void arguments_server(void) {
    int listener = listening(0);
    begin_to_wait(listener);
    ready();
    static const socklen_t lengths[] = {0, 2, 4, 8, 16, 28, 100};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        unsigned char room[128], untouched[128];
        struct sockaddr_in peer;
        socklen_t size = lengths[i], whole = sizeof peer;
        memset(room, 0xee, sizeof room);
        memset(untouched, 0xee, sizeof untouched);
        int fd = accept(listener, (struct sockaddr *)room, &size);
        getpeername(fd, (struct sockaddr *)&peer, &whole);
        socklen_t given = lengths[i] < whole ? lengths[i] : whole;
        say("length %u: %s, %u, %s, %s", lengths[i], ok(fd), size, memcmp(room, &peer, given) ? "wrong" : "right",
            memcmp(room + given, untouched, sizeof room - given) ? "overrun" : "bounded");
        answer(fd);
    }

    int fd = accept(listener, NULL, (socklen_t *)8);
    say("no address: %s", ok(fd));
    answer(fd);
    /* A caller whose address can't be told is lost. */
    struct sockaddr_in room;
    tell("lost");
    say("no length: %s", ok(accept(listener, (struct sockaddr *)&room, NULL)));
    say("negative length: %s", ok(accept(listener, (struct sockaddr *)&room, &(socklen_t){(socklen_t)-1})));
    say("a wild address: %s", ok(accept(listener, (struct sockaddr *)8, &(socklen_t){sizeof room})));
    await("was lost");
    set_blocking(listener, 0);
    say("nothing is left: %s", ok(accept(listener, NULL, NULL)));

    /* Without a descriptor to be had, a caller waits. */
    struct rlimit files, few;
    getrlimit(RLIMIT_NOFILE, &files);
    few = files;
    few.rlim_cur = 0;
    tell("wait");
    say("waited: %s", bits((uint32_t)wait_for(listener, POLLIN, patience_ms)));
    setrlimit(RLIMIT_NOFILE, &few);
    fd = accept(listener, NULL, NULL);
    int error = errno, again = accept4(listener, NULL, NULL, SOCK_CLOEXEC), again_error = errno;
    setrlimit(RLIMIT_NOFILE, &files);
    say("no descriptor: %d %s, %d %s", fd, failure(error), again, failure(again_error));
    say("still: %s", bits((uint32_t)wait_for(listener, POLLIN, patience_ms)));
    answer(accepted(listener));
}

static void arguments_client(void) {
    say("answered: %d", answered_in_turn(0, 8));
    await("lost");
    for (int i = 0; i < 3; i++) {
        int fd = connected(0);
        say("lost: %s", read_line(fd));
        close(fd);
    }

    tell("was lost");
    await("wait");
    say("answered: %d", answered_in_turn(0, 1));
}

static int stopped;

static void *accepting_thread(void *result) {
    *(int *)result = accept(stopped, NULL, NULL);
    return (void *)failure(errno);
}

/* Threads that block in accept() are ended by cancellation, or by shutdown() of the listener. */
static void stopping_server(void) {
    pthread_t waiter;
    void *said;
    int result = 0;
    stopped = listening(0);
    if (pthread_create(&waiter, NULL, accepting_thread, &result))
        die("pthread_create");
    pause_ms(150);
    pthread_cancel(waiter);
    pthread_join(waiter, &said);
    say("cancelled: %s", said == PTHREAD_CANCELED ? "yes" : "no");
    ready();
    await("come");
    answer(accept(stopped, NULL, NULL));
    await("went");
    if (pthread_create(&waiter, NULL, accepting_thread, &result))
        die("pthread_create");
    pause_ms(150);
    say("shutdown: %s", ok(shutdown(stopped, SHUT_RDWR)));
    pthread_join(waiter, &said);
    say("accept: %d %s", result, (char *)said);
    say("accept: %s", ok(accept(stopped, NULL, NULL)));
    say("poll: %s", bits((uint32_t)wait_for(stopped, POLLIN, 0)));
    tell("shut");
    await("refused");
    say("listen again: %s", ok(listen(stopped, 8)));
    begin_to_wait(stopped);
    tell("open");
    answer(accepted(stopped));
}

static void stopping_client(void) {
    tell("come");
    say("answered: %d", answered_in_turn(0, 1));
    tell("went");
    await("shut");
    settle();
    int fd = tcp(0);
    say("connect: %s", ok(to_server(fd, 0)));
    close(fd);
    tell("refused");
    await("open");
    settle();
    say("answered: %d", answered_in_turn(0, 1));
}

static const struct scene scenes[] = {
    {"each-way", each_way_server, each_way_client, NULL},
    {"bursts", bursts_server, bursts_client, NULL},
    {"one-shot", one_shot_server, one_shot_client, NULL},
    {"interruptions", interruptions_server, interruptions_client, NULL},
    {"arguments", arguments_server, arguments_client, NULL},
    {"stopping", stopping_server, stopping_client, NULL},
    {NULL, NULL, NULL, NULL},
};

int main(int count, char **words) { return play(count, words, scenes); }
