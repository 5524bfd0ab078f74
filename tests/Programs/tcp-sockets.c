/* Sockets and lines, as tcp-stage.h has them. */
#include "tcp-stage.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct sockaddr_in at(struct in_addr address, int port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = address};
}

struct sockaddr_in6 at_mapped(struct in_addr address, int port) {
    struct sockaddr_in6 made = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    made.sin6_addr.s6_addr[10] = made.sin6_addr.s6_addr[11] = 0xff;
    memcpy(made.sin6_addr.s6_addr + 12, &address, 4);
    return made;
}

int tcp(int type_flags) {
    int fd = socket(AF_INET, SOCK_STREAM | type_flags, 0);
    if (fd < 0)
        die("socket");
    return fd;
}

int to_server(int fd, int index) {
    struct sockaddr_in address = at(server_address, first_port + index);
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

int connected(int index) {
    int fd = tcp(SOCK_CLOEXEC);
    if (to_server(fd, index))
        die("connect to %d", first_port + index);
    return fd;
}

int listening_at(struct in_addr address, int index) {
    int fd = tcp(SOCK_CLOEXEC);
    struct sockaddr_in own = at(address, first_port + index);
    set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) || listen(fd, 4096))
        die("listen on %d", first_port + index);
    return fd;
}

int listening(int index) { return listening_at((struct in_addr){INADDR_ANY}, index); }

int accepted(int listener) {
    for (;;) {
        if (!(wait_for(listener, POLLIN, patience_ms) & POLLIN))
            die("no connection came");
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            return fd;
        if (errno != EAGAIN && errno != EINTR)
            die("accept");
    }
}

void begin_to_wait(int listener) {
    if (wait_for(listener, POLLIN, 0))
        die("a connection comes before its time");
}

short wait_for(int fd, short events, int milliseconds) {
    struct pollfd one = {.fd = fd, .events = events};
    int count = poll(&one, 1, milliseconds);
    if (count < 0 && errno != EINTR)
        die("poll");
    return count > 0 ? one.revents : 0;
}

int port_of(int fd) {
    struct sockaddr_in6 own;
    socklen_t size = sizeof own;
    if (getsockname(fd, (struct sockaddr *)&own, &size))
        die("getsockname");
    return ntohs(own.sin6_port);
}

void set_int(int fd, int level, int option, int value) {
    if (setsockopt(fd, level, option, &value, sizeof value))
        die("setsockopt %d %d", level, option);
}

void set_blocking(int fd, int blocking) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK))
        die("fcntl");
}

void close_with_reset(int fd) {
    struct linger at_once = {.l_onoff = 1};
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) || close(fd))
        die("close with reset");
}

void set_handler(int signal, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    if (sigaction(signal, &action, NULL))
        die("sigaction");
}

void send_text(int fd, const char *text) {
    for (size_t left = strlen(text); left;) {
        ssize_t count = send(fd, text, left, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN && wait_for(fd, POLLOUT, patience_ms))
            continue;
        if (count < 0)
            die("send");
        text += count;
        left -= (size_t)count;
    }
}

const char *read_line(int fd) {
    static _Thread_local char text[4][256];
    static _Thread_local unsigned next;
    char *line = text[next++ % 4];
    for (size_t used = 0; used < sizeof text[0] - 1;) {
        short found = wait_for(fd, POLLIN, patience_ms);
        if (!found)
            return "nothing";
        ssize_t count = recv(fd, line + used, 1, 0);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (count <= 0)
            return count == 0 ? "EOF" : failure(errno);
        if (line[used] == '\n') {
            line[used] = 0;
            return line;
        }

        used++;
    }

    return "a line without an end";
}

const char *exchange(int fd) {
    send_text(fd, "ping\n");
    const char *back = read_line(fd);
    return strcmp(back, "ping") ? back : "ok";
}

void answer(int fd) {
    char line[260];
    snprintf(line, sizeof line, "%s\n", read_line(fd));
    send_text(fd, line);
    close(fd);
}

/* The server closes first, so that what lingers of a connection takes none of the client's ports. */
static const char last_line[] = "#last\n";

static int last_was_answered(int fd) {
    int good = !strcmp(read_line(fd), "#last") && !strcmp(read_line(fd), "EOF");
    close(fd);
    return good;
}

int answered(int index, int count) {
    int *callers = calloc((size_t)count, sizeof *callers), good = 0;
    for (int i = 0; i < count; i++) {
        callers[i] = tcp(SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (to_server(callers[i], index) && errno != EINPROGRESS)
            die("connect");
    }

    for (int i = 0; i < count; i++) {
        int error = 0;
        socklen_t size = sizeof error;
        if (!(wait_for(callers[i], POLLOUT, patience_ms) & POLLOUT))
            die("connection %d of %d is not made", i, count);
        if (getsockopt(callers[i], SOL_SOCKET, SO_ERROR, &error, &size) || error)
            die("connection %d of %d: %s", i, count, failure(error));
    }

    /* Whoever accepts may take them in any order. */
    for (int i = 0; i < count; i++)
        send_text(callers[i], last_line);
    for (int i = 0; i < count; i++)
        good += last_was_answered(callers[i]);
    free(callers);
    return good;
}

int answered_in_turn(int index, int count) {
    int good = 0;
    for (int i = 0; i < count; i++) {
        int fd = connected(index);
        send_text(fd, last_line);
        good += last_was_answered(fd);
    }

    return good;
}

void pass_descriptor(int through, int fd) {
    char room[CMSG_SPACE(sizeof fd)] = {0}, byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (sendmsg(through, &message, 0) != 1)
        die("sendmsg");
}

int passed_descriptor(int through) {
    int fd;
    char room[CMSG_SPACE(sizeof fd)], byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    ssize_t count = recvmsg(through, &message, 0);
    if (count < 0)
        die("recvmsg");
    struct cmsghdr *header = count ? CMSG_FIRSTHDR(&message) : NULL;
    if (!header || header->cmsg_type != SCM_RIGHTS)
        return -1;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}
