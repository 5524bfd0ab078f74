/* Ways to connect: blocking, non-blocking, many at once, bound, IPv6 sockets, sockets used again. The server answers. */
#include "tcp-stage.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void one_port(void) { serve_ports(1); }
static void three_ports(void) { serve_ports(3); }

static const char *pending(int fd) {
    int error;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) ? failure(errno) : failure(error);
}

static void say_peer(int fd) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &size))
        say("peer: %s", failure(errno));
    else
        say("peer: %s", named(&peer, size, 0));
}

/* Whether the server sees the very address and port that the socket says are its own. */
static void say_seen(int fd) {
    char seen[64], own[64];
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    send_text(fd, "?\n");
    snprintf(seen, sizeof seen, "%s", read_line(fd));
    if (getsockname(fd, (struct sockaddr *)&name, &size))
        die("getsockname");
    snprintf(own, sizeof own, "%s %d", inet_ntoa(name.sin_addr), ntohs(name.sin_port));
    say("own: %s, seen by the server: %s", named(&name, size, 0), strcmp(seen, own) ? seen : "the same");
}

static void blocking(void) {
    int fd = tcp(0);
    say("connect: %s", ok(to_server(fd, 0)));
    say("SO_ERROR: %s", pending(fd));
    say("again: %s", ok(to_server(fd, 0)));
    say_peer(fd);
    say_seen(fd);
    say("exchange: %s", exchange(fd));
    say("close: %s", ok(close(fd)));
    say("close again: %s", ok(close(fd)));
}

/* Until the connection is made, EALREADY; then once 0, since the socket had not told so yet; then EISCONN. */
static void say_again(int fd) {
    for (int i = 0; i < 2; i++) {
        int result;
        while ((result = to_server(fd, 0)) < 0 && errno == EALREADY)
            pause_ms(1);
        say("connect again: %s", ok(result));
    }
}

static const char *selected(int fd, int with_mask) {
    fd_set readable, writable, special;
    sigset_t none;
    struct timeval patience = {patience_ms / 1000, 0};
    struct timespec finer = {patience_ms / 1000, 0};
    static char text[32];
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    writable = special = readable;
    sigemptyset(&none);
    int count = with_mask ? pselect(fd + 1, &readable, &writable, &special, &finer, &none) : select(fd + 1, &readable, &writable, &special, &patience);
    sprintf(text, "%d%s%s%s", count, FD_ISSET(fd, &readable) ? " read" : "", FD_ISSET(fd, &writable) ? " write" : "",
            FD_ISSET(fd, &special) ? " except" : "");
    return text;
}

static void nonblocking(void) {
    const char *ways[] = {"connect", "poll", "ppoll", "select", "pselect"};
    for (int way = 0; way < 5; way++) {
        struct timespec patience = {patience_ms / 1000, 0};
        int fd = tcp(SOCK_NONBLOCK);
        struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};
        say("== %s", ways[way]);
        say("poll before: %s", bits((uint32_t)wait_for(fd, POLLIN | POLLOUT, 0)));
        say("connect: %s", ok(to_server(fd, 0)));
        if (way == 1 || way == 2) {
            int count = way == 1 ? poll(&one, 1, patience_ms) : ppoll(&one, 1, &patience, NULL);
            say("%s: %d %s", ways[way], count, bits((uint32_t)one.revents));
        } else if (way > 2)
            say("%s: %s", ways[way], selected(fd, way == 4));
        if (way == 1)
            say("SO_ERROR: %s", pending(fd));
        say_again(fd);
        say("recv: %s", counted(recv(fd, &one, 1, 0)));
        say("exchange: %s", exchange(fd));
        close(fd);
    }
}

static void bound(void) {
    for (int with_port = 0; with_port < 4; with_port++) {
        /* 0: any port; 1: a port; 2: any address and a port; 3: the port is chosen at connect */
        int fd = tcp(0);
        struct sockaddr_in own = at(client_address, with_port == 1 || with_port == 2 ? 17000 + with_port : 0), found;
        socklen_t size = sizeof found;
        if (with_port == 2)
            own.sin_addr.s_addr = INADDR_ANY;
        set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (with_port == 3)
            set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        say("bind: %s", ok(bind(fd, (struct sockaddr *)&own, sizeof own)));
        getsockname(fd, (struct sockaddr *)&found, &size);
        say("before: %s", named(&found, size, 0));
        int before = port_of(fd);
        say("connect: %s", ok(to_server(fd, 0)));
        say("port kept: %s", before == 0 || before == port_of(fd) ? "yes" : "no");
        say_seen(fd);
        say("bind after: %s", ok(bind(fd, (struct sockaddr *)&own, sizeof own)));
        close_with_reset(fd);
    }

    struct sockaddr_in own = at(client_address, 17003), foreign = at(server_address, 0);
    int first = tcp(0), second = tcp(0), third = tcp(0);
    say("bind to another's address: %s", ok(bind(third, (struct sockaddr *)&foreign, sizeof foreign)));
    close(third);
    /* One port for two connections to different ports. */
    set_int(first, SOL_SOCKET, SO_REUSEADDR, 1);
    set_int(second, SOL_SOCKET, SO_REUSEADDR, 1);
    say("bind first: %s", ok(bind(first, (struct sockaddr *)&own, sizeof own)));
    say("bind second: %s", ok(bind(second, (struct sockaddr *)&own, sizeof own)));
    say("connect first: %s", ok(to_server(first, 0)));
    say("connect second: %s", ok(to_server(second, 1)));
    say_seen(first);
    say_seen(second);
    close_with_reset(first);
    close_with_reset(second);
}

static void six(void) {
    for (int way = 0; way < 3; way++) { /* 0: blocking; 1: non-blocking; 2: bound to a mapped address */
        int fd = socket(AF_INET6, SOCK_STREAM | (way == 1 ? SOCK_NONBLOCK : 0), 0), value;
        struct sockaddr_in6 server = at_mapped(server_address, first_port), own = at_mapped(client_address, 0), found;
        socklen_t size = sizeof found;
        if (way == 2)
            say("bind: %s", ok(bind(fd, (struct sockaddr *)&own, sizeof own)));
        set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, 0x20);
        say("connect: %s", ok(connect(fd, (struct sockaddr *)&server, sizeof server)));
        say("ready: %s", bits((uint32_t)wait_for(fd, POLLOUT, patience_ms)));
        say_peer(fd);
        say("getsockname: %s", ok(getsockname(fd, (struct sockaddr *)&found, &size)));
        say("own: %s", named(&found, size, 0));
        static const struct {
            const char *name;
            int level, option;
        } asked[] = {{"IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS}, {"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY}, {"SO_DOMAIN", SOL_SOCKET, SO_DOMAIN},
                     {"SO_PROTOCOL", SOL_SOCKET, SO_PROTOCOL}, {"SO_TYPE", SOL_SOCKET, SO_TYPE}, {"IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS}};
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
            socklen_t length = sizeof value;
            say("%s: %s", asked[i].name, getsockopt(fd, asked[i].level, asked[i].option, &value, &length) ? failure(errno) : counted(value));
        }

        say("set IPV6_TCLASS: %s", ok(setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &(int){0x40}, sizeof(int))));
        say("exchange: %s", exchange(fd));
        close(fd);
    }

    struct sockaddr_in6 server = at_mapped(server_address, first_port);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    say("connect with V6ONLY: %s", ok(connect(fd, (struct sockaddr *)&server, sizeof server)));
    close(fd);
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_storage four = {0};
    *(struct sockaddr_in *)&four = at(server_address, first_port);
    say("connect to AF_INET: %s", ok(connect(fd, (struct sockaddr *)&four, sizeof four)));
    close(fd);
}

static void used_again(void) {
    int fd = tcp(0);
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    struct sockaddr_in own;
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    for (int i = 0; i < 3; i++) {
        socklen_t size = sizeof own;
        say("connect: %s", ok(to_server(fd, i)));
        say_peer(fd);
        say("exchange: %s", exchange(fd));
        say("to nobody: %s", ok(connect(fd, &nobody, sizeof nobody)));
        say_peer(fd);
        getsockname(fd, (struct sockaddr *)&own, &size);
        say("own: %s", named(&own, size, 0));
    }

    close(fd);
}

static atomic_int threads_good;

static void *connecting_thread(void *unused) {
    (void)unused;
    for (int i = 0; i < 20; i++)
        threads_good += answered_in_turn(i % 3, 1);
    return NULL;
}

static void threads(void) {
    pthread_t running[16];
    for (int i = 0; i < 16; i++)
        if (pthread_create(&running[i], NULL, connecting_thread, NULL))
            die("pthread_create");
    for (int i = 0; i < 16; i++)
        pthread_join(running[i], NULL);
    say("answered: %d", threads_good);
}

static void at_once(void) { say("answered: %d", answered(0, 100)); }

static volatile sig_atomic_t signals;
static atomic_int bombing;
static pthread_t bombed;

static void count_signal(int signal) {
    (void)signal;
    signals++;
}

static void *bombing_thread(void *unused) {
    while (bombing) {
        pthread_kill(bombed, SIGUSR1);
        usleep(100);
    }

    return unused;
}

static void signalled(void) {
    sigset_t one;
    pthread_t bomber;
    int good = 0;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &one, NULL);
    set_handler(SIGUSR1, count_signal, 0);
    bombed = pthread_self();
    bombing = 1;
    pthread_create(&bomber, NULL, bombing_thread, NULL);
    for (int i = 0; i < 200; i++) {
        int fd = tcp(i % 2 ? SOCK_NONBLOCK : 0);
        pthread_sigmask(SIG_UNBLOCK, &one, NULL);
        int result = to_server(fd, 0), error = errno;
        pthread_sigmask(SIG_BLOCK, &one, NULL);
        /* An interrupted connect goes on by itself, as a non-blocking one does. */
        if (result && error != EINTR && error != EINPROGRESS)
            die("connect: %s", failure(error));
        if (!(wait_for(fd, POLLOUT, patience_ms) & POLLOUT))
            die("connection %d is not made", i);
        good += !strcmp(pending(fd), "none") && !strcmp(exchange(fd), "ok");
        close_with_reset(fd);
    }

    bombing = 0;
    pthread_join(bomber, NULL);
    say("answered: %d, under signals: %s", good, signals ? "yes" : "no");
}

static void abandoned(void) {
    for (int i = 0; i < 20; i++) {
        int fd = tcp(SOCK_NONBLOCK);
        say("connect: %s", ok(to_server(fd, 0)));
        close(fd);
    }

    say("answered: %d", answered_in_turn(0, 1));
}

static void serve_silently(void) {
    int listener = listening(0);
    begin_to_wait(listener);
    ready();
    serve(&listener, 1);
}

static void fast_open(void) {
    int fd = tcp(0);
    set_int(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
    say("connect: %s", ok(to_server(fd, 0)));
    say("exchange: %s", exchange(fd));
    say_peer(fd);
    close(fd);
    struct sockaddr_in server = at(server_address, first_port);
    fd = tcp(0);
    say("sendto: %s", counted(sendto(fd, "ping\n", 5, MSG_FASTOPEN, (struct sockaddr *)&server, sizeof server)));
    say("answer: %s", read_line(fd));
    say_peer(fd);
    say_seen(fd);
    close(fd);
}

static void copies(void) {
    int fd = tcp(0), copy = dup(fd), above = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    say("connect: %s", ok(to_server(fd, 0)));
    say_peer(copy);
    say("by a copy: %s", exchange(copy));
    close(fd);
    say("by the copies that are left: %s, %s", exchange(copy), exchange(above));
    close(above);
    say("connect a copy: %s", ok(to_server(copy, 0)));
    close(copy);

    int gates[2];
    fd = tcp(0);
    if (pipe(gates))
        die("pipe");
    pid_t other = child();
    if (other == 0) {
        char byte;
        if (read(gates[0], &byte, 1) != 1)
            die("read");
        say_peer(fd);
        say("by the child: %s", exchange(fd));
        exit(0);
    }

    say("connect after fork: %s", ok(to_server(fd, 0)));
    if (write(gates[1], "x", 1) != 1)
        die("write");
    ended_well(other);
    say("by the parent: %s", exchange(fd));
    close(fd);
}

/* What stays within the container, or is no TCP. */
static void elsewhere(void) {
    const struct in_addr targets[] = {{htonl(INADDR_LOOPBACK)}, client_address, {htonl(INADDR_ANY)}};
    struct sockaddr_in found;
    socklen_t size = sizeof found;
    int listener = listening(0);
    for (int i = 0; i < 3; i++) {
        struct sockaddr_in target = at(targets[i], first_port);
        int fd = tcp(0), peer;
        say("connect: %s", ok(connect(fd, (struct sockaddr *)&target, sizeof target)));
        say_peer(fd);
        peer = accepted(listener);
        getpeername(peer, (struct sockaddr *)&found, &size);
        say("peer of the peer: %s, port %s", named(&found, size, 0), ntohs(found.sin_port) == port_of(fd) ? "right" : "wrong");
        send_text(fd, "to itself\n");
        say("received: %s", read_line(peer));
        close(fd);
        close(peer);
    }

    close(listener);
    struct sockaddr_in target = at(server_address, first_port + nowhere_index);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    say("UDP connect: %s", ok(connect(fd, (struct sockaddr *)&target, sizeof target)));
    say_peer(fd);
    say("UDP connect elsewhere: %s", ok(to_server(fd, 0)));
    say_peer(fd);
    close(fd);

    int pair[2];
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0tcp-connect"};
    size = sizeof name;
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    say("unix bind: %s", ok(bind(listener, (struct sockaddr *)&name, size)));
    say("unix listen: %s", ok(listen(listener, 1)));
    say("unix connect: %s", ok(connect(fd, (struct sockaddr *)&name, size)));
    int peer = accept(listener, NULL, NULL);
    send_text(fd, "by name\n");
    say("received: %s", read_line(peer));
    say("socketpair: %s", ok(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)));
}

/* What was a socket, as far as libc was asked, and is none: a library that plays sockets does so. */
static void no_socket(void) {
    int fd = tcp(0), other = open("/dev/null", O_RDWR);
    struct sockaddr_in to = at(server_address, first_port);
    if (syscall(SYS_dup3, other, fd, 0) != fd)
        die("dup3");
    say("connect: %s", ok(connect(fd, (struct sockaddr *)&to, sizeof to)));
    say("still none: %s", ok(getsockname(fd, (struct sockaddr *)&to, &(socklen_t){sizeof to})));
}

static const struct scene scenes[] = {
    {"blocking", one_port, blocking, NULL},
    {"nonblocking", one_port, nonblocking, NULL},
    {"bound", three_ports, bound, NULL},
    {"six", one_port, six, NULL},
    {"used-again", three_ports, used_again, NULL},
    {"threads", three_ports, threads, NULL},
    {"at-once", one_port, at_once, NULL},
    {"signalled", serve_silently, signalled, NULL},
    {"abandoned", serve_silently, abandoned, NULL},
    {"fast-open", one_port, fast_open, NULL},
    {"copies", one_port, copies, NULL},
    {"no-socket", one_port, no_socket, NULL},
    {"elsewhere", NULL, elsewhere, NULL},
    {NULL, NULL, NULL, NULL},
};

int main(int count, char **words) { return play(count, words, scenes); }
