/* epoll sets that know a socket before it is connected, or in odd ways. The server answers. */
#include "tcp-stage.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static void one_port(void) { serve_ports(1); }

static int change(int set, int what, int fd, uint32_t events, uint64_t data) {
    struct epoll_event wanted = {.events = events, .data.u64 = data};
    return epoll_ctl(set, what, fd, &wanted);
}

/* All that comes of one wait, in an order of its own. */
static const char *events_of(int set, int milliseconds) {
    static char text[4][256];
    static unsigned next;
    struct epoll_event found[8];
    char *at = text[next++ % 4];
    int count = epoll_wait(set, found, 8, milliseconds);
    sprintf(at, "%s", counted(count));
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0 && found[j].data.u64 < found[j - 1].data.u64; j--) {
            struct epoll_event swapped = found[j];
            found[j] = found[j - 1];
            found[j - 1] = swapped;
        }

    for (int i = 0; i < count; i++)
        sprintf(at + strlen(at), ", %s of %llx", bits(found[i].events), (unsigned long long)found[i].data.u64);
    return at;
}

/* Waits for an event with `bit`; level-triggered sets say other things before. */
static const char *event_with(int set, uint32_t bit) {
    static char text[64];
    struct epoll_event found;
    for (int i = 0; i < 100000; i++) {
        if (epoll_wait(set, &found, 1, patience_ms) != 1)
            return "nothing";
        if (found.events & bit) {
            sprintf(text, "%s of %llx", bits(found.events), (unsigned long long)found.data.u64);
            return text;
        }
    }

    return "other events only";
}

/* Registered in two sets, and connected then. */
static void before(void) {
    static const struct {
        const char *name;
        uint32_t flags;
    } modes[] = {{"level", 0}, {"edge", EPOLLET}, {"one shot", EPOLLONESHOT}, {"edge, one shot", EPOLLET | EPOLLONESHOT}};
    for (int way = 0; way < 8; way++) {
        uint32_t flags = modes[way / 2].flags;
        int fd = tcp(SOCK_NONBLOCK), first = epoll_create1(0), second = epoll_create(1), was_taken = way % 2;
        say("== %s, %s", modes[way / 2].name, was_taken ? "an event was taken before" : "none was taken");
        say("add: %s %s", ok(change(first, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | flags, 0xaaaaaaaaaa)),
            ok(change(second, EPOLL_CTL_ADD, fd, EPOLLOUT | flags, 0xbb)));
        if (was_taken) {
            say("first before: %s", events_of(first, 0));
            say("second before: %s", events_of(second, 0));
        }

        say("connect: %s", ok(to_server(fd, 0)));
        if (was_taken && (flags & EPOLLONESHOT)) {
            say("first is spent: %s", events_of(first, 150));
            say("second is spent: %s", events_of(second, 0));
            say("rearmed: %s %s", ok(change(first, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | flags, 0xaaaaaaaaaa)),
                ok(change(second, EPOLL_CTL_MOD, fd, EPOLLOUT | flags, 0xbb)));
        }

        say("first: %s", event_with(first, EPOLLOUT));
        say("second: %s", event_with(second, EPOLLOUT));
        if (flags)
            say("no more: %s; %s", events_of(first, 0), events_of(second, 0));
        if (flags & EPOLLONESHOT)
            say("rearm: %s", ok(change(first, EPOLL_CTL_MOD, fd, EPOLLIN | flags, 0xcc)));
        send_text(fd, "ping\n");
        say("answer: %s", event_with(first, EPOLLIN));
        say("read: %s", read_line(fd));
        say("add again: %s", ok(change(first, EPOLL_CTL_ADD, fd, EPOLLIN, 0)));
        say("delete: %s", ok(change(first, EPOLL_CTL_DEL, fd, 0, 0)));
        say("delete again: %s", ok(change(first, EPOLL_CTL_DEL, fd, 0, 0)));
        say("change: %s", ok(change(first, EPOLL_CTL_MOD, fd, EPOLLIN, 0)));
        say("add: %s", ok(change(first, EPOLL_CTL_ADD, fd, EPOLLOUT, 0xdd)));
        say("event: %s", events_of(first, patience_ms));
        close(fd);
        say("after close: %s; %s", events_of(first, 0), events_of(second, 0));
        close(first);
        close(second);
    }
}

static void after(void) {
    static const uint32_t flags[] = {0, EPOLLET, EPOLLONESHOT};
    for (int i = 0; i < 3; i++) {
        int fd = tcp(SOCK_NONBLOCK), set = epoll_create1(0);
        say("connect: %s", ok(to_server(fd, 0)));
        say("add: %s", ok(change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | flags[i], 1)));
        say("event: %s", event_with(set, EPOLLOUT));
        say("exchange: %s", exchange(fd));
        close(fd);
        say("after close: %s", events_of(set, 0));
        close(set);
    }
}

static int waiting_set;

static void *waiting_thread(void *unused) {
    (void)unused;
    return (void *)event_with(waiting_set, EPOLLOUT);
}

/* A thread waits on the set while another connects, as event loops with a thread of their own do. */
static void by_another_thread(void) {
    pthread_t waiter;
    void *said;
    int fd = tcp(SOCK_NONBLOCK);
    waiting_set = epoll_create1(0);
    change(waiting_set, EPOLL_CTL_ADD, fd, EPOLLOUT | EPOLLET, 7);
    say("before: %s", events_of(waiting_set, 0));
    if (pthread_create(&waiter, NULL, waiting_thread, NULL))
        die("pthread_create");
    pause_ms(100);
    say("connect: %s", ok(to_server(fd, 0)));
    pthread_join(waiter, &said);
    say("event: %s", (char *)said);
    say("exchange: %s", exchange(fd));
    close(fd);
    close(waiting_set);
}

static void odd_sets(void) {
    int fd = tcp(SOCK_NONBLOCK), set = epoll_create1(0), copy = dup(set);
    say("== a copy of the set");
    change(copy, EPOLL_CTL_ADD, fd, EPOLLOUT | EPOLLET, 1);
    say("before: %s", events_of(set, 0));
    close(copy);
    say("connect: %s", ok(to_server(fd, 0)));
    say("event: %s", events_of(set, patience_ms));
    say("exchange: %s", exchange(fd));
    close(fd);

    say("== a set within a set");
    int outer = epoll_create1(0);
    fd = tcp(SOCK_NONBLOCK);
    change(outer, EPOLL_CTL_ADD, set, EPOLLIN, 2);
    change(set, EPOLL_CTL_ADD, fd, EPOLLOUT | EPOLLET, 3);
    say("outer before: %s", events_of(outer, 0));
    say("inner before: %s", events_of(set, 0));
    say("outer afterwards: %s", events_of(outer, 0));
    say("connect: %s", ok(to_server(fd, 0)));
    say("outer: %s", events_of(outer, patience_ms));
    say("inner: %s", events_of(set, 0));
    say("poll of the set: %s", bits((uint32_t)wait_for(set, POLLIN, 0)));
    say("exchange: %s", exchange(fd));
    close(fd);

    say("== several sockets in one set");
    int fds[4];
    for (int i = 0; i < 4; i++) {
        fds[i] = tcp(SOCK_NONBLOCK);
        change(set, EPOLL_CTL_ADD, fds[i], EPOLLOUT | EPOLLONESHOT, 0x10u + (unsigned)i);
    }

    for (int i = 0; i < 4; i++)
        say("connect: %s", ok(to_server(fds[i], 0)));
    pause_ms(200);
    say("events: %s", events_of(set, patience_ms));
    for (int i = 0; i < 4; i++)
        say("exchange: %s", exchange(fds[i]));

    say("== a connected socket in place of another");
    say("dup2: %s", dup2(fds[0], fds[1]) == fds[1] ? "ok" : failure(errno));
    say("exchange: %s", exchange(fds[1]));
    say("add: %s", ok(change(set, EPOLL_CTL_ADD, fds[1], EPOLLOUT | EPOLLONESHOT, 0x20)));
    say("event: %s", events_of(set, patience_ms));
    close(fds[0]);
    say("exchange: %s", exchange(fds[1]));
    for (int i = 1; i < 4; i++)
        close(fds[i]);
    close(set);
    close(outer);
}

/* The set is the parent's; the child that inherited both connects. */
static void by_a_child(void) {
    int fd = tcp(SOCK_NONBLOCK | SOCK_CLOEXEC), set = epoll_create1(EPOLL_CLOEXEC);
    change(set, EPOLL_CTL_ADD, fd, EPOLLOUT | EPOLLET, 5);
    say("before: %s", events_of(set, 0));
    pid_t other = child();
    if (other == 0) {
        say("connect: %s", ok(to_server(fd, 0)));
        say("event: %s", events_of(set, patience_ms));
        say("exchange: %s", exchange(fd));
        exit(0);
    }

    ended_well(other);
    close(fd);
}

enum { closings = 20 };

/* What a set still says of a connection after its only descriptor is closed: in the kernel nothing, since it has left the set. */
static int is_told_of(int set, int fd) {
    struct epoll_event found;
    close(fd);
    return epoll_wait(set, &found, 1, 2) != 0;
}

static void serve_and_close(void) {
    int listener = listening(0), set = epoll_create1(EPOLL_CLOEXEC), late = 0;
    begin_to_wait(listener);
    ready();
    for (int i = 0; i < 1 + closings; i++) {
        int fd = accepted(listener);
        change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 1);
        char line[64];
        snprintf(line, sizeof line, "%s", read_line(fd));
        if (strcmp(line, "EOF")) {
            send_text(fd, strcat(line, "\n"));
            if (strcmp(read_line(fd), "EOF"))
                die("more than a line came");
        }

        late += is_told_of(set, fd);
    }

    say("events of closed connections: %d of %d", late, 1 + closings);
}

static void connect_and_close(void) {
    int set = epoll_create1(EPOLL_CLOEXEC), late = 0, good = 0;
    /* The first one is closed before anybody needs its client's router again. */
    int first = connected(0);
    change(set, EPOLL_CTL_ADD, first, EPOLLOUT, 1);
    late += is_told_of(set, first);
    for (int i = 0; i < closings; i++) {
        int fd = connected(0);
        change(set, EPOLL_CTL_ADD, fd, EPOLLOUT, 1);
        good += !strcmp(exchange(fd), "ok");
        late += is_told_of(set, fd);
    }

    say("answered: %d, events of closed connections: %d", good, late);
}

static const struct scene scenes[] = {
    {"before", one_port, before, NULL},
    {"after", one_port, after, NULL},
    {"by-another-thread", one_port, by_another_thread, NULL},
    {"odd-sets", one_port, odd_sets, NULL},
    {"by-a-child", one_port, by_a_child, NULL},
    {"closed", serve_and_close, connect_and_close, NULL},
    {NULL, NULL, NULL, NULL},
};

int main(int count, char **words) { return play(count, words, scenes); }
