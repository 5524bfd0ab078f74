/* What is done with a connection once it is there: half closing, urgent data, resets, ways to read, limits. */
#include "tcp-stage.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int listener;

static void begin(void) {
    listener = listening(0);
    begin_to_wait(listener);
    ready();
}

/* Waits until all of `wanted` is there: some comes in several steps. */
static const char *until(int fd, short wanted, short asked) {
    short found = 0;
    for (int i = 0; i < patience_ms; i++) {
        found = wait_for(fd, asked, 0);
        if ((found & wanted) == wanted)
            break;
        pause_ms(1);
    }

    return bits((uint32_t)found);
}

static const char *pending(int fd) {
    int error;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) ? failure(errno) : failure(error);
}

static int state(int fd) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) ? -errno : info.tcpi_state;
}

enum { everything = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };

static void closing_server(void) {
    begin();
    int fd = accepted(listener);
    say("state: %d", state(fd));
    tell("go");
    say("line: %s", read_line(fd));
    say("poll: %s", until(fd, POLLRDHUP, everything));
    say("state: %d", state(fd));
    say("end: %s", read_line(fd));
    send_text(fd, "after the end\n");
    say("shutdown: %s", ok(shutdown(fd, SHUT_WR)));
    say("send: %s", counted(send(fd, "x", 1, MSG_NOSIGNAL)));
    tell("over");
    say("poll: %s", until(fd, POLLHUP, everything));
    close(fd);

    /* Shut for reading: what comes is lost on nobody but the reader. */
    fd = accepted(listener);
    say("shutdown: %s", ok(shutdown(fd, SHUT_RD)));
    say("read: %s", read_line(fd));
    say("poll: %s", bits((uint32_t)wait_for(fd, everything, 0)));
    send_text(fd, "still there\n");
    say("shutdown of both: %s", ok(shutdown(fd, SHUT_RDWR)));
    say("poll: %s", until(fd, POLLHUP, everything));
    await("over");
    close(fd);
}

static void closing_client(void) {
    int fd = connected(0);
    say("state: %d", state(fd));
    await("go");
    send_text(fd, "a line\n");
    say("shutdown: %s", ok(shutdown(fd, SHUT_WR)));
    say("send: %s", counted(send(fd, "x", 1, MSG_NOSIGNAL)));
    say("line: %s", read_line(fd));
    say("end: %s", read_line(fd));
    await("over");
    say("poll: %s", until(fd, POLLHUP, everything));
    close(fd);
    fd = connected(0);
    say("line: %s", read_line(fd));
    say("end: %s", read_line(fd));
    say("poll: %s", bits((uint32_t)wait_for(fd, everything, 0)));
    tell("over");
    close(fd);
}

static volatile sig_atomic_t urgencies, pipes;

static void count_urgency(int signal) {
    (void)signal;
    urgencies++;
}

static void count_pipe(int signal) {
    (void)signal;
    pipes++;
}

static void urgent_server(void) {
    char room[16] = "";
    int mark = -1;
    begin();
    set_handler(SIGURG, count_urgency, SA_RESTART);
    for (int in_line = 0; in_line < 2; in_line++) {
        int fd = accepted(listener);
        fcntl(fd, F_SETOWN, getpid());
        if (in_line)
            set_int(fd, SOL_SOCKET, SO_OOBINLINE, 1);
        tell("urgent");
        say("poll: %s", until(fd, POLLPRI, POLLPRI));
        await("sent");
        pause_ms(20);
        say("signals: %d", urgencies);
        say("at mark: %d", sockatmark(fd));
        memset(room, 0, sizeof room);
        say("recv: %s", counted(recv(fd, room, sizeof room, 0)));
        say("bytes: %s", room);
        say("SIOCATMARK: %s", ok(ioctl(fd, SIOCATMARK, &mark)));
        say("mark: %d", mark);
        memset(room, 0, sizeof room);
        say("out of band: %s", counted(recv(fd, room, 1, MSG_OOB)));
        say("again: %s", counted(recv(fd, room + 1, 1, MSG_OOB)));
        say("byte: %s", room);
        memset(room, 0, sizeof room);
        for (size_t used = 0; used < (in_line ? 4u : 3u);) {
            wait_for(fd, POLLIN, patience_ms);
            used += (size_t)recv(fd, room + used, sizeof room - used, 0);
        }

        say("bytes: %s", room);
        tell("read");
        close(fd);
    }
}

static void urgent_client(void) {
    for (int i = 0; i < 2; i++) {
        int fd = connected(0);
        await("urgent");
        send_text(fd, "ab");
        say("send: %s", counted(send(fd, "!", 1, MSG_OOB)));
        send_text(fd, "cde");
        tell("sent");
        await("read");
        close(fd);
    }
}

/* 0: reset by the client; 1: by the server; 2: closed with bytes unread; 3: closed, and written to */
static void resets_server(void) {
    begin();
    set_handler(SIGPIPE, count_pipe, SA_RESTART);
    for (int i = 0; i < 4; i++) {
        int fd = accepted(listener);
        say("== %d", i);
        if (i == 0) {
            tell("go");
            say("poll: %s", until(fd, POLLERR, everything));
            say("read: %s", read_line(fd));
            say("SO_ERROR: %s", pending(fd));
            say("read: %s", read_line(fd));
            say("write: %s", counted(write(fd, "x", 1)));
            say("send: %s", counted(send(fd, "x", 1, MSG_NOSIGNAL)));
            say("signals: %d", pipes);
            say("poll: %s", until(fd, POLLHUP, everything));
            close(fd);
        } else if (i == 1) {
            close_with_reset(fd);
            tell("go");
        } else {
            if (i == 2)
                wait_for(fd, POLLIN, patience_ms);
            else
                say("read: %s", read_line(fd));
            close(fd);
            tell("go");
        }

        await("seen");
    }
}

static void resets_client(void) {
    set_handler(SIGPIPE, count_pipe, SA_RESTART);
    for (int i = 0; i < 4; i++) {
        int fd = connected(0);
        say("== %d", i);
        if (i > 1)
            send_text(fd, "a line\n");
        await("go");
        if (i == 0)
            close_with_reset(fd);
        if (i == 1 || i == 2) {
            say("poll: %s", until(fd, POLLERR, everything));
            say("SO_ERROR: %s", pending(fd));
            say("read: %s", read_line(fd));
        }

        if (i == 3) {
            say("poll: %s", until(fd, POLLRDHUP, everything));
            say("write: %s", counted(write(fd, "x", 1)));
            say("poll: %s", until(fd, POLLERR, everything));
            say("write: %s", counted(write(fd, "y", 1)));
            say("signals: %d", pipes);
            struct iovec part = {(char *)"z", 1};
            say("writev: %s", counted(writev(fd, &part, 1)));
            say("signals: %d", pipes);
            say("read: %s", read_line(fd));
        }

        if (i)
            close(fd);
        tell("seen");
    }
}

static void reading_server(void) {
    char room[64] = "";
    int count = -1;
    begin();
    int fd = accepted(listener);
    set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 10);
    tell("go");
    await("five");
    say("below the mark: %s", bits((uint32_t)wait_for(fd, POLLIN, 150)));
    tell("more");
    say("above it: %s", bits((uint32_t)wait_for(fd, POLLIN, patience_ms)));
    set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 1);
    say("FIONREAD: %s", ok(ioctl(fd, FIONREAD, &count)));
    say("bytes: %d", count);
    say("peek: %s", counted(recv(fd, room, 4, MSG_PEEK)));
    say("peeked: %.4s", room);
    say("peek of all: %s", counted(recv(fd, room, sizeof room, MSG_PEEK | MSG_DONTWAIT)));
    say("truncated: %s", counted(recv(fd, NULL, 2, MSG_TRUNC)));
    struct iovec parts[2] = {{room, 3}, {room + 32, 5}};
    say("readv: %s", counted(readv(fd, parts, 2)));
    say("parts: %.3s %.5s", room, room + 32);
    tell("more");
    memset(room, 0, sizeof room);
    say("all of it: %s", counted(recv(fd, room, 20, MSG_WAITALL)));
    say("bytes: %s", room);
    say("nothing: %s", counted(recv(fd, room, 1, MSG_DONTWAIT)));
    struct timeval little = {0, 100000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &little, sizeof little);
    say("nothing within SO_RCVTIMEO: %s", counted(recv(fd, room, 1, 0)));
    tell("more");
    say("poll: %s", bits((uint32_t)wait_for(fd, POLLIN, patience_ms)));
    memset(room, 0, sizeof room);
    struct mmsghdr messages[3] = {0};
    struct iovec each[3];
    for (int i = 0; i < 3; i++) {
        each[i] = (struct iovec){room + 8 * i, 4};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &each[i], .msg_iovlen = 1};
    }

    await("sent");
    for (int i = 0; i < patience_ms && (ioctl(fd, FIONREAD, &count), count < 12); i++)
        pause_ms(1);
    say("recvmmsg: %s", counted(recvmmsg(fd, messages, 3, 0, NULL)));
    for (int i = 0; i < 3; i++)
        say("message: %u %s", messages[i].msg_len, room + 8 * i);
    tell("over");
    say("end: %s", read_line(fd));
    close(fd);
}

static void reading_client(void) {
    int fd = connected(0), left = 1;
    await("go");
    send_text(fd, "01234");
    tell("five");
    await("more");
    send_text(fd, "56789");
    await("more");
    send_text(fd, "abcdefghij");
    pause_ms(50);
    send_text(fd, "klmnopqrst");
    await("more");
    struct mmsghdr messages[3] = {0};
    struct iovec each[3] = {{(char *)"one.", 4}, {(char *)"two.", 4}, {(char *)"thr.", 4}};
    for (int i = 0; i < 3; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &each[i], .msg_iovlen = 1};
    say("sendmmsg: %s", counted(sendmmsg(fd, messages, 3, 0)));
    tell("sent");
    await("over");
    for (int i = 0; i < patience_ms && (ioctl(fd, SIOCOUTQ, &left), left > 0); i++)
        pause_ms(1);
    say("unsent: %d", left);
    close(fd);
}

/* A peer that does not read: what does not fit is refused, or waits. */
static void full_server(void) {
    static char room[65536];
    begin();
    int fd = accepted(listener);
    await("full");
    long bytes = 0;
    for (ssize_t count; (count = recv(fd, room, sizeof room, 0)) > 0;)
        bytes += count;
    tell_number((int)bytes);
    close(fd);
}

static void full_client(void) {
    static char room[65536];
    int fd = connected(0);
    long bytes = 0;
    ssize_t count;
    set_blocking(fd, 0);
    set_int(fd, SOL_SOCKET, SO_SNDBUF, 100000);
    /* Full is what stays full for a while; buffers grow at first. */
    do
        while ((count = send(fd, room, sizeof room, 0)) > 0)
            bytes += count;
    while (wait_for(fd, POLLOUT, 300));
    say("send: %s", counted(count));
    set_blocking(fd, 1);
    struct timeval little = {0, 200000};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &little, sizeof little);
    /* A little of it may fit where less is free than what poll() speaks of. */
    while ((count = send(fd, room, sizeof room, 0)) > 0)
        bytes += count;
    say("send within SO_SNDTIMEO: %s", counted(count));
    tell("full");
    say("poll: %s", bits((uint32_t)wait_for(fd, POLLOUT, patience_ms)));
    shutdown(fd, SHUT_WR);
    say("all came: %s", await_number() == (int)bytes ? "yes" : "no");
    close(fd);
}

/* As inetd does it: the connection is a program's standard input and output. */
static void as_stdio_server(void) {
    begin();
    int fd = accepted(listener);
    pid_t other = child();
    if (other == 0) {
        dup2(fd, STDIN_FILENO);
        dup2(fd, STDOUT_FILENO);
        close(fd);
        execlp("cat", "cat", NULL);
        _exit(1);
    }

    close(fd);
    ended_well(other);
    fd = accepted(listener);
    FILE *stream = fdopen(fd, "r+");
    char line[64];
    if (!fgets(line, sizeof line, stream))
        die("fgets");
    say("read: %.8s", line);
    fprintf(stream, "printed %d\n", 7);
    fclose(stream);
}

static void as_stdio_client(void) {
    int fd = connected(0);
    say("exchange: %s", exchange(fd));
    say("exchange: %s", exchange(fd));
    shutdown(fd, SHUT_WR);
    say("end: %s", read_line(fd));
    close(fd);
    fd = connected(0);
    send_text(fd, "a stream\n");
    say("line: %s", read_line(fd));
    say("end: %s", read_line(fd));
    close(fd);
}

static const struct scene scenes[] = {
    {"closing", closing_server, closing_client, NULL},
    {"urgent", urgent_server, urgent_client, NULL},
    {"resets", resets_server, resets_client, NULL},
    {"reading", reading_server, reading_client, NULL},
    {"full", full_server, full_client, NULL},
    {"as-stdio", as_stdio_server, as_stdio_client, NULL},
    {NULL, NULL, NULL, NULL},
};

int main(int count, char **words) { return play(count, words, scenes); }
