/*
 * What Freeflow is compared with, where no common program gives it.
 *   baseline echo-serve PORT            a TCP echo server for one connection
 *   baseline echo ADDRESS PORT BYTES N  N round trips; prints the median and the 99.9th percentile, microseconds
 *   baseline memcpy BYTES               prints the rate of copying this many bytes over and over, MB/s (2^20)
 *   baseline respond-serve PORT         answers requests with as many bytes, one client after the other
 *   baseline respond ADDRESS PORT BYTES SECONDS
 *                                       requests one after the other; prints as echo does
 *   baseline visit-serve PORT           answers a byte with a byte and closes
 *   baseline visit ADDRESS PORT CLIENTS SECONDS
 *                                       connects, a byte each way, closes, over and over; prints connections a second
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

_Noreturn static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void all(ssize_t (*call)(int, void *, size_t), int peer, char *bytes, size_t count) {
    while (count > 0) {
        ssize_t done = call(peer, bytes, count);
        if (done <= 0)
            exit(done < 0);
        bytes += done;
        count -= (size_t)done;
    }
}

static ssize_t put(int peer, void *bytes, size_t count) {
    return send(peer, bytes, count, MSG_NOSIGNAL);
}

static ssize_t take(int peer, void *bytes, size_t count) {
    return recv(peer, bytes, count, 0);
}

/* As all(), for a client whose server must not end first. */
static void whole(ssize_t (*call)(int, void *, size_t), int peer, char *bytes, size_t count) {
    while (count > 0) {
        ssize_t done = call(peer, bytes, count);
        if (done < 0)
            fail("exchange");
        if (done == 0) {
            fprintf(stderr, "exchange: the server closed early\n");
            exit(1);
        }
        bytes += done;
        count -= (size_t)done;
    }
}

static void pause_for(double seconds) {
    struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&time, NULL);
}

static int compare(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void print_times(double *times, int count) {
    qsort(times, (size_t)count, sizeof *times, compare);
    printf("%.2f %.2f\n", times[count / 2], times[count - 1 - count / 1000]);
}

static int listen_on(int port, int flags, int backlog) {
    int listener = socket(AF_INET, SOCK_STREAM | flags, 0), on = 1;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&any, sizeof any) || listen(listener, backlog))
        fail("listen");
    return listener;
}

static struct sockaddr_in server_at(const char *address, int port) {
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, address, &server.sin_addr);
    return server;
}

static void echo_serve(int port) {
    int listener = listen_on(port, 0, 1), on = 1;
    static char bytes[1 << 20];
    int peer = accept(listener, NULL, NULL);
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (;;) {
        ssize_t got = take(peer, bytes, sizeof bytes);
        if (got <= 0)
            return;
        all(put, peer, bytes, (size_t)got);
    }
}

static void echo(const char *address, int port, size_t bytes, int count) {
    struct sockaddr_in server = server_at(address, port);
    int peer = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    char *data = calloc(1, bytes);
    double *times = calloc((size_t)count, sizeof *times);
    if (!data || !times || connect(peer, (struct sockaddr *)&server, sizeof server))
        fail("connect");
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (int i = -count / 10; i < count; i++) {
        double from = now();
        all(put, peer, data, bytes);
        all(take, peer, data, bytes);
        if (i >= 0)
            times[i] = 1e6 * (now() - from);
    }
    print_times(times, count);
}

/*
 * Client and server each keep to a core of their own, as they would on two machines. Left to the scheduler they share one
 * now and then, and a round trip that wakes nobody elsewhere takes a quarter of the time: a difference between two runs
 * that says nothing about the paths.
 */
static void stay_on(int core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core % (int)sysconf(_SC_NPROCESSORS_ONLN), &cores);
    sched_setaffinity(0, sizeof cores, &cores);
}

/* The size of the requests comes first, so that a request is whole before it is answered, as in real protocols. */
static void respond_serve(int port) {
    int listener = listen_on(port, 0, 16), on = 1;
    static char bytes[1 << 20];
    stay_on(0);
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        uint32_t size;
        if (peer < 0)
            fail("accept");
        setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (recv(peer, &size, sizeof size, MSG_WAITALL) == sizeof size && size <= sizeof bytes) {
            while (recv(peer, bytes, size, MSG_WAITALL) == (ssize_t)size) {
                if (put(peer, bytes, size) != (ssize_t)size) /* a blocking send is whole or has failed */
                    break;
            }
        }
        close(peer);
    }
}

static void respond(const char *address, int port, size_t bytes, double seconds) {
    enum { MOST = 1 << 20 };
    struct sockaddr_in server = server_at(address, port);
    int peer = socket(AF_INET, SOCK_STREAM, 0), on = 1, count = 0;
    uint32_t size = (uint32_t)bytes;
    char *data = calloc(1, bytes);
    double *times = calloc(MOST, sizeof *times);
    stay_on(1);
    if (!data || !times || connect(peer, (struct sockaddr *)&server, sizeof server))
        fail("connect");
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    whole(put, peer, (char *)&size, sizeof size);
    double counted = now() + 0.1 * seconds, over = counted + seconds;
    for (double from = now(), to; (from < over || count < 100) && count < MOST; from = to) {
        whole(put, peer, data, bytes);
        whole(take, peer, data, bytes);
        to = now();
        if (from >= counted)
            times[count++] = 1e6 * (to - from);
    }
    print_times(times, count);
}

/*
 * One thread, one epoll set, nothing that blocks: the event loop that nginx, redis and their like have. It closes first, as
 * a server does that has said all. So TIME_WAIT stays on its side, where a new connection from the same port may take the
 * place of the old one; on the client's side it would use up the ports within seconds.
 */
static void visit_serve(int port) {
    int listener = listen_on(port, SOCK_NONBLOCK, 511), set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[64];
    if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, listener, &event))
        fail("epoll");
    for (;;) {
        int count = epoll_wait(set, ready, 64, -1);
        for (int i = 0; i < count; i++) {
            int peer = ready[i].data.fd;
            char byte;
            if (peer == listener) {
                while ((peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    event.data.fd = peer;
                    if (epoll_ctl(set, EPOLL_CTL_ADD, peer, &event))
                        fail("epoll");
                }
                continue;
            }
            ssize_t got = take(peer, &byte, 1);
            if (got < 0 && errno == EAGAIN)
                continue;
            if (got == 1)
                put(peer, &byte, 1);
            close(peer);
        }
    }
}

enum { WARMING_UP, COUNTING, OVER };
static _Atomic int visits;

struct visitor {
    _Alignas(64) struct sockaddr_in server;
    pthread_t thread;
    long done;
};

static void *visit_loop(void *argument) {
    struct visitor *self = argument;
    while (visits != OVER) {
        int peer = socket(AF_INET, SOCK_STREAM, 0);
        char byte = 1;
        if (peer < 0 || connect(peer, (struct sockaddr *)&self->server, sizeof self->server))
            fail("connect");
        whole(put, peer, &byte, 1);
        whole(take, peer, &byte, 1);
        /* Nothing but the server's close is left to come. */
        if (take(peer, &byte, 1) != 0)
            fail("close");
        close(peer);
        self->done += visits == COUNTING;
    }
    return NULL;
}

/* The clients are threads of one program, each with one connection at a time, as an application server's workers are. */
static void visit(const char *address, int port, int clients, double seconds) {
    struct visitor *visitors = aligned_alloc(64, (size_t)clients * sizeof *visitors);
    long done = 0;
    for (int i = 0; i < clients; i++) {
        visitors[i] = (struct visitor){.server = server_at(address, port)};
        if ((errno = pthread_create(&visitors[i].thread, NULL, visit_loop, &visitors[i])))
            fail("pthread_create");
    }
    pause_for(0.3 * seconds);
    double from = now();
    visits = COUNTING;
    pause_for(seconds);
    visits = OVER;
    double spent = now() - from;
    for (int i = 0; i < clients; i++) {
        pthread_join(visitors[i].thread, NULL);
        done += visitors[i].done;
    }
    printf("%.0f\n", (double)done / spent);
}

static void copy(size_t bytes) {
    char *from = malloc(bytes), *to = malloc(bytes);
    if (!from || !to)
        fail("malloc");
    memset(from, 1, bytes);
    memset(to, 2, bytes);
    double start = now(), spent;
    size_t copied = 0;
    do {
        for (int i = 0; i < 64; i++) {
            memcpy(to, from, bytes);
            __asm__ volatile("" : : "r"(to) : "memory");
        }
        copied += 64 * bytes;
        spent = now() - start;
    } while (spent < 0.5);
    printf("%.0f\n", (double)copied / spent / (1 << 20));
}

int main(int count, char **words) {
    if (count == 3 && strcmp(words[1], "echo-serve") == 0)
        echo_serve(atoi(words[2]));
    else if (count == 6 && strcmp(words[1], "echo") == 0)
        echo(words[2], atoi(words[3]), strtoul(words[4], NULL, 0), atoi(words[5]));
    else if (count == 3 && strcmp(words[1], "memcpy") == 0)
        copy(strtoul(words[2], NULL, 0));
    else if (count == 3 && strcmp(words[1], "respond-serve") == 0)
        respond_serve(atoi(words[2]));
    else if (count == 6 && strcmp(words[1], "respond") == 0)
        respond(words[2], atoi(words[3]), strtoul(words[4], NULL, 0), atof(words[5]));
    else if (count == 3 && strcmp(words[1], "visit-serve") == 0)
        visit_serve(atoi(words[2]));
    else if (count == 6 && strcmp(words[1], "visit") == 0)
        visit(words[2], atoi(words[3]), atoi(words[4]), atof(words[5]));
    else
        return 2;
    return 0;
}
