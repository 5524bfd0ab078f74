/* Much data, by every way that the kernel has for it, and many connections at a time; all of it is compared by checksum. */
#include "tcp-stage.h"

#include <fcntl.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { block_bytes = 256 << 10, bulk_bytes = 64 << 20, file_bytes = 3 << 20 };

/* Of eight bytes at a time, so that it costs little beside the transfer. */
struct sum {
    uint64_t value, bytes;
    unsigned char rest[8];
};

static void add_to(struct sum *sum, const unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count;) {
        size_t used = sum->bytes % 8;
        if (used == 0 && count - i >= 8) {
            uint64_t word;
            memcpy(&word, bytes + i, 8);
            sum->value = (sum->value ^ word) * 0x9e3779b97f4a7c15u + (sum->value >> 29);
            i += 8;
            sum->bytes += 8;
            continue;
        }

        sum->rest[used] = bytes[i++];
        sum->bytes++;
        if (used == 7) {
            uint64_t word;
            memcpy(&word, sum->rest, 8);
            sum->value = (sum->value ^ word) * 0x9e3779b97f4a7c15u + (sum->value >> 29);
        }
    }
}

static void fill(unsigned char *bytes, size_t count, uint64_t *seed) {
    for (size_t i = 0; i < count; i += 8) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        memcpy(bytes + i, seed, 8);
    }
}

static void say_sum(const char *what, const struct sum *sum) {
    say("%s: %llu bytes, %016llx", what, (unsigned long long)sum->bytes, (unsigned long long)sum->value);
}

static struct sum received;

static void receive_all(int fd) {
    unsigned char *room = malloc(block_bytes);
    memset(&received, 0, sizeof received);
    for (ssize_t count; (count = recv(fd, room, block_bytes, 0)) != 0;) {
        if (count < 0)
            die("recv");
        add_to(&received, room, (size_t)count);
    }

    free(room);
}

struct outgoing {
    int fd;
    uint64_t seed;
    struct sum sum;
};

static void *send_bulk(void *argument) {
    struct outgoing *out = argument;
    unsigned char *room = malloc(block_bytes);
    for (size_t sent = 0; sent < bulk_bytes; sent += block_bytes) {
        fill(room, block_bytes, &out->seed);
        add_to(&out->sum, room, block_bytes);
        for (size_t at = 0; at < block_bytes;) {
            ssize_t count = send(out->fd, room + at, block_bytes - at, 0);
            if (count < 0)
                die("send");
            at += (size_t)count;
        }
    }

    shutdown(out->fd, SHUT_WR);
    free(room);
    return NULL;
}

static void both_ways(int fd, uint64_t seed) {
    struct outgoing out = {.fd = fd, .seed = seed};
    pthread_t sender;
    if (pthread_create(&sender, NULL, send_bulk, &out))
        die("pthread_create");
    receive_all(fd);
    pthread_join(sender, NULL);
    say_sum("sent", &out.sum);
    say_sum("received", &received);
    close(fd);
}

static int begin(void) {
    int listener = listening(0);
    begin_to_wait(listener);
    ready();
    return listener;
}

static void both_ways_server(void) { both_ways(accepted(begin()), 17); }
static void both_ways_client(void) { both_ways(connected(0), 18); }

static int make_file(struct sum *sum) {
    unsigned char *room = malloc(file_bytes);
    uint64_t seed = 5;
    int file = memfd_create("tcp-bulk", 0);
    fill(room, file_bytes, &seed);
    memset(sum, 0, sizeof *sum);
    add_to(sum, room, file_bytes);
    if (write(file, room, file_bytes) != file_bytes)
        die("write");
    free(room);
    return file;
}

/* The server receives, then sends back what it received by splice() from socket to pipe to socket. */
static void kernel_copies_server(void) {
    int listener = begin(), pipes[2];
    for (int i = 0; i < 2; i++) {
        int fd = accepted(listener);
        receive_all(fd);
        say_sum(i ? "by zero copy" : "by sendfile", &received);
        close(fd);
    }

    int fd = accepted(listener);
    long bytes = 0;
    if (pipe(pipes))
        die("pipe");
    for (ssize_t count; (count = splice(fd, NULL, pipes[1], NULL, 65536, SPLICE_F_MOVE)) != 0;) {
        if (count < 0)
            die("splice in");
        for (ssize_t moved; count > 0; count -= moved, bytes += moved)
            if ((moved = splice(pipes[0], NULL, fd, NULL, (size_t)count, SPLICE_F_MOVE | SPLICE_F_MORE)) <= 0)
                die("splice out");
    }

    say("spliced: %ld", bytes);
    close(fd);
}

static void *send_file_by_pipe(void *argument) {
    struct outgoing *out = argument;
    int file = make_file(&out->sum), pipes[2];
    if (pipe(pipes))
        die("pipe");
    loff_t at = 0;
    for (ssize_t count; (count = splice(file, &at, pipes[1], NULL, 65536, 0)) > 0;)
        for (ssize_t moved; count > 0; count -= moved)
            if ((moved = splice(pipes[0], NULL, out->fd, NULL, (size_t)count, 0)) <= 0)
                die("splice");
    shutdown(out->fd, SHUT_WR);
    close(file);
    return NULL;
}

/* Reads completions until `count` sends are told of; they may come together. */
static int zero_copies_told(int fd, unsigned count) {
    unsigned told = 0;
    while (told < count && (wait_for(fd, POLLERR, patience_ms) & POLLERR)) {
        char room[256];
        struct msghdr message = {.msg_control = room, .msg_controllen = sizeof room};
        if (recvmsg(fd, &message, MSG_ERRQUEUE) < 0) {
            if (errno == EAGAIN)
                continue;
            die("error queue");
        }

        for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
            struct sock_extended_err *error = (struct sock_extended_err *)CMSG_DATA(header);
            if (header->cmsg_level == SOL_IP && header->cmsg_type == IP_RECVERR && error->ee_origin == SO_EE_ORIGIN_ZEROCOPY)
                told += error->ee_data - error->ee_info + 1;
        }
    }

    return (int)told;
}

static void kernel_copies_client(void) {
    struct sum sum;
    int file = make_file(&sum), fd = connected(0);
    off_t at = 0;
    while (at < file_bytes)
        if (sendfile(fd, file, &at, (size_t)(file_bytes - at)) <= 0)
            die("sendfile");
    say_sum("by sendfile", &sum);
    close(fd);

    unsigned char *mapped = mmap(NULL, file_bytes, PROT_READ, MAP_SHARED, file, 0);
    unsigned sends = 0;
    fd = tcp(0);
    set_int(fd, SOL_SOCKET, SO_ZEROCOPY, 1);
    if (to_server(fd, 0))
        die("connect");
    for (size_t sent = 0; sent < file_bytes; sends++) {
        size_t left = file_bytes - sent;
        ssize_t count = send(fd, mapped + sent, left < 65536 ? left : 65536, MSG_ZEROCOPY);
        if (count < 0)
            die("send");
        sent += (size_t)count;
    }

    say("all sends are told of: %s", zero_copies_told(fd, sends) == (int)sends ? "yes" : "no");
    close(fd);

    struct outgoing out = {.fd = connected(0)};
    pthread_t sender;
    pthread_create(&sender, NULL, send_file_by_pipe, &out);
    receive_all(out.fd);
    pthread_join(sender, NULL);
    say_sum("spliced", &out.sum);
    say_sum("back", &received);
    close(out.fd);
}

enum { many = 2000 };

static void at_once_server(void) { serve_ports(1); }

static void at_once_client(void) {
    int *fds = calloc(many, sizeof *fds), good = 0;
    for (int i = 0; i < many; i++)
        fds[i] = connected(0);
    say("connected: %d", many);
    for (int i = 0; i < many; i++)
        send_text(fds[i], "ping\n");
    for (int i = 0; i < many; i++)
        good += !strcmp(read_line(fds[i]), "ping");
    say("answered: %d", good);
    good = 0;
    for (int i = 0; i < many; i++)
        send_text(fds[i], "#close\n");
    for (int i = 0; i < many; i++) {
        good += !strcmp(read_line(fds[i]), "#close") && !strcmp(read_line(fds[i]), "EOF");
        close(fds[i]);
    }

    say("ended: %d", good);
    say("then: %d", answered_in_turn(0, 1));
}

static const struct scene scenes[] = {
    {"both-ways", both_ways_server, both_ways_client, NULL},
    {"kernel-copies", kernel_copies_server, kernel_copies_client, NULL},
    {"at-once", at_once_server, at_once_client, NULL},
    {NULL, NULL, NULL, NULL},
};

int main(int count, char **words) { return play(count, words, scenes); }
