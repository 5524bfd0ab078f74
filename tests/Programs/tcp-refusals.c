/* Connections that do not come about: refused, wrong arguments, nobody there, interrupted. */
#include "tcp-stage.h"

#include <fcntl.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>

static void one_port(void) { serve_ports(1); }

static const char *pending(int fd) {
    int error;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) ? failure(errno) : failure(error);
}

static void say_names(int fd) {
    struct sockaddr_in found;
    socklen_t size = sizeof found;
    say("getpeername: %s", ok(getpeername(fd, (struct sockaddr *)&found, &size)));
    size = sizeof found;
    if (getsockname(fd, (struct sockaddr *)&found, &size) == 0)
        say("own: %s", named(&found, size, 0));
}

/* A socket may be connected again; where SO_ERROR told of the failure, one connect() more has to be told, by ECONNABORTED. */
static void connect_elsewhere(int fd) {
    int result = to_server(fd, 0);
    say("connect elsewhere: %s", ok(result));
    if (result && errno == ECONNABORTED) {
        result = to_server(fd, 0);
        say("connect elsewhere again: %s", ok(result));
    }
}

static void then_connect(int fd) {
    connect_elsewhere(fd);
    say("writable: %s", bits((uint32_t)wait_for(fd, POLLOUT, patience_ms)));
    say("SO_ERROR: %s", pending(fd));
    say("exchange: %s", exchange(fd));
    close_with_reset(fd);
}

static void refused(void) {
    static const char *ways[] = {"blocking", "poll", "poll for all", "select", "connect again"};
    for (int way = 0; way < 5; way++) {
        int fd = tcp(way ? SOCK_NONBLOCK : 0);
        say("== %s", ways[way]);
        say("connect: %s", ok(to_server(fd, nowhere_index)));
        if (way == 1)
            say("poll: %s", bits((uint32_t)wait_for(fd, POLLOUT, patience_ms)));
        if (way == 2 || way == 4)
            say("poll: %s", bits((uint32_t)wait_for(fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, patience_ms)));
        if (way == 3) {
            fd_set readable, writable, special;
            struct timeval patience = {patience_ms / 1000, 0};
            FD_ZERO(&readable);
            FD_SET(fd, &readable);
            writable = special = readable;
            say("select: %d", select(fd + 1, &readable, &writable, &special, &patience));
            say("sets: %d %d %d", FD_ISSET(fd, &readable), FD_ISSET(fd, &writable), FD_ISSET(fd, &special));
        }

        if (way == 4)
            say("connect again: %s", ok(to_server(fd, nowhere_index)));
        say("SO_ERROR: %s", pending(fd));
        say("SO_ERROR again: %s", pending(fd));
        say("poll: %s", bits((uint32_t)wait_for(fd, POLLIN | POLLOUT | POLLRDHUP, 0)));
        say("send: %s", counted(send(fd, "x", 1, MSG_NOSIGNAL)));
        say_names(fd);
        then_connect(fd);
    }

    static const uint32_t flags[] = {0, EPOLLET, EPOLLONESHOT};
    for (int i = 0; i < 6; i++) {
        int fd = tcp(SOCK_NONBLOCK), set = epoll_create1(0);
        struct epoll_event one = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | flags[i % 3], .data.u64 = 77};
        say("== epoll %d, added %s", i % 3, i < 3 ? "before" : "after");
        if (i < 3) {
            epoll_ctl(set, EPOLL_CTL_ADD, fd, &one);
            say("connect: %s", ok(to_server(fd, nowhere_index)));
        } else {
            say("connect: %s", ok(to_server(fd, nowhere_index)));
            epoll_ctl(set, EPOLL_CTL_ADD, fd, &one);
        }

        int count = epoll_wait(set, &one, 1, patience_ms);
        say("event: %d %s of %d", count, bits(one.events), (int)one.data.u64);
        say("SO_ERROR: %s", pending(fd));
        one = (struct epoll_event){.events = EPOLLOUT | flags[i % 3], .data.u64 = 78};
        say("modified: %s", ok(epoll_ctl(set, EPOLL_CTL_MOD, fd, &one)));
        connect_elsewhere(fd);
        /* Whether the set tells of the closed socket before it is connected is a matter of timing. */
        wait_for(fd, POLLOUT, patience_ms);
        one = (struct epoll_event){.events = EPOLLOUT | flags[i % 3], .data.u64 = 79};
        epoll_ctl(set, EPOLL_CTL_MOD, fd, &one);
        count = epoll_wait(set, &one, 1, patience_ms);
        say("event: %d %s of %d", count, bits(one.events), (int)one.data.u64);
        say("exchange: %s", exchange(fd));
        close_with_reset(fd);
        close(set);
    }
}

static void arguments(void) {
    struct sockaddr_storage wide = {0};
    struct sockaddr_in server = at(server_address, first_port), other = server;
    struct sockaddr *to = (struct sockaddr *)&wide;
    int fd = tcp(0), unconnected = tcp(0), pair[2];
    *(struct sockaddr_in *)&wide = server;
    say("length 0: %s", ok(connect(fd, to, 0)));
    say("length 1: %s", ok(connect(fd, to, 1)));
    say("length 8: %s", ok(connect(fd, to, 8)));
    say("length 15: %s", ok(connect(fd, to, 15)));
    say("length 129: %s", ok(connect(fd, to, 129)));
    say("length -1: %s", ok(connect(fd, to, (socklen_t)-1)));
    say("no address: %s", ok(connect(fd, NULL, sizeof server)));
    say("a wild address: %s", ok(connect(fd, (struct sockaddr *)8, sizeof server)));
    other.sin_family = AF_UNIX;
    say("family AF_UNIX: %s", ok(connect(fd, (struct sockaddr *)&other, sizeof other)));
    other.sin_family = AF_INET6;
    say("family AF_INET6: %s", ok(connect(fd, (struct sockaddr *)&other, sizeof other)));
    other = server;
    other.sin_port = 0;
    say("port 0: %s", ok(connect(fd, (struct sockaddr *)&other, sizeof other)));
    say("descriptor -1: %s", ok(connect(-1, to, sizeof server)));
    say("descriptor 7777: %s", ok(connect(7777, to, sizeof server)));
    if (pipe(pair))
        die("pipe");
    say("a pipe: %s", ok(connect(pair[0], to, sizeof server)));
    int file = open("/dev/null", O_RDWR), path = open("/", O_PATH);
    say("a file: %s", ok(connect(file, to, sizeof server)));
    say("a path: %s", ok(connect(path, to, sizeof server)));
    int listener = listening(1);
    say("a listener: %s", ok(connect(listener, to, sizeof server)));
    say("getpeername of none: %s", ok(getpeername(unconnected, to, &(socklen_t){16})));
    say("shutdown of none: %s", ok(shutdown(unconnected, SHUT_RDWR)));
    say("accept without listen: %s", ok(accept(unconnected, NULL, NULL)));
    say("accept of a pipe: %s", ok(accept(pair[0], NULL, NULL)));
    say("accept of -1: %s", ok(accept(-1, NULL, NULL)));
    say("accept of a file: %s", ok(accept4(file, NULL, NULL, SOCK_CLOEXEC)));
    say("accept4 with odd flags: %s", ok(accept4(listener, NULL, NULL, 0x40)));
    int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    say("accept of datagrams: %s", ok(accept(datagrams, NULL, NULL)));
    say("listen on datagrams: %s", ok(listen(datagrams, 1)));
    say("listen on a pipe: %s", ok(listen(pair[0], 1)));
    *(struct sockaddr_in *)&wide = server;
    say("length 128: %s", ok(connect(fd, to, 128)));
    say("exchange: %s", exchange(fd));
    say("listen when connected: %s", ok(listen(fd, 1)));
    say("accept when connected: %s", ok(accept(fd, NULL, NULL)));
    say("still blocking: %s", fcntl(fd, F_GETFL) & O_NONBLOCK ? "no" : "yes");
    close(fd);
}

/* Addresses to which nothing is connected, within the prefix and without. */
static void nowhere(void) {
    struct in_addr subnet = client_address, multicast, everywhere = {INADDR_BROADCAST};
    subnet.s_addr |= htonl(0xff);
    inet_aton("224.0.0.1", &multicast);
    const struct in_addr targets[] = {subnet, everywhere, multicast, {htonl(INADDR_LOOPBACK)}, {INADDR_ANY}, client_address};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct sockaddr_in target = at(targets[i], first_port + nowhere_index);
        int fd = tcp(0);
        say("target %zu: %s", i, ok(connect(fd, (struct sockaddr *)&target, sizeof target)));
        close(fd);
        fd = tcp(SOCK_NONBLOCK);
        say("non-blocking: %s", ok(connect(fd, (struct sockaddr *)&target, sizeof target)));
        say("poll: %s", bits((uint32_t)wait_for(fd, POLLOUT, patience_ms)));
        say("SO_ERROR: %s", pending(fd));
        close(fd);
    }
}

/* An address of the client's subnet whose link-layer address is nobody's: what is sent there vanishes. */
static struct in_addr make_void(void) {
    struct in_addr address = {(client_address.s_addr & htonl(0xffffff00)) | htonl(250)};
    struct arpreq entry = {.arp_flags = ATF_PERM | ATF_COM, .arp_dev = "eth0"};
    *(struct sockaddr_in *)&entry.arp_pa = at(address, 0);
    entry.arp_ha.sa_family = ARPHRD_ETHER;
    memcpy(entry.arp_ha.sa_data, "\2\0\0\0\0\x99", 6);
    int any = socket(AF_INET, SOCK_DGRAM, 0);
    if (ioctl(any, SIOCSARP, &entry))
        die("SIOCSARP");
    close(any);
    return address;
}

static void timed_out(void) {
    struct sockaddr_in target = at(make_void(), first_port);
    struct timeval little = {0, 300000};
    int fd = tcp(0);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &little, sizeof little);
    say("within SO_SNDTIMEO: %s", ok(connect(fd, (struct sockaddr *)&target, sizeof target)));
    say("again: %s", ok(connect(fd, (struct sockaddr *)&target, sizeof target)));
    say_names(fd);
    close(fd);
    fd = tcp(SOCK_NONBLOCK);
    say("non-blocking: %s", ok(connect(fd, (struct sockaddr *)&target, sizeof target)));
    say("again: %s", ok(connect(fd, (struct sockaddr *)&target, sizeof target)));
    say("poll: %s", bits((uint32_t)wait_for(fd, POLLIN | POLLOUT, 200)));
    say("SO_ERROR: %s", pending(fd));
    say_names(fd);
    say("send: %s", counted(send(fd, "x", 1, MSG_NOSIGNAL)));
    say("to the server: %s", ok(to_server(fd, 0)));
    close(fd);
    fd = tcp(0);
    set_int(fd, IPPROTO_TCP, TCP_SYNCNT, 1);
    say("with TCP_SYNCNT: %s", ok(connect(fd, (struct sockaddr *)&target, sizeof target)));
    then_connect(fd);
    fd = tcp(SOCK_NONBLOCK);
    set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500);
    say("with TCP_USER_TIMEOUT: %s", ok(connect(fd, (struct sockaddr *)&target, sizeof target)));
    say("poll: %s", bits((uint32_t)wait_for(fd, POLLIN | POLLOUT, patience_ms)));
    say("SO_ERROR: %s", pending(fd));
    then_connect(fd);
}

static void unreachable(void) {
    const struct in_addr networks[] = {client_address, server_address};
    int fds[2];
    for (int i = 0; i < 2; i++) {
        struct sockaddr_in target = at((struct in_addr){(networks[i].s_addr & htonl(0xffffff00)) | htonl(240u + (unsigned)i)}, first_port);
        fds[i] = tcp(SOCK_NONBLOCK);
        say("connect: %s", ok(connect(fds[i], (struct sockaddr *)&target, sizeof target)));
    }

    for (int i = 0; i < 2; i++) {
        say("poll: %s", bits((uint32_t)wait_for(fds[i], POLLIN | POLLOUT, patience_ms)));
        say("SO_ERROR: %s", pending(fds[i]));
        close(fds[i]);
    }
}

static pthread_t main_thread;
static volatile sig_atomic_t signals;

static void count_signal(int signal) {
    (void)signal;
    signals++;
}

static void route_to_server(unsigned long what, struct in_addr gateway) {
    struct rtentry route = {.rt_flags = RTF_UP | RTF_HOST | RTF_GATEWAY};
    *(struct sockaddr_in *)&route.rt_dst = at(server_address, 0);
    *(struct sockaddr_in *)&route.rt_gateway = at(gateway, 0);
    *(struct sockaddr_in *)&route.rt_genmask = at((struct in_addr){INADDR_BROADCAST}, 0);
    int any = socket(AF_INET, SOCK_DGRAM, 0);
    if (ioctl(any, what, &route))
        die("route");
    close(any);
}

static int interrupted_socket;

/* The signal comes when the connection is under way, however long that takes to begin; the way is mended after it. */
static void *interrupting_thread(void *gateway) {
    struct tcp_info info = {0};
    for (int i = 0; i < patience_ms && info.tcpi_state != TCP_SYN_SENT; i++) {
        socklen_t size = sizeof info;
        getsockopt(interrupted_socket, IPPROTO_TCP, TCP_INFO, &info, &size);
        pause_ms(1);
    }

    pause_ms(100);
    pthread_kill(main_thread, SIGUSR1);
    pause_ms(200);
    route_to_server(SIOCDELRT, *(struct in_addr *)gateway);
    return NULL;
}

/* The way to the server loses everything at first. Its listeners have not waited yet: nobody knows of them. */
static void interrupted(void) {
    struct in_addr gateway = make_void();
    pthread_t interrupter;
    main_thread = pthread_self();
    for (int restarts = 0; restarts < 2; restarts++) {
        int fd = tcp(0), index = 70 + restarts;
        set_handler(SIGUSR1, count_signal, restarts ? SA_RESTART : 0);
        route_to_server(SIOCADDRT, gateway);
        interrupted_socket = fd;
        pthread_create(&interrupter, NULL, interrupting_thread, &gateway);
        say("connect%s: %s", restarts ? " with SA_RESTART" : "", ok(to_server(fd, index)));
        say("signals: %d", signals);
        say("connect again: %s", ok(to_server(fd, index)));
        pthread_join(interrupter, NULL);
        tell("connected");
        say("exchange: %s", exchange(fd));
        close_with_reset(fd);
    }
}

static void interrupted_server(void) {
    int listeners[2] = {listening(70), listening(71)};
    ready();
    for (int i = 0; i < 2; i++) {
        await("connected");
        answer(accepted(listeners[i]));
    }
}

static const struct scene scenes[] = {
    {"refused", one_port, refused, NULL},
    {"arguments", one_port, arguments, NULL},
    {"nowhere", NULL, nowhere, NULL},
    {"timed-out", one_port, timed_out, NULL},
    {"unreachable", NULL, unreachable, NULL},
    {"interrupted", interrupted_server, interrupted, NULL},
    {NULL, NULL, NULL, NULL},
};

int main(int count, char **words) { return play(count, words, scenes); }
