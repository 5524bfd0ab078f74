/*
 * arrival serve PORT             answers each byte with one; prints first when it began, in microseconds of CLOCK_MONOTONIC
 * arrival ask ADDRESS PORT       connects over and over until a connection is accelerated and has brought an answer
 *
 * `ask` prints, in microseconds of CLOCK_MONOTONIC, when the first answer came at all, and when the first by an accelerated connection
 * did. Such a one is known by its filter, which can't be taken off (SO_LOCK_FILTER).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { bound_seconds = 30, between_microseconds = 1000 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return 1e6 * (double)time.tv_sec + 1e-3 * (double)time.tv_nsec;
}

static int serve(int port) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&any, sizeof any) || listen(listener, 16)) {
        perror("arrival");
        return 1;
    }
    for (;;) {
        char byte;
        int peer = accept(listener, NULL, NULL);
        if (peer >= 0 && recv(peer, &byte, 1, 0) == 1)
            send(peer, &byte, 1, MSG_NOSIGNAL);
        close(peer);
    }
}

/* 0: no answer; 1: one; 2: one by an accelerated connection. */
static int visit(const struct sockaddr_in *server) {
    struct timeval bound = {.tv_usec = 200000};
    int found = 0, locked = 0, peer = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t length = sizeof locked;
    char byte = 0;
    setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    if (connect(peer, (const struct sockaddr *)server, sizeof *server) == 0 && send(peer, &byte, 1, MSG_NOSIGNAL) == 1 && recv(peer, &byte, 1, 0) == 1)
        found = 1 + (getsockopt(peer, SOL_SOCKET, SO_LOCK_FILTER, &locked, &length) == 0 && locked);
    close(peer);
    return found;
}

int main(int count, char **words) {
    double begun = now();
    if (count == 3 && strcmp(words[1], "serve") == 0) {
        printf("%f\n", begun);
        fflush(stdout);
        return serve(atoi(words[2]));
    }
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(count == 4 ? atoi(words[3]) : 0))};
    if (count != 4 || strcmp(words[1], "ask") != 0 || inet_pton(AF_INET, words[2], &server.sin_addr) != 1) {
        fprintf(stderr, "usage: arrival serve PORT | arrival ask ADDRESS PORT\n");
        return 2;
    }
    for (double first = 0; now() - begun < 1e6 * bound_seconds; usleep(between_microseconds)) {
        int found = visit(&server);
        if (found && first == 0)
            first = now();
        if (found == 2) {
            printf("%f %f\n", first, now());
            return 0;
        }
    }
    fprintf(stderr, "no accelerated connection within %d s\n", bound_seconds);
    return 1;
}
