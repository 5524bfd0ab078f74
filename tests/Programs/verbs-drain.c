/*
 * verbs-drain TRANSPORT (rc, uc or ud)
 *
 * The SQD state, on two QPs of this program: what was begun is finished and then an event says so, what is posted afterwards waits
 * for RTS, and until it is drained no state but ERR can be reached. Ends with 0 when it is so.
 */
#include "endpoint.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { depth = 16, patience_seconds = 20 };

static struct endpoint endpoint;
static unsigned char memory[4096] __attribute__((aligned(4096)));
static struct ibv_mr *region;
static enum ibv_qp_type type;
static struct ibv_ah *own;

static void change(struct ibv_qp *qp, struct ibv_qp_attr to, int mask, int wanted) {
    int error = ibv_modify_qp(qp, &to, IBV_QP_STATE | mask);
    if (error != wanted)
        die("to state %d: %s, where %s was to come", to.qp_state, strerror(error), strerror(wanted));
}

static struct ibv_qp *make(struct ibv_cq *cq) {
    struct ibv_qp_init_attr wanted = {.send_cq = cq, .recv_cq = cq, .qp_type = type,
                                      .cap = {.max_send_wr = depth, .max_recv_wr = depth, .max_send_sge = 1, .max_recv_sge = 1}};
    struct ibv_qp *made = ibv_create_qp(endpoint.pd, &wanted);
    if (!made)
        die("ibv_create_qp: %s", strerror(errno));
    int mask = IBV_QP_PKEY_INDEX | IBV_QP_PORT | (type == IBV_QPT_UD ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS);
    change(made, (struct ibv_qp_attr){.qp_state = IBV_QPS_INIT, .port_num = 1, .qkey = 5}, mask, 0);
    return made;
}

static void connect_pair(struct ibv_qp *qp, uint32_t peer) {
    struct ibv_qp_attr rtr = {
        .qp_state = IBV_QPS_RTR, .path_mtu = IBV_MTU_1024, .dest_qp_num = peer, .max_dest_rd_atomic = 1, .min_rnr_timer = 1,
        .ah_attr = {.is_global = 1, .port_num = 1, .grh = {.dgid = endpoint.gid, .sgid_index = gid_index}}};
    struct ibv_qp_attr rts = {.qp_state = IBV_QPS_RTS, .timeout = 14, .retry_cnt = 7, .rnr_retry = 7, .max_rd_atomic = 1};
    int connected = IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN, reliable = IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER;
    change(qp, rtr, type == IBV_QPT_UD ? 0 : type == IBV_QPT_UC ? connected : connected | reliable, 0);
    reliable = IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC;
    change(qp, rts, IBV_QP_SQ_PSN | (type == IBV_QPT_RC ? reliable : 0), 0);
}

static void post(struct ibv_qp *qp, uint32_t peer, uint64_t id) {
    struct ibv_sge part = {(uintptr_t)memory, 16, region->lkey};
    struct ibv_send_wr request = {.wr_id = id, .sg_list = &part, .num_sge = 1, .opcode = IBV_WR_SEND, .send_flags = IBV_SEND_SIGNALED,
                                  .wr.ud = {.ah = own, .remote_qpn = peer, .remote_qkey = 5}}, *bad;
    if (ibv_post_send(qp, &request, &bad))
        die("ibv_post_send");
}

static void receive(struct ibv_qp *qp) {
    struct ibv_sge part = {(uintptr_t)memory + 1024, 1024, region->lkey};
    struct ibv_recv_wr request = {.wr_id = 100, .sg_list = &part, .num_sge = 1}, *bad;
    if (ibv_post_recv(qp, &request, &bad))
        die("ibv_post_recv");
}

static void expect(struct ibv_cq *cq, uint64_t one, uint64_t other) {
    for (int i = 0; i < 2; i++) {
        struct ibv_wc done;
        if (!await_completion(&endpoint, cq, &done, patience_seconds))
            die("no completion");
        if (done.status != IBV_WC_SUCCESS || (done.wr_id != one && done.wr_id != other))
            die("%s of request %lu", ibv_wc_status_str(done.status), (unsigned long)done.wr_id);
    }
}

static struct ibv_qp_attr query(struct ibv_qp *qp) {
    struct ibv_qp_attr now;
    struct ibv_qp_init_attr made;
    if (ibv_query_qp(qp, &now, IBV_QP_STATE, &made))
        die("ibv_query_qp");
    return now;
}

static void expect_drained(struct ibv_qp *qp) {
    struct pollfd wait = {.fd = endpoint.device->async_fd, .events = POLLIN};
    struct ibv_async_event event;
    if (poll(&wait, 1, patience_seconds * 1000) != 1 || ibv_get_async_event(endpoint.device, &event))
        die("no event");
    if (event.event_type != IBV_EVENT_SQ_DRAINED || event.element.qp != qp)
        die("event %s", ibv_event_type_str(event.event_type));
    ibv_ack_async_event(&event);
    if (query(qp).sq_draining)
        die("still draining");
}

int main(int count, char **words) {
    const char *name = count > 1 ? words[1] : "";
    type = !strcmp(name, "rc") ? IBV_QPT_RC : !strcmp(name, "uc") ? IBV_QPT_UC : IBV_QPT_UD;
    endpoint = open_endpoint(0);
    region = register_memory(&endpoint, memory, sizeof memory, IBV_ACCESS_LOCAL_WRITE);
    struct ibv_ah_attr self = {.is_global = 1, .port_num = 1, .grh = {.dgid = endpoint.gid, .sgid_index = gid_index}};
    own = ibv_create_ah(endpoint.pd, &self);
    struct ibv_cq *cq = ibv_create_cq(endpoint.device, 4 * depth, NULL, NULL, 0);
    struct ibv_qp *from = make(cq), *to = make(cq);
    connect_pair(from, to->qp_num);
    connect_pair(to, from->qp_num);
    const struct ibv_qp_attr sqd = {.qp_state = IBV_QPS_SQD, .en_sqd_async_notify = 1}, rts = {.qp_state = IBV_QPS_RTS};

    /* Nothing is under way: drained at once. What is posted now waits. */
    change(from, sqd, IBV_QP_EN_SQD_ASYNC_NOTIFY, 0);
    expect_drained(from);
    receive(to);
    post(from, to->qp_num, 1);
    usleep(50000);
    struct ibv_wc none;
    if (ibv_poll_cq(cq, 1, &none))
        die("something was sent in SQD");
    change(from, rts, 0, 0);
    expect(cq, 1, 100);

    if (type == IBV_QPT_RC) {
        /* A request that its receiver keeps waiting: it is finished in SQD, and no way leads out before. */
        post(from, to->qp_num, 2);
        usleep(50000);
        change(from, sqd, IBV_QP_EN_SQD_ASYNC_NOTIFY, 0);
        post(from, to->qp_num, 3);
        if (!query(from).sq_draining || query(from).qp_state != IBV_QPS_SQD)
            die("drained, with a request under way");
        change(from, rts, 0, EINVAL);
        receive(to);
        expect(cq, 2, 100);
        expect_drained(from);
        change(from, rts, 0, 0);
        receive(to);
        expect(cq, 3, 100);
    }
    puts("as specified");
    return 0;
}
