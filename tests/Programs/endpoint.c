#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint8_t gid_index;

const struct patience usual_patience = {.timeout = 14, .retries = 7, .rnr_retries = 7};

void die(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    exit(1);
}

int is_kernels(struct ibv_context *device) {
    return strcmp(ibv_get_device_name(device->device), "rxe_ff0") != 0;
}

struct endpoint open_endpoint(int with_events) {
    struct endpoint made = {0};
    struct ibv_device **list = ibv_get_device_list(NULL);
    if (!list || !list[0])
        die("no RDMA device");
    made.device = ibv_open_device(list[0]);
    if (!made.device)
        die("ibv_open_device: %s", strerror(errno));
    ibv_free_device_list(list);
    made.pd = ibv_alloc_pd(made.device);
    if (!made.pd)
        die("ibv_alloc_pd: %s", strerror(errno));
    if (with_events && !(made.channel = ibv_create_comp_channel(made.device)))
        die("ibv_create_comp_channel: %s", strerror(errno));
    gid_index = (uint8_t)atoi(getenv("GID_INDEX") ? getenv("GID_INDEX") : "0");
    if (ibv_query_gid(made.device, 1, gid_index, &made.gid))
        die("ibv_query_gid: %s", strerror(errno));
    return made;
}

struct ibv_qp *make_qp(struct endpoint *at, struct ibv_cq *send, struct ibv_cq *receive, uint32_t depth, uint32_t sges,
                       uint32_t inline_bytes) {
    struct ibv_qp_init_attr wanted = {
        .send_cq = send,
        .recv_cq = receive,
        .qp_type = IBV_QPT_RC,
        .cap = {.max_send_wr = depth, .max_recv_wr = depth, .max_send_sge = sges, .max_recv_sge = sges, .max_inline_data = inline_bytes},
    };
    return make_qp_of(at, &wanted);
}

struct ibv_qp *make_qp_of(struct endpoint *at, struct ibv_qp_init_attr *wanted) {
    struct ibv_qp *qp = ibv_create_qp(at->pd, wanted);
    if (!qp)
        die("ibv_create_qp: %s", strerror(errno));
    to_init(qp);
    return qp;
}

void to_init(struct ibv_qp *qp) {
    struct ibv_qp_attr init = {
        .qp_state = IBV_QPS_INIT,
        .port_num = 1,
        .qp_access_flags = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_ATOMIC,
    };
    int error = ibv_modify_qp(qp, &init, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
    if (error)
        die("to INIT: %s", strerror(error));
}

struct address address_of(struct endpoint *at, struct ibv_qp *qp) {
    return (struct address){.qpn = qp->qp_num, .gid = at->gid};
}

void connect_qp(struct ibv_qp *qp, const struct address *peer, const struct patience *patience) {
    to_rtr(qp, peer);
    to_rts(qp, patience);
}

void to_rtr(struct ibv_qp *qp, const struct address *peer) {
    struct ibv_qp_attr rtr = {
        .qp_state = IBV_QPS_RTR,
        .path_mtu = IBV_MTU_1024,
        .dest_qp_num = peer->qpn,
        .rq_psn = 7,
        .max_dest_rd_atomic = 8,
        .min_rnr_timer = 12,
        .ah_attr = {.is_global = 1, .port_num = 1, .grh = {.dgid = peer->gid, .sgid_index = gid_index, .hop_limit = 64}},
    };
    int error = ibv_modify_qp(qp, &rtr, IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
                                            IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER);
    if (error)
        die("to RTR: %s", strerror(error));
}

void to_rts(struct ibv_qp *qp, const struct patience *patience) {
    struct ibv_qp_attr rts = {
        .qp_state = IBV_QPS_RTS,
        .sq_psn = 7,
        .timeout = patience->timeout,
        .retry_cnt = patience->retries,
        .rnr_retry = patience->rnr_retries,
        .max_rd_atomic = 8,
    };
    int error = ibv_modify_qp(qp, &rts, IBV_QP_STATE | IBV_QP_SQ_PSN | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
                                        IBV_QP_MAX_QP_RD_ATOMIC);
    if (error)
        die("to RTS: %s", strerror(error));
}

struct ibv_mr *register_memory(struct endpoint *at, void *start, size_t bytes, int access) {
    struct ibv_mr *region = ibv_reg_mr(at->pd, start, bytes, access);
    if (!region)
        die("ibv_reg_mr: %s", strerror(errno));
    return region;
}

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int await_completion(struct endpoint *at, struct ibv_cq *cq, struct ibv_wc *found, int seconds) {
    double deadline = now() + seconds;
    for (;;) {
        int count = ibv_poll_cq(cq, 1, found);
        if (count < 0)
            die("ibv_poll_cq: %d", count);
        if (count)
            return 1;
        if (now() > deadline)
            return 0;
        if (!at->channel)
            continue;
        if (ibv_req_notify_cq(cq, 0))
            die("ibv_req_notify_cq");
        if ((count = ibv_poll_cq(cq, 1, found)))
            return count;
        struct pollfd wait = {.fd = at->channel->fd, .events = POLLIN};
        if (poll(&wait, 1, 1000) == 1) {
            struct ibv_cq *which;
            void *context;
            if (ibv_get_cq_event(at->channel, &which, &context))
                die("ibv_get_cq_event: %s", strerror(errno));
            ibv_ack_cq_events(which, 1);
        }
    }
}

int listen_and_accept(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&any, sizeof any) || listen(listener, 1))
        die("port %d: %s", port, strerror(errno));
    int peer = accept(listener, NULL, NULL);
    if (peer < 0)
        die("accept: %s", strerror(errno));
    close(listener);
    return peer;
}

int connect_to(const char *host, int port) {
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &server.sin_addr) != 1)
        die("%s is no IPv4 address", host);
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(peer, (struct sockaddr *)&server, sizeof server))
        die("connect to %s: %s", host, strerror(errno));
    return peer;
}

void send_all(int peer, const void *bytes, size_t count) {
    for (const char *at = bytes; count > 0;) {
        ssize_t sent = send(peer, at, count, MSG_NOSIGNAL);
        if (sent <= 0)
            die("the other program is gone: %s", strerror(errno));
        at += sent;
        count -= (size_t)sent;
    }
}

void receive_all(int peer, void *bytes, size_t count) {
    for (char *at = bytes; count > 0;) {
        ssize_t got = recv(peer, at, count, 0);
        if (got <= 0)
            die("the other program is gone");
        at += got;
        count -= (size_t)got;
    }
}

uint64_t checksum(const void *bytes, size_t count, uint64_t sum) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++)
        sum = (sum ^ at[i]) * 0x100000001b3u;
    return sum;
}

uint64_t next_random(uint64_t *state) {
    uint64_t mixed = (*state += 0x9e3779b97f4a7c15u);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}
