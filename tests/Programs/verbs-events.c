/*
 * verbs-events [SERVER]
 *
 * Completion events: an armed CQ raises one event and no more until it is armed again; one that is armed for solicited
 * completions raises none for others; errors always raise one; events that were not read vanish with their CQ.
 */
#include "endpoint.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { port = 18602, depth = 16, quiet_milliseconds = 200, patience_milliseconds = 5000 };

static struct endpoint endpoint;
static struct ibv_cq *sends, *receives;
static struct ibv_qp *qp;
static struct ibv_mr *region;
static unsigned char memory[4096];

static int event_within(int milliseconds) {
    struct pollfd wait = {.fd = endpoint.channel->fd, .events = POLLIN};
    struct ibv_cq *which;
    void *context;
    if (poll(&wait, 1, milliseconds) != 1)
        return 0;
    if (ibv_get_cq_event(endpoint.channel, &which, &context))
        die("ibv_get_cq_event: %s", strerror(errno));
    if (which != receives)
        die("an event for the wrong CQ");
    ibv_ack_cq_events(which, 1);
    return 1;
}

static void expect(int events, int milliseconds, const char *what) {
    if (event_within(milliseconds) != events)
        die("%s: %s", what, events ? "no event" : "an event");
}

static void post_receive(uint32_t lkey) {
    struct ibv_sge part = {(uintptr_t)memory, sizeof memory, lkey};
    struct ibv_recv_wr request = {.sg_list = &part, .num_sge = 1}, *bad;
    if (ibv_post_recv(qp, &request, &bad))
        die("ibv_post_recv");
}

static void take_one(void) {
    struct ibv_wc done;
    struct endpoint polled = {.device = endpoint.device};
    if (!await_completion(&polled, receives, &done, 5))
        die("no completion");
}

static void arm(int solicited_only) {
    if (ibv_req_notify_cq(receives, solicited_only))
        die("ibv_req_notify_cq");
}

/* The client sends one message for each byte that it is told: 's' solicited, 'n' not. */
static void ask(int peer, char kind) {
    send_all(peer, &kind, 1);
}

static void serve(int peer) {
    for (int i = 0; i < 8; i++)
        post_receive(region->lkey);

    ask(peer, 'n');
    take_one();
    expect(0, quiet_milliseconds, "a CQ that is not armed");

    arm(0);
    ask(peer, 'n');
    expect(1, patience_milliseconds, "an armed CQ");
    take_one();
    ask(peer, 'n');
    take_one();
    expect(0, quiet_milliseconds, "a CQ whose event has been raised");

    arm(1);
    ask(peer, 'n');
    take_one();
    expect(0, quiet_milliseconds, "a CQ armed for solicited completions, another one");
    ask(peer, 's');
    expect(1, patience_milliseconds, "a CQ armed for solicited completions, a solicited one");
    take_one();

    /* Armed for all after solicited: the stronger counts. */
    arm(1);
    arm(0);
    ask(peer, 'n');
    expect(1, patience_milliseconds, "a CQ armed both ways");
    take_one();

    /* A receive that fails is an error, which counts as solicited. */
    struct ibv_qp_attr to_error = {.qp_state = IBV_QPS_ERR};
    arm(1);
    if (ibv_modify_qp(qp, &to_error, IBV_QP_STATE))
        die("to ERR");
    expect(1, patience_milliseconds, "flushed receives");
    take_one();

    /* One event is raised and not read: destroying the CQ must not wait for it. */
    ask(peer, 'x');
    if (ibv_destroy_qp(qp) || ibv_destroy_cq(receives) || ibv_destroy_cq(sends))
        die("destroying: %s", strerror(errno));
    if (ibv_destroy_comp_channel(endpoint.channel))
        die("ibv_destroy_comp_channel: %s", strerror(errno));
}

static void send_as_asked(int peer) {
    for (;;) {
        char kind;
        receive_all(peer, &kind, 1);
        if (kind == 'x')
            return;
        struct ibv_sge part = {(uintptr_t)memory, 64, region->lkey};
        struct ibv_send_wr request = {
            .sg_list = &part,
            .num_sge = 1,
            .opcode = IBV_WR_SEND,
            .send_flags = IBV_SEND_SIGNALED | (kind == 's' ? IBV_SEND_SOLICITED : 0),
        }, *bad;
        struct ibv_wc done;
        struct endpoint polled = {.device = endpoint.device};
        if (ibv_post_send(qp, &request, &bad) || !await_completion(&polled, sends, &done, 5) || done.status != IBV_WC_SUCCESS)
            die("SEND");
    }
}

int main(int count, char **words) {
    endpoint = open_endpoint(1);
    /* As a daemon does that gives up its rights: the C library asks every thread to, and waits for it. */
    if (setgid(getgid()) || setuid(getuid()))
        die("setuid");
    sends = ibv_create_cq(endpoint.device, depth, NULL, NULL, 0);
    receives = ibv_create_cq(endpoint.device, depth, NULL, endpoint.channel, 0);
    if (!sends || !receives)
        die("ibv_create_cq");
    qp = make_qp(&endpoint, sends, receives, depth, 1, 0);
    region = register_memory(&endpoint, memory, sizeof memory, IBV_ACCESS_LOCAL_WRITE);
    int peer = count > 1 ? connect_to(words[1], port) : listen_and_accept(port);
    struct address mine = address_of(&endpoint, qp), theirs;
    send_all(peer, &mine, sizeof mine);
    receive_all(peer, &theirs, sizeof theirs);
    connect_qp(qp, &theirs, &usual_patience);
    char ready = 1;
    send_all(peer, &ready, 1);
    receive_all(peer, &ready, 1);
    if (count > 1)
        send_as_asked(peer);
    else
        serve(peer);
    printf("as specified\n");
    return 0;
}
