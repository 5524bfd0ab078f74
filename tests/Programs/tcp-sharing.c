/* One listener, or one port, and several who accept: threads, processes, accelerated and plain callers together. */
#include "tcp-stage.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

enum { sharers = 4, share = 10 };

static int listener;

static void call_all(void) { say("answered: %d", answered(0, sharers * share)); }

/* Everyone who blocks in accept() gets callers: nobody ends before his share is done. */
static void *serve_share(void *unused) {
    for (int i = 0; i < share; i++) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            die("accept");
        answer(fd);
    }

    return unused;
}

static void threads_server(void) {
    pthread_t threads[sharers];
    listener = listening(0);
    for (int i = 0; i < sharers; i++)
        pthread_create(&threads[i], NULL, serve_share, NULL);
    pause_ms(100);
    ready();
    for (int i = 0; i < sharers; i++)
        pthread_join(threads[i], NULL);
    say("each has served %d", share);
}

static void processes_server(void) {
    pid_t others[sharers];
    listener = listening(0);
    for (int i = 0; i < sharers; i++)
        if ((others[i] = child()) == 0) {
            serve_share(NULL);
            exit(0);
        }

    close(listener);
    pause_ms(100);
    ready();
    for (int i = 0; i < sharers; i++)
        ended_well(others[i]);
    say("each has served %d", share);
}

/* Serves by epoll until `gate` is closed; ends with the number of callers. */
static int serve_until(int gate, int own_listener, uint32_t flags) {
    struct epoll_event one = {.events = EPOLLIN | flags, .data.u32 = 1}, found;
    int set = epoll_create1(0), served = 0;
    set_blocking(own_listener, 0);
    if (epoll_ctl(set, EPOLL_CTL_ADD, own_listener, &one))
        die("epoll_ctl");
    one = (struct epoll_event){.events = EPOLLIN, .data.u32 = 0};
    epoll_ctl(set, EPOLL_CTL_ADD, gate, &one);
    while (epoll_wait(set, &found, 1, patience_ms * 2) == 1 && found.data.u32 == 1)
        for (int fd; (fd = accept4(own_listener, NULL, NULL, SOCK_CLOEXEC)) >= 0; served++)
            answer(fd);
    return served;
}

/* 0: one listener and EPOLLEXCLUSIVE; 1: a listener each on one port; 2: one listener, edge-triggered */
static void serve_in_processes(int way) {
    int gates[2], total = 0, one;
    pid_t others[sharers];
    int results[2];
    if (pipe(gates) || pipe(results))
        die("pipe");
    if (way != 1)
        listener = listening(0);
    for (int i = 0; i < sharers; i++)
        if ((others[i] = child()) == 0) {
            close(gates[1]);
            if (way == 1) {
                struct sockaddr_in own = at((struct in_addr){INADDR_ANY}, first_port);
                listener = tcp(0);
                set_int(listener, SOL_SOCKET, SO_REUSEADDR, 1);
                set_int(listener, SOL_SOCKET, SO_REUSEPORT, 1);
                if (bind(listener, (struct sockaddr *)&own, sizeof own) || listen(listener, 64))
                    die("listen");
            }

            if (write(results[1], &i, sizeof i) != sizeof i)
                die("write");
            one = serve_until(gates[0], listener, way == 0 ? EPOLLEXCLUSIVE : way == 2 ? EPOLLET : 0);
            if (write(results[1], &one, sizeof one) != sizeof one)
                die("write");
            exit(0);
        }

    if (way != 1)
        close(listener);
    for (int i = 0; i < sharers; i++)
        if (read(results[0], &one, sizeof one) != sizeof one)
            die("read");
    pause_ms(50);
    ready();
    await("enough");
    close(gates[1]);
    for (int i = 0; i < sharers; i++) {
        ended_well(others[i]);
        if (read(results[0], &one, sizeof one) != sizeof one)
            die("read");
        total += one;
    }

    say("served: %d", total);
}

static void exclusive_server(void) { serve_in_processes(0); }
static void reuseport_server(void) { serve_in_processes(1); }
static void edge_server(void) { serve_in_processes(2); }

static void call_in_turns(void) {
    for (int i = 0; i < 4; i++)
        say("answered: %d", answered(0, share));
    say("answered: %d", answered_in_turn(0, share));
    tell("enough");
}

/* Two threads on one set with one shot: one event, to one of them, until it is armed again. */
static int shared_set, events_taken;
static pthread_mutex_t taken = PTHREAD_MUTEX_INITIALIZER;

static void *take_one(void *unused) {
    struct epoll_event found;
    if (epoll_wait(shared_set, &found, 1, 400) == 1) {
        pthread_mutex_lock(&taken);
        events_taken++;
        pthread_mutex_unlock(&taken);
    }

    return unused;
}

static void one_shot_server(void) {
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 5};
    pthread_t threads[2];
    shared_set = epoll_create1(0);
    listener = listening(0);
    set_blocking(listener, 0);
    epoll_ctl(shared_set, EPOLL_CTL_ADD, listener, &wanted);
    say("event: %s", counted(epoll_wait(shared_set, &wanted, 1, 0)));
    ready();
    /* With one caller, then two, then an accelerated and a plain one. */
    for (int i = 0; i < 3; i++) {
        await("called");
        if (i)
            await("called");
        events_taken = 0;
        for (int j = 0; j < 2; j++)
            pthread_create(&threads[j], NULL, take_one, NULL);
        for (int j = 0; j < 2; j++)
            pthread_join(threads[j], NULL);
        say("events: %d", events_taken);
        for (int j = 0; j < (i ? 2 : 1); j++)
            answer(accepted(listener));
        wanted = (struct epoll_event){.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 6};
        say("rearmed: %s", ok(epoll_ctl(shared_set, EPOLL_CTL_MOD, listener, &wanted)));
        say("event: %s", counted(epoll_wait(shared_set, &wanted, 1, 50)));
        tell("next");
    }
}

/* A caller without the preload, in a process of its own. */
static void call_aside(char **arguments) {
    int count = atoi(arguments[0]);
    if (answered(0, count) != count)
        die("not all were answered");
}

static void one_shot_client(void) {
    for (int i = 0; i < 3; i++) {
        pid_t other = -1;
        int first = connected(0), second = -1;
        tell("called");
        if (i == 1)
            second = connected(0);
        if (i == 2) {
            other = start_aside(without_preload, "1", NULL);
            pause_ms(100);
        }

        if (i)
            tell("called");
        say("first: %s", exchange(first));
        if (i == 1)
            say("second: %s", exchange(second));
        if (i == 2)
            ended_well(other);
        await("next");
        close(first);
        close(second);
    }
}

static void mixed_server(void) { serve_ports(1); }

static void mixed_client(void) {
    pid_t plain = start_aside(without_preload, "50", NULL);
    say("answered: %d", answered(0, 50));
    ended_well(plain);
    for (int i = 0; i < 5; i++) {
        say("answered: %d", answered_in_turn(0, 1));
        ended_well(start_aside(without_preload, "1", NULL));
    }
}

/* The same at a server of processes that block: a plain caller and an accelerated one wake them alike. */
static void mixed_blocking_client(void) {
    pid_t plain = start_aside(without_preload, "20", NULL);
    say("answered: %d", answered(0, 20));
    ended_well(plain);
}

static const struct scene scenes[] = {
    {"threads", threads_server, call_all, NULL},
    {"processes", processes_server, call_all, NULL},
    {"exclusive", exclusive_server, call_in_turns, NULL},
    {"reuseport", reuseport_server, call_in_turns, NULL},
    {"edge", edge_server, call_in_turns, NULL},
    {"one-shot", one_shot_server, one_shot_client, call_aside},
    {"mixed", mixed_server, mixed_client, call_aside},
    {"mixed-blocking", processes_server, mixed_blocking_client, call_aside},
    {NULL, NULL, NULL, NULL},
};

int main(int count, char **words) { return play(count, words, scenes); }
