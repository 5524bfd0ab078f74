/*
 * Wrong commands on /dev/infiniband/rdma_cm, written as no library writes them, and what the kernel answers:
 * cm-faults CASE ADDRESS, with the container's own address. Prints "as specified", or what was not.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cm-commands.h"

static const struct {
    size_t in, out;
    int optional; /* bytes at the end that older libraries do not send */
} sizes[] = {
    [RDMA_USER_CM_CMD_CREATE_ID] = { sizeof(struct rdma_ucm_create_id), sizeof(struct rdma_ucm_create_id_resp), 0 },
    [RDMA_USER_CM_CMD_DESTROY_ID] = { sizeof(struct rdma_ucm_destroy_id), sizeof(struct rdma_ucm_destroy_id_resp), 0 },
    [RDMA_USER_CM_CMD_BIND_IP] = { sizeof(struct rdma_ucm_bind_ip), 0, 0 },
    [RDMA_USER_CM_CMD_RESOLVE_IP] = { sizeof(struct rdma_ucm_resolve_ip), 0, 0 },
    [RDMA_USER_CM_CMD_RESOLVE_ROUTE] = { sizeof(struct rdma_ucm_resolve_route), 0, 0 },
    [RDMA_USER_CM_CMD_QUERY_ROUTE] = { sizeof(struct rdma_ucm_query), offsetof(struct rdma_ucm_query_route_resp, ibdev_index), 0 },
    [RDMA_USER_CM_CMD_CONNECT] = { sizeof(struct rdma_ucm_connect), 0, sizeof(struct rdma_ucm_ece) },
    [RDMA_USER_CM_CMD_LISTEN] = { sizeof(struct rdma_ucm_listen), 0, 0 },
    [RDMA_USER_CM_CMD_ACCEPT] = { sizeof(struct rdma_ucm_accept), 0, sizeof(struct rdma_ucm_ece) },
    [RDMA_USER_CM_CMD_REJECT] = { sizeof(struct rdma_ucm_reject), 0, 0 },
    [RDMA_USER_CM_CMD_DISCONNECT] = { sizeof(struct rdma_ucm_disconnect), 0, 0 },
    [RDMA_USER_CM_CMD_INIT_QP_ATTR] = { sizeof(struct rdma_ucm_init_qp_attr), sizeof(struct ib_uverbs_qp_attr), 0 },
    [RDMA_USER_CM_CMD_SET_OPTION] = { sizeof(struct rdma_ucm_set_option), 0, 0 },
    [RDMA_USER_CM_CMD_NOTIFY] = { sizeof(struct rdma_ucm_notify), 0, 0 },
    [RDMA_USER_CM_CMD_JOIN_IP_MCAST] = { sizeof(struct rdma_ucm_join_ip_mcast), sizeof(struct rdma_ucm_create_id_resp), 0 },
    [RDMA_USER_CM_CMD_LEAVE_MCAST] = { sizeof(struct rdma_ucm_destroy_id), sizeof(struct rdma_ucm_destroy_id_resp), 0 },
    [RDMA_USER_CM_CMD_QUERY] = { sizeof(struct rdma_ucm_query), offsetof(struct rdma_ucm_query_addr_resp, ibdev_index), 0 },
    [RDMA_USER_CM_CMD_BIND] = { sizeof(struct rdma_ucm_bind), 0, 0 },
    [RDMA_USER_CM_CMD_RESOLVE_ADDR] = { sizeof(struct rdma_ucm_resolve_addr), 0, 0 },
    [RDMA_USER_CM_CMD_JOIN_MCAST] = { sizeof(struct rdma_ucm_join_mcast), sizeof(struct rdma_ucm_create_id_resp), 0 },
};

/* Every command, cut everywhere: in what is written, and in the room for its response. */
static void truncated(void)
{
    const size_t head = sizeof(struct rdma_ucm_cmd_hdr);
    int cm = open_cm();
    char what[64];

    make_id(cm, RDMA_PS_TCP);
    for (uint32_t number = 0; number < sizeof(sizes) / sizeof(sizes[0]); number++) {
        unsigned char body[512] = { 0 };

        for (size_t length = 0; sizes[number].in && length < head + sizes[number].in; length++) {
            snprintf(what, sizeof(what), "command %u, %zu bytes written", number, length);
            expect(what, EINVAL, command(cm, number, body, sizes[number].in, 512, length));
        }
        /* These look at what is asked for first. */
        if (number == RDMA_USER_CM_CMD_QUERY || number == RDMA_USER_CM_CMD_JOIN_IP_MCAST || number == RDMA_USER_CM_CMD_JOIN_MCAST)
            continue;
        for (size_t out = 0; out < sizes[number].out; out++) {
            snprintf(what, sizeof(what), "command %u, room for %zu bytes", number, out);
            expect(what, ENOSPC, command(cm, number, body, sizes[number].in, out, head + sizes[number].in));
        }
    }
    expect("a command of no number", EINVAL, command(cm, 1000, NULL, 0, 0, head));
    expect("GET_OPTION", ENOSYS, command(cm, RDMA_USER_CM_CMD_GET_OPTION, NULL, 0, 0, head));
}

/* Commands that say themselves that they are too short: a kernel reads on behind them. */
static void too_short(void)
{
    const size_t head = sizeof(struct rdma_ucm_cmd_hdr);
    int cm = open_cm();
    char what[64];

    make_id(cm, RDMA_PS_TCP);
    for (uint32_t number = 0; number < sizeof(sizes) / sizeof(sizes[0]); number++) {
        unsigned char body[512] = { 0 };

        for (size_t in = 0; sizes[number].in && in < sizes[number].in - (size_t)sizes[number].optional; in++) {
            snprintf(what, sizeof(what), "command %u with %zu bytes", number, in);
            expect(what, EINVAL, command(cm, number, body, in, 512, head + in));
        }
    }
}

static void bad_addresses(void)
{
    void *nothing = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct rdma_ucm_create_id create = { .response = (uintptr_t)nothing, .ps = RDMA_PS_TCP };
    int cm = open_cm();
    uint32_t id = make_id(cm, RDMA_PS_TCP);
    struct rdma_ucm_set_option option = { .optval = (uintptr_t)nothing, .id = id, .optname = RDMA_OPTION_ID_TOS, .optlen = 1 };

    expect("a response to nowhere", EFAULT, COMMAND(cm, CREATE_ID, create, 4));
    expect("an option from nowhere", EFAULT, COMMAND(cm, SET_OPTION, option, 0));
    expect("a command from nowhere", EFAULT, write(cm, nothing, 64) < 0 ? errno : 0);
    expect("the id after that", 0, destroy(cm, id, NULL));
}

static void ids_of_others(void)
{
    int one = open_cm(), other = open_cm();
    uint32_t id = make_id(one, RDMA_PS_TCP);
    struct rdma_ucm_migrate_resp moved;
    struct rdma_ucm_migrate_id migrate = { .response = (uintptr_t)&moved, .id = id, .fd = (uint32_t)other };
    struct rdma_ucm_destroy_id leave = { .response = (uintptr_t)&moved, .id = 77 };

    expect("an id of another descriptor", EINVAL, bind_to(other, id, own.sin_addr, 0));
    expect("destroying it", EINVAL, destroy(other, id, NULL));
    expect("an id that nobody has", ENOENT, bind_to(one, 7777, own.sin_addr, 0));
    expect("taking it from where it is not", EINVAL, COMMAND(one, MIGRATE_ID, migrate, sizeof(moved)));
    migrate.fd = (uint32_t)one;
    expect("taking it over", 0, COMMAND(other, MIGRATE_ID, migrate, sizeof(moved)));
    expect("from then on it is the other's", 0, bind_to(other, id, own.sin_addr, 0));
    expect("and the first one's no more", EINVAL, destroy(one, id, NULL));
    migrate.fd = 999;
    expect("from a descriptor that is none", ENOENT, COMMAND(one, MIGRATE_ID, migrate, sizeof(moved)));
    migrate.fd = 0;
    expect("from a descriptor that is no rdma_cm", EINVAL, COMMAND(one, MIGRATE_ID, migrate, sizeof(moved)));
    expect("a group that nobody has", ENOENT, COMMAND(one, LEAVE_MCAST, leave, sizeof(moved)));
    expect("destroying it once", 0, destroy(other, id, NULL));
    expect("and twice", ENOENT, destroy(other, id, NULL));
}

/* Commands that are right, in the wrong order. */
static void wrong_order(void)
{
    int cm = open_cm();
    uint32_t id = make_id(cm, RDMA_PS_TCP), bound = make_id(cm, RDMA_PS_TCP);
    struct rdma_ucm_accept accept = { .id = id, .conn_param = { .valid = 1 } };
    struct rdma_ucm_reject reject = { .id = id };
    struct rdma_ucm_disconnect disconnect = { .id = id };
    struct ib_uverbs_qp_attr attributes;
    struct rdma_ucm_init_qp_attr init = { .response = (uintptr_t)&attributes, .id = id, .qp_state = 1 };
    struct rdma_ucm_create_id create = { .response = (uintptr_t)&attributes, .ps = 0x77 };
    struct in_addr foreign = { .s_addr = htonl(0x01020304) };

    expect("a port space that is none", EINVAL, COMMAND(cm, CREATE_ID, create, 4));
    expect("CONNECT before the route", EINVAL, start_connecting(cm, id, 0));
    expect("RESOLVE_ROUTE before the address", EINVAL, resolve_route(cm, id, 500));
    expect("ACCEPT of nothing", EINVAL, COMMAND(cm, ACCEPT, accept, 0));
    expect("REJECT of nothing", EINVAL, COMMAND(cm, REJECT, reject, 0));
    expect("DISCONNECT of nothing", EINVAL, COMMAND(cm, DISCONNECT, disconnect, 0));
    expect("INIT_QP_ATTR without a device", EINVAL, COMMAND(cm, INIT_QP_ATTR, init, sizeof(attributes)));
    expect("BIND to a foreign address", EADDRNOTAVAIL, bind_to(cm, id, foreign, 0));
    expect("BIND", 0, bind_to(cm, id, own.sin_addr, 7777));
    expect("BIND again", EINVAL, bind_to(cm, id, own.sin_addr, 7778));
    expect("BIND of another to the same", EADDRINUSE, bind_to(cm, bound, own.sin_addr, 7777));
    expect("a wildcard beside it", EADDRNOTAVAIL, bind_to(cm, bound, (struct in_addr){ 0 }, 7777));
    expect("LISTEN", 0, listen_on(cm, id, 5));
    expect("LISTEN again", EINVAL, listen_on(cm, id, 5));
    expect("RESOLVE_ADDR of a listener", EINVAL, resolve(cm, id, own.sin_addr, 1));
    init.qp_state = 99;
    expect("a QP state that is none", EINVAL, COMMAND(cm, INIT_QP_ATTR, init, sizeof(attributes)));
}

/* Where the network leads nowhere, which another network than Freeflow's may see otherwise. */
static void nobody_there(void)
{
    int cm = open_cm();
    uint32_t id = make_id(cm, RDMA_PS_TCP);
    struct rdma_ucm_event_resp event;

    expect("RESOLVE_ADDR to nobody", 0, resolve(cm, id, (struct in_addr){ htonl(0x01020304) }, 1));
    await_event(cm, 1, &event);
    expect("its status", ETIMEDOUT, -(int)event.status);
    expect("RESOLVE_ADDR to the loopback", 0, resolve(cm, id, (struct in_addr){ htonl(INADDR_LOOPBACK) }, 1));
    await_event(cm, 1, &event);
    expect("its status", ENODEV, -(int)event.status);
}

/* What a listener has no room for is not heard, and said again; what it has is refused when it ends. */
static void full_backlog(void)
{
    enum { backlog = 3, all = 8, unread = 2 };
    int cm = open_cm(), askers = open_cm();
    uint32_t listener = make_id(cm, RDMA_PS_TCP), events, ids[all + unread + 1];
    struct rdma_ucm_event_resp event;

    for (int i = 0; i < all + unread + 1; i++)
        ids[i] = make_route(askers, 7779);
    expect("BIND", 0, bind_to(cm, listener, own.sin_addr, 7779));
    expect("LISTEN", 0, listen_on(cm, listener, backlog));
    for (int i = 0; i < all; i++)
        expect("CONNECT", 0, start_connecting(askers, ids[i], 0));
    if (is_readable(askers, 1000))
        die("somebody has an answer, and nobody has given one");
    for (int i = 0; i < backlog; i++) {
        await_event(cm, EVENT_CONNECT_REQUEST, &event);
        if (event.param.conn.private_data_len != 56 || event.param.conn.qp_num < FIRST_QP)
            die("a request of %u bytes from QP %u", event.param.conn.private_data_len, event.param.conn.qp_num);
    }
    if (is_readable(cm, 100))
        die("more requests than there was room for");
    /* The others come again. */
    for (int i = backlog; i < all; i++)
        await_event(cm, EVENT_CONNECT_REQUEST, &event);
    for (int i = all; i < all + unread; i++)
        expect("one that nobody reads", 0, start_connecting(askers, ids[i], 0));
    if (!is_readable(cm, 2000))
        die("no request");
    usleep(200000);
    expect("destroying the listener", 0, destroy(cm, listener, &events));
    if (events != all)
        die("%u events reported, %u were", events, all);
    for (int i = 0; i < unread; i++) {
        await_event(askers, EVENT_REJECTED, &event);
        if (event.status != 28)
            die("refused for reason %u", event.status);
    }
    if (is_readable(askers, 200))
        die("who has been read is refused, too");
    if (is_readable(cm, 100))
        die("events are left of what was destroyed");
    close(cm);
    for (int i = 0; i < all; i++)
        await_event(askers, EVENT_REJECTED, &event);
    expect("a request to nobody", 0, start_connecting(askers, ids[all + unread], 0));
    await_event(askers, EVENT_REJECTED, &event);
    if (event.status != 8)
        die("nobody listens, and the reason is %u", event.status);
}

static void private_data(void)
{
    int cm = open_cm();
    uint32_t id = make_route(cm, 7780);

    expect("56 bytes and one more", EINVAL, start_connecting(cm, id, 57));
    expect("255 bytes", EINVAL, start_connecting(cm, id, 255));
    expect("56 bytes", 0, start_connecting(cm, id, 56));
    expect("CONNECT again", EINVAL, start_connecting(cm, id, 0));
}

/* The descriptor is readable exactly while events wait, and its mode is the application's. */
static void readiness(void)
{
    struct rdma_ucm_event_resp event;
    int cm = open_cm();
    uint32_t id = make_id(cm, RDMA_PS_TCP), events;

    if (is_readable(cm, 0))
        die("readable, and nothing is there");
    fcntl(cm, F_SETFL, O_RDWR | O_NONBLOCK);
    expect("GET_EVENT of none", EAGAIN, get_event(cm, &event));
    expect("RESOLVE_ADDR", 0, resolve(cm, id, own.sin_addr, 1));
    if (!is_readable(cm, 2000) || !is_readable(cm, 0))
        die("not readable, and an event is there");
    fcntl(cm, F_SETFL, O_RDWR);
    expect("GET_EVENT", 0, get_event(cm, &event));
    if (is_readable(cm, 50))
        die("readable after the last event");
    expect("RESOLVE_ROUTE in no time", EINVAL, resolve_route(cm, id, 0));
    expect("RESOLVE_ROUTE", 0, resolve_route(cm, id, 1));
    if (!is_readable(cm, 2000))
        die("not readable again");
    expect("destroying it with an event unread", 0, destroy(cm, id, &events));
    if (events != 1)
        die("%u events reported, 1 was", events);
    if (is_readable(cm, 50))
        die("readable after its id has gone");
}

/* Reads the next event as a library's thread does: waits until there is one, and takes a moment to fetch it. */
static void *read_when_readable(void *channel)
{
    static struct rdma_ucm_event_resp event;
    int cm = *(int *)channel;
    struct pollfd ready = { .fd = cm, .events = POLLIN };

    while (poll(&ready, 1, -1) != 1)
        ;
    usleep(2000);
    expect("GET_EVENT", 0, get_event(cm, &event));
    return &event;
}

/*
 * Another thread has been told of an event, and destroys nothing but its id: a kernel withdraws the event in the few
 * microseconds before it is read now and then, and the reader sleeps on. Here it must be rare, too.
 */
static void destroyed_while_read(void)
{
    enum { attempts = 20, bearable = 5 };
    int cm = open_cm(), missed = 0;

    for (int i = 0; i < attempts; i++) {
        uint32_t id = make_id(cm, RDMA_PS_TCP), other = make_id(cm, RDMA_PS_TCP), events;
        pthread_t reader;
        void *read;

        if (pthread_create(&reader, NULL, read_when_readable, &cm) != 0)
            die("no thread");
        expect("RESOLVE_ADDR", 0, resolve(cm, id, own.sin_addr, 1));
        if (!is_readable(cm, 10000))
            die("no event");
        expect("destroying it while its event is read", 0, destroy(cm, id, &events));
        if (events == 0) {
            missed++;
            expect("RESOLVE_ADDR of another", 0, resolve(cm, other, own.sin_addr, 1));
        }
        pthread_join(reader, &read);
        if (((struct rdma_ucm_event_resp *)read)->id != (events ? id : other))
            die("an event of id %u", ((struct rdma_ucm_event_resp *)read)->id);
        expect("destroying the other", 0, destroy(cm, other, NULL));
    }
    if (missed > bearable)
        die("%d of %d events were withdrawn under their reader", missed, attempts);
}

/* Nobody reads: what is kept is bounded, and it ends with the descriptor. */
static void never_read(void)
{
    int cm = open_cm(), errors = 0;
    uint32_t id = make_id(cm, RDMA_PS_TCP);
    struct in_addr nobody = { .s_addr = htonl(INADDR_LOOPBACK) };

    for (int i = 0; i < 80000 && errors < 100; i++) {
        int got = resolve(cm, id, nobody, 1);

        /* EINVAL: the one before is under way. */
        if (got == EINVAL) {
            i--;
            continue;
        }
        if (got == ENOMEM)
            errors++;
        else
            expect("RESOLVE_ADDR", 0, got);
    }
    if (!errors)
        die("80000 events that nobody reads were kept");
    close(cm);
    usleep(200000);
    make_route(open_cm(), 1);
}

static void many_ids(void)
{
    int cm = open_cm(), got = 0, count = 0;
    struct rdma_ucm_create_id_resp made;
    struct rdma_ucm_create_id create = { .response = (uintptr_t)&made, .ps = RDMA_PS_TCP };

    for (; count < 20000 && got == 0; count++)
        got = COMMAND(cm, CREATE_ID, create, sizeof(made));
    expect("20000 ids", ENOMEM, got);
    close(cm);
    usleep(200000);
    make_id(open_cm(), RDMA_PS_TCP);
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        { "truncated", truncated }, { "too-short", too_short }, { "nobody-there", nobody_there }, { "bad-addresses", bad_addresses }, { "ids-of-others", ids_of_others },
        { "wrong-order", wrong_order }, { "full-backlog", full_backlog }, { "private-data", private_data },
        { "readiness", readiness }, { "destroyed-while-read", destroyed_while_read }, { "never-read", never_read }, { "many-ids", many_ids },
    };

    own.sin_family = AF_INET;
    if (count != 3 || inet_pton(AF_INET, arguments[2], &own.sin_addr) != 1)
        die("usage: cm-faults CASE ADDRESS");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, arguments[1]) != 0)
            continue;
        cases[i].run();
        puts("as specified");
        return 0;
    }
    die("no case %s", arguments[1]);
}
