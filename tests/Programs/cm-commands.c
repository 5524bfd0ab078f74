#define _GNU_SOURCE
#include "cm-commands.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sockaddr_in own;

_Noreturn void die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

int open_cm(void)
{
    int cm = open("/dev/infiniband/rdma_cm", O_RDWR | O_CLOEXEC);

    if (cm < 0)
        die("open: %s", strerror(errno));
    return cm;
}

int command(int cm, uint32_t number, const void *body, size_t in, size_t out, size_t length)
{
    unsigned char bytes[1024] = { 0 };
    struct rdma_ucm_cmd_hdr header = { .cmd = number, .in = (uint16_t)in, .out = (uint16_t)out };

    memcpy(bytes, &header, sizeof(header));
    if (body)
        memcpy(bytes + sizeof(header), body, in);
    return write(cm, bytes, length) == (ssize_t)length ? 0 : errno;
}

void expect(const char *what, int expected, int got)
{
    if (expected != got)
        die("%s: %s expected, got %s", what, strerrorname_np(expected), strerrorname_np(got));
}

uint32_t make_id(int cm, uint16_t space)
{
    struct rdma_ucm_create_id_resp made = { 0 };
    struct rdma_ucm_create_id create = { .uid = 0x1234, .response = (uintptr_t)&made, .ps = space, .qp_type = 2 };

    expect("CREATE_ID", 0, COMMAND(cm, CREATE_ID, create, sizeof(made)));
    return made.id;
}

int destroy(int cm, uint32_t id, uint32_t *events)
{
    struct rdma_ucm_destroy_id_resp reported = { 0 };
    struct rdma_ucm_destroy_id gone = { .response = (uintptr_t)&reported, .id = id };
    int result = COMMAND(cm, DESTROY_ID, gone, sizeof(reported));

    if (events)
        *events = reported.events_reported;
    return result;
}

int bind_to(int cm, uint32_t id, struct in_addr address, uint16_t port)
{
    struct rdma_ucm_bind bind = { .id = id, .addr_size = sizeof(struct sockaddr_in) };
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = address, .sin_port = htons(port) };

    memcpy(&bind.addr, &at, sizeof(at));
    return COMMAND(cm, BIND, bind, 0);
}

int listen_on(int cm, uint32_t id, uint32_t backlog)
{
    struct rdma_ucm_listen listen = { .id = id, .backlog = backlog };

    return COMMAND(cm, LISTEN, listen, 0);
}

int resolve(int cm, uint32_t id, struct in_addr address, uint16_t port)
{
    struct rdma_ucm_resolve_addr resolve = { .id = id, .timeout_ms = 500, .dst_size = sizeof(struct sockaddr_in) };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = address, .sin_port = htons(port) };

    memcpy(&resolve.dst_addr, &to, sizeof(to));
    return COMMAND(cm, RESOLVE_ADDR, resolve, 0);
}

int resolve_route(int cm, uint32_t id, uint32_t milliseconds)
{
    struct rdma_ucm_resolve_route resolve = { .id = id, .timeout_ms = milliseconds };

    return COMMAND(cm, RESOLVE_ROUTE, resolve, 0);
}

int start_connecting(int cm, uint32_t id, uint8_t bytes)
{
    struct rdma_ucm_connect connect = { .id = id, .conn_param = { .valid = 1, .private_data_len = bytes, .qp_num = FIRST_QP + id } };

    return COMMAND(cm, CONNECT, connect, 0);
}

int is_readable(int cm, int milliseconds)
{
    struct pollfd ready = { .fd = cm, .events = POLLIN };

    return poll(&ready, 1, milliseconds) == 1 && ready.revents & POLLIN;
}

int get_event(int cm, struct rdma_ucm_event_resp *event)
{
    struct rdma_ucm_get_event get = { .response = (uintptr_t)event };

    memset(event, 0, sizeof(*event));
    return COMMAND(cm, GET_EVENT, get, sizeof(*event));
}

void await_event_at(int line, int cm, uint32_t wanted, struct rdma_ucm_event_resp *event)
{
    if (!is_readable(cm, 10000))
        die("line %d: no event, where %u was expected", line, wanted);
    expect("GET_EVENT", 0, get_event(cm, event));
    if (event->event != wanted)
        die("line %d: event %u with status %d, where %u was expected", line, event->event, (int)event->status, wanted);
}

uint32_t make_route(int cm, uint16_t port)
{
    struct rdma_ucm_event_resp event;
    uint32_t id = make_id(cm, RDMA_PS_TCP);

    expect("RESOLVE_ADDR", 0, resolve(cm, id, own.sin_addr, port));
    await_event(cm, 0, &event);
    expect("RESOLVE_ROUTE", 0, resolve_route(cm, id, 500));
    await_event(cm, 2, &event);
    return id;
}
