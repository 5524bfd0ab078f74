/*
 * What Freeflow is compared with, where no common program gives it.
 *   baseline echo-serve PORT            a TCP echo server for one connection
 *   baseline echo ADDRESS PORT BYTES N  N round trips; prints the median and the 99.9th percentile, microseconds
 *   baseline memcpy BYTES               prints the rate of copying this many bytes over and over, MB/s (2^20)
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int compare(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void echo_serve(int port) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    static char bytes[1 << 20];
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&any, sizeof any) || listen(listener, 1))
        fail("listen");
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
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int peer = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    char *data = calloc(1, bytes);
    double *times = calloc((size_t)count, sizeof *times);
    inet_pton(AF_INET, address, &server.sin_addr);
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
    qsort(times, (size_t)count, sizeof *times, compare);
    printf("%.2f %.2f\n", times[count / 2], times[count - 1 - count / 1000]);
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
    else
        return 2;
    return 0;
}
