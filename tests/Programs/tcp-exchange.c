/*
 * tcp-exchange serve PORT COUNT
 * tcp-exchange send ADDRESS PORT BYTES
 *
 * A client that sends BYTES of a pattern and ends its half of the connection, and a server that counts and sums them up
 * and answers with what it found. Both say who they believe to be and whom they speak with. Plain POSIX: it is built
 * with every C library that the preload has to serve.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { patience_seconds = 60, block = 65536, name_bytes = INET_ADDRSTRLEN + 8 };

static unsigned char buffer[block];

_Noreturn __attribute__((format(printf, 1, 2))) static void die(const char *format, ...) {
    va_list arguments;
    fputs("tcp-exchange: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* FNV-1a. */
static const uint64_t sum_start = 0xcbf29ce484222325u;

static uint64_t sum_up(const unsigned char *bytes, size_t count, uint64_t sum) {
    for (size_t at = 0; at < count; at++)
        sum = (sum ^ bytes[at]) * 0x100000001b3u;
    return sum;
}

static const char *name_of(const struct sockaddr_in *address, char name[name_bytes]) {
    char text[INET_ADDRSTRLEN];
    if (address->sin_family != AF_INET || !inet_ntop(AF_INET, &address->sin_addr, text, sizeof text))
        die("an address of family %d", address->sin_family);
    snprintf(name, name_bytes, "%s:%u", text, (unsigned)ntohs(address->sin_port));
    return name;
}

static int same(const struct sockaddr_in *one, const struct sockaddr_in *other) {
    return one->sin_family == other->sin_family && one->sin_port == other->sin_port &&
           one->sin_addr.s_addr == other->sin_addr.s_addr;
}

static void ends_of(int connection, struct sockaddr_in *local, struct sockaddr_in *peer) {
    socklen_t local_length = sizeof *local, peer_length = sizeof *peer;
    if (getsockname(connection, (struct sockaddr *)local, &local_length) || local_length != sizeof *local)
        die("getsockname: %s, %u bytes", strerror(errno), (unsigned)local_length);
    if (getpeername(connection, (struct sockaddr *)peer, &peer_length) || peer_length != sizeof *peer)
        die("getpeername: %s, %u bytes", strerror(errno), (unsigned)peer_length);
}

static void send_all(int connection, const void *from, size_t count) {
    const unsigned char *bytes = from;
    while (count > 0) {
        ssize_t sent = send(connection, bytes, count, 0);
        if (sent < 0 && errno != EINTR)
            die("send: %s", strerror(errno));
        if (sent > 0) {
            bytes += sent;
            count -= (size_t)sent;
        }
    }
}

static size_t receive_some(int connection, void *into, size_t count) {
    ssize_t received;
    do
        received = recv(connection, into, count, 0);
    while (received < 0 && errno == EINTR);
    if (received < 0)
        die("recv: %s", strerror(errno));
    return (size_t)received;
}

static int parse(const char *text, unsigned long long most, unsigned long long *value) {
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *value <= most;
}

static void serve_one(int listener, unsigned port) {
    struct sockaddr_in accepted, local, peer;
    socklen_t length = sizeof accepted;
    char names[2][name_bytes], answer[64];
    uint64_t bytes = 0, sum = sum_start;
    int connection = accept(listener, (struct sockaddr *)&accepted, &length);
    if (connection < 0)
        die("accept: %s", strerror(errno));
    ends_of(connection, &local, &peer);
    if (length != sizeof accepted || !same(&accepted, &peer))
        die("accept says %s, getpeername %s", name_of(&accepted, names[0]), name_of(&peer, names[1]));
    if (ntohs(local.sin_port) != port)
        die("getsockname says %s on a connection to port %u", name_of(&local, names[0]), port);
    for (size_t count; (count = receive_some(connection, buffer, sizeof buffer)) > 0; bytes += count)
        sum = sum_up(buffer, count, sum);
    snprintf(answer, sizeof answer, "%" PRIu64 " %016" PRIx64 "\n", bytes, sum);
    send_all(connection, answer, strlen(answer));
    if (close(connection))
        die("close: %s", strerror(errno));
    printf("peer %s local %s bytes %" PRIu64 " sum %016" PRIx64 "\n", name_of(&peer, names[0]), name_of(&local, names[1]),
           bytes, sum);
    fflush(stdout);
}

static void serve(unsigned port, unsigned long long count) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_ANY)}};
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on))
        die("socket: %s", strerror(errno));
    if (bind(listener, (struct sockaddr *)&any, sizeof any) || listen(listener, 16))
        die("port %u: %s", port, strerror(errno));
    while (count-- > 0) {
        alarm(patience_seconds);
        serve_one(listener, port);
    }
    close(listener);
}

static void send_pattern(const struct sockaddr_in *server, uint64_t bytes) {
    struct sockaddr_in local, peer;
    char names[2][name_bytes], answer[64], expected[64];
    uint64_t sum = sum_start, state = 1;
    size_t got = 0;
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    alarm(patience_seconds);
    if (connection < 0 || connect(connection, (const struct sockaddr *)server, sizeof *server))
        die("connect to %s: %s", name_of(server, names[0]), strerror(errno));
    ends_of(connection, &local, &peer);
    if (!same(&peer, server))
        die("connected to %s, getpeername says %s", name_of(server, names[0]), name_of(&peer, names[1]));
    printf("local %s peer %s\n", name_of(&local, names[0]), name_of(&peer, names[1]));
    fflush(stdout);
    for (uint64_t left = bytes; left > 0;) {
        size_t count = left < sizeof buffer ? (size_t)left : sizeof buffer;
        for (size_t at = 0; at < count; at++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            buffer[at] = (unsigned char)(state >> 56);
        }
        sum = sum_up(buffer, count, sum);
        send_all(connection, buffer, count);
        left -= count;
    }
    if (shutdown(connection, SHUT_WR))
        die("shutdown: %s", strerror(errno));
    for (size_t count; got < sizeof answer - 1 && (count = receive_some(connection, answer + got, sizeof answer - 1 - got)) > 0;)
        got += count;
    answer[got] = 0;
    snprintf(expected, sizeof expected, "%" PRIu64 " %016" PRIx64 "\n", bytes, sum);
    if (strcmp(answer, expected))
        die("sent %.*s, the server says \"%s\"", (int)strcspn(expected, "\n"), expected, answer);
    printf("bytes %" PRIu64 " sum %016" PRIx64 "\n", bytes, sum);
}

int main(int count, char **words) {
    struct sockaddr_in server = {.sin_family = AF_INET};
    unsigned long long port, amount;
    signal(SIGPIPE, SIG_IGN);
    if (count == 4 && !strcmp(words[1], "serve") && parse(words[2], 65535, &port) && parse(words[3], 1000000, &amount))
        serve((unsigned)port, amount);
    else if (count == 5 && !strcmp(words[1], "send") && inet_pton(AF_INET, words[2], &server.sin_addr) == 1 &&
             parse(words[3], 65535, &port) && parse(words[4], 1ull << 40, &amount)) {
        server.sin_port = htons((uint16_t)port);
        send_pattern(&server, amount);
    } else {
        fputs("usage: tcp-exchange serve PORT COUNT | send ADDRESS PORT BYTES\n", stderr);
        return 2;
    }
    return 0;
}
