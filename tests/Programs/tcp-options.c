/* Options and flags of a socket: set before connect() or on the listener, and there afterwards on the connection. */
#include "tcp-stage.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef TCP_INQ
#define TCP_INQ 36
#endif

enum kind { number, linger, interval, text, size_only };

static const struct option {
    const char *name;
    int level, option;
    enum kind kind;
    int value;
} options[] = {
    {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, number, 1},
    {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, number, 1},
    {"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, number, 77},
    {"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, number, 17},
    {"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, number, 5},
    {"SO_LINGER", SOL_SOCKET, SO_LINGER, linger, 3},
    /* Sizes the system chooses by itself where nobody set them, and by the path's MTU. */
    {"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, size_only, 30000},
    {"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, size_only, 20000},
    {"SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, interval, 21},
    {"SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO, interval, 22},
    {"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, number, 1},
    {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, number, 1},
    {"SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, number, 3},
    {"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, number, 12345},
    {"TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, number, 4},
    {"TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, number, 4096},
    {"TCP_CONGESTION", IPPROTO_TCP, TCP_CONGESTION, text, 0},
    {"IP_TOS", IPPROTO_IP, IP_TOS, number, 0x10},
    {"IP_TTL", IPPROTO_IP, IP_TTL, number, 33},
    {"SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, number, 5},
    /* Few programs set these. */
    {"TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG, size_only, 1000},
    {"TCP_WINDOW_CLAMP", IPPROTO_TCP, TCP_WINDOW_CLAMP, size_only, 16000},
    {"SO_BROADCAST", SOL_SOCKET, SO_BROADCAST, number, 1},
    {"SO_ZEROCOPY", SOL_SOCKET, SO_ZEROCOPY, number, 1},
    {"SO_TIMESTAMP", SOL_SOCKET, SO_TIMESTAMP, number, 1},
    {"SO_MAX_PACING_RATE", SOL_SOCKET, SO_MAX_PACING_RATE, number, 1000000000},
    {"TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2, number, 7},
    {"TCP_THIN_LINEAR_TIMEOUTS", IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, number, 1},
    {"TCP_SAVE_SYN", IPPROTO_TCP, TCP_SAVE_SYN, number, 1},
    {"TCP_INQ", IPPROTO_TCP, TCP_INQ, number, 1},
    {"IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, number, IP_PMTUDISC_DONT},
    {"IP_RECVERR", IPPROTO_IP, IP_RECVERR, number, 1},
    {"IP_RECVTTL", IPPROTO_IP, IP_RECVTTL, number, 1},
    {"IP_MINTTL", IPPROTO_IP, IP_MINTTL, number, 2},
    {"IP_FREEBIND", IPPROTO_IP, IP_FREEBIND, number, 1},
    {"SO_MARK", SOL_SOCKET, SO_MARK, number, 9},
    {"SO_BUSY_POLL", SOL_SOCKET, SO_BUSY_POLL, number, 10},
};

enum { common_count = 20, option_count = sizeof options / sizeof *options };

/* One that is allowed here, and if possible not what sockets have from the start. */
static const char *other_congestion_control(void) {
    static char words[128];
    char usual[32] = "";
    socklen_t size = sizeof usual - 1;
    int fd = tcp(0);
    getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, usual, &size);
    close(fd);
    FILE *file = fopen("/proc/sys/net/ipv4/tcp_allowed_congestion_control", "r");
    if (!file || !fgets(words, sizeof words, file))
        die("tcp_allowed_congestion_control");
    fclose(file);
    const char *chosen = "reno";
    for (char *word = strtok(words, " \n"); word; word = strtok(NULL, " \n"))
        if (strcmp(word, usual))
            chosen = word;
    return chosen;
}

static const char *set_option(int fd, const struct option *one) {
    struct linger lingering = {1, one->value};
    struct timeval time = {one->value, 250000};
    const char *name = one->kind == text ? other_congestion_control() : "";
    switch (one->kind) {
    case linger: return ok(setsockopt(fd, one->level, one->option, &lingering, sizeof lingering));
    case interval: return ok(setsockopt(fd, one->level, one->option, &time, sizeof time));
    case text: return ok(setsockopt(fd, one->level, one->option, name, (socklen_t)strlen(name)));
    default: return ok(setsockopt(fd, one->level, one->option, &one->value, sizeof one->value));
    }
}

static const char *value_of(int fd, const struct option *one) {
    static char shown[4][64];
    static unsigned next;
    char *at = shown[next++ % 4];
    union {
        int number;
        struct linger linger;
        struct timeval time;
        char text[32];
    } value = {0};
    socklen_t size = one->kind == linger ? sizeof value.linger : one->kind == interval ? sizeof value.time : one->kind == text ? 31 : sizeof value.number;
    if (getsockopt(fd, one->level, one->option, &value, &size))
        return failure(errno);
    if (one->kind == linger)
        sprintf(at, "%s %d", value.linger.l_onoff ? "on" : "off", value.linger.l_linger);
    else if (one->kind == interval)
        sprintf(at, "%ld.%06ld", (long)value.time.tv_sec, (long)value.time.tv_usec);
    else if (one->kind == text)
        sprintf(at, "%s", value.text);
    else
        sprintf(at, "%d", value.number);
    return at;
}

enum which { common, rare, none };

/* Sizes only where they were set. */
static void say_all(const char *when, int fd, enum which set) {
    say("== %s", when);
    for (int i = 0; i < option_count; i++)
        if (options[i].kind != size_only || set == (i < common_count ? common : rare))
            say("%s: %s", options[i].name, value_of(fd, &options[i]));
}

static void set_options(int fd, enum which which) {
    for (int i = which == common ? 0 : common_count; i < (which == common ? common_count : option_count); i++)
        say("set %s: %s", options[i].name, set_option(fd, &options[i]));
}

/* Lines are read byte by byte. */
static const char *exchange_bytewise(int fd) {
    set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 1);
    return exchange(fd);
}

static void two_ports(void) { serve_ports(2); }

static void keep(enum which which) {
    for (int i = 0; i < 2; i++) {
        int fd = tcp(i ? SOCK_NONBLOCK : 0);
        set_options(fd, which);
        say_all("set", fd, which);
        say("connect: %s", ok(to_server(fd, i)));
        wait_for(fd, POLLOUT, patience_ms);
        say_all("connected", fd, which);
        say("exchange: %s", exchange_bytewise(fd));
        close_with_reset(fd);
    }
}

static void kept(void) { keep(common); }
static void rare_kept(void) { keep(rare); }

static void untouched(void) {
    int fd = tcp(0);
    say_all("new", fd, none);
    say("connect: %s", ok(to_server(fd, 0)));
    say_all("connected", fd, none);
    say("exchange: %s", exchange_bytewise(fd));
    set_options(fd, common);
    set_options(fd, rare);
    say_all("set", fd, none);
    say("exchange: %s", exchange_bytewise(fd));
    close_with_reset(fd);
}

static void kept_on_six(void) {
    static const struct option six[] = {
        {"IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, number, 0x20}, {"IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, number, 44},
        {"IPV6_RECVTCLASS", IPPROTO_IPV6, IPV6_RECVTCLASS, number, 1}, {"IPV6_RECVHOPLIMIT", IPPROTO_IPV6, IPV6_RECVHOPLIMIT, number, 1},
        {"IPV6_RECVERR", IPPROTO_IPV6, IPV6_RECVERR, number, 1}, {"IP_TOS", IPPROTO_IP, IP_TOS, number, 0x10},
        {"IP_TTL", IPPROTO_IP, IP_TTL, number, 33}, {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, number, 1},
    };
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 server = at_mapped(server_address, first_port);
    for (size_t i = 0; i < sizeof six / sizeof *six; i++)
        say("set %s: %s", six[i].name, set_option(fd, &six[i]));
    say("connect: %s", ok(connect(fd, (struct sockaddr *)&server, sizeof server)));
    for (size_t i = 0; i < sizeof six / sizeof *six; i++)
        say("%s: %s", six[i].name, value_of(fd, &six[i]));
    say("exchange: %s", exchange_bytewise(fd));
    close_with_reset(fd);
}

static void flags(void) {
    for (int way = 0; way < 6; way++) { /* 1: non-blocking; 2: close on exec; 3: both; 4: signals; 5: by ioctl */
        int fd = tcp((way & 1 && way < 4 ? SOCK_NONBLOCK : 0) | (way & 2 ? SOCK_CLOEXEC : 0)), yes = 1;
        if (way == 4) {
            say("owner: %s", ok(fcntl(fd, F_SETOWN, getpid())));
            say("signal: %s", ok(fcntl(fd, F_SETSIG, 0)));
            say("O_ASYNC: %s", ok(fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK)));
            set_handler(SIGIO, SIG_IGN, 0);
        } else if (way == 5) {
            say("FIONBIO: %s", ok(ioctl(fd, FIONBIO, &yes)));
            say("FIOCLEX: %s", ok(ioctl(fd, FIOCLEX)));
        }

        say("connect: %s", ok(to_server(fd, 0)));
        say("writable: %s", bits((uint32_t)wait_for(fd, POLLOUT, patience_ms)));
        int status = fcntl(fd, F_GETFL), owner = fcntl(fd, F_GETOWN);
        say("F_GETFL:%s%s%s", (status & O_ACCMODE) == O_RDWR ? " O_RDWR" : "", status & O_NONBLOCK ? " O_NONBLOCK" : "", status & O_ASYNC ? " O_ASYNC" : "");
        say("F_GETFD: %s", counted(fcntl(fd, F_GETFD)));
        say("F_GETOWN: %s", owner == getpid() ? "itself" : counted(owner));
        say("exchange: %s", exchange_bytewise(fd));
        close(fd);
    }
}

/* The options that a device or a filter bind to a path of their own: whichever way is taken, they hold. */
static void tied(void) {
    char device[16];
    int fd = tcp(0);
    say("SO_BINDTODEVICE: %s", ok(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5)));
    say("connect: %s", ok(to_server(fd, 0)));
    socklen_t size = sizeof device;
    say("getsockopt: %s", ok(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &size)));
    say("device: %.*s", (int)size, device);
    say("exchange: %s", exchange_bytewise(fd));
    close(fd);
    fd = tcp(0);
    say("SO_REUSEPORT: %s", ok(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int))));
    say("connect: %s", ok(to_server(fd, 0)));
    say("exchange: %s", exchange_bytewise(fd));
    close(fd);
}

/* On the listener before listen(), after it, and while others know of it already. */
static void inherit(enum which which) {
    static const char *when[] = {"before listen", "after listen", "while waiting"};
    int listeners[3];
    for (int i = 0; i < 3; i++) {
        struct sockaddr_in own = at((struct in_addr){INADDR_ANY}, first_port + i);
        listeners[i] = tcp(0);
        set_int(listeners[i], SOL_SOCKET, SO_REUSEADDR, 1);
        if (bind(listeners[i], (struct sockaddr *)&own, sizeof own))
            die("bind");
        if (i == 0)
            set_options(listeners[i], which);
        if (listen(listeners[i], 16))
            die("listen");
        if (i == 1)
            set_options(listeners[i], which);
        begin_to_wait(listeners[i]);
    }

    ready();
    await("known");
    set_options(listeners[2], which);
    tell("set");
    for (int i = 0; i < 3; i++) {
        int fd = accepted(listeners[i]), value;
        socklen_t size = sizeof value;
        say_all(when[i], fd, which);
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size);
        say("SO_ACCEPTCONN: %d", value);
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &size);
        say("SO_DOMAIN: %d", value);
        say("exchange: %s", exchange_bytewise(fd));
        close_with_reset(fd);
        close(listeners[i]);
    }
}

static void inherited_server(void) { inherit(common); }
static void rare_inherited_server(void) { inherit(rare); }

static void inherited_client(void) {
    tell("known");
    await("set");
    for (int i = 0; i < 3; i++) {
        int fd = connected(i);
        send_text(fd, "ping\n");
        say("line: %s", read_line(fd));
        say("end: %s", read_line(fd));
        close(fd);
    }
}

static const struct scene scenes[] = {
    {"kept", two_ports, kept, NULL},
    {"rare-kept", two_ports, rare_kept, NULL},
    {"untouched", two_ports, untouched, NULL},
    {"kept-on-six", two_ports, kept_on_six, NULL},
    {"flags", two_ports, flags, NULL},
    {"tied", two_ports, tied, NULL},
    {"inherited", inherited_server, inherited_client, NULL},
    {"rare-inherited", rare_inherited_server, inherited_client, NULL},
    {NULL, NULL, NULL, NULL},
};

int main(int count, char **words) { return play(count, words, scenes); }
