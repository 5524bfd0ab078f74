/*
 * verbs-objects CASE [SERVER]
 *
 * SRQs, CQs that are resized or overrun, and the events of QPs. The server has the objects, the client sends. Ends with 0 and
 * "as specified" when everything came as the specification, and the rxe driver within it, have it.
 */
#include "objects.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { port = 18603, qps = 4, message = 64 };

static struct scene scene;
static struct ibv_cq *cq;

static void connect_all(struct ibv_qp **made, struct ibv_srq *srq) {
    for (int i = 0; i < qps; i++)
        made[i] = connected_qp(&scene, cq, srq);
}

static void post_srq(struct ibv_srq *srq, int first, int count) {
    for (int i = first; i < first + count; i++) {
        struct ibv_sge part = {(uintptr_t)(scene.memory + i * message), message, scene.region->lkey};
        struct ibv_recv_wr request = {.wr_id = (uint64_t)i, .sg_list = &part, .num_sge = 1}, *bad;
        MUST(ibv_post_srq_recv(srq, &request, &bad));
    }
}

/* The client sends on each QP in turn; what it sends says which QP and which of its messages it is. */
static uint32_t sent[qps];

static void send_on(struct ibv_qp **all, int which, int count) {
    for (int i = 0; i < count; i++) {
        uint32_t words[2] = {(uint32_t)which, sent[which]++};
        size_t offset = (size_t)(which * 16 + i % 16) * message;
        memcpy(scene.memory + offset, words, sizeof words);
        post(&scene, all[which], IBV_WR_SEND, offset, message, 0, 0, 0);
    }
    for (int i = 0; i < count; i++)
        expect(&scene, cq, IBV_WC_SUCCESS, "SEND");
}

/* Takes `count` messages: on each QP in order, and the receives themselves in the order in which they were posted. */
static void take(struct ibv_qp **all, uint32_t *next, int count, uint64_t first_id, int slots) {
    uint64_t seen = 0;
    for (int i = 0; i < count; i++) {
        struct ibv_wc done = expect(&scene, cq, IBV_WC_SUCCESS, "a receive of the SRQ");
        uint32_t words[2];
        int which = 0;
        while (which < qps && all[which]->qp_num != done.qp_num)
            which++;
        memcpy(words, scene.memory + done.wr_id % (uint64_t)slots * message, sizeof words);
        if (which == qps || done.byte_len != message || words[0] != (uint32_t)which || words[1] != next[which])
            die("receive %lu on QP %d: message %u of QP %u, where %u was to come", (unsigned long)done.wr_id, which, words[1], words[0],
                which < qps ? next[which] : 0);
        next[which]++;
        if (done.wr_id < first_id || done.wr_id >= first_id + (uint64_t)count || seen >> (done.wr_id - first_id) & 1)
            die("receive %lu was taken out of turn", (unsigned long)done.wr_id);
        seen |= 1ull << (done.wr_id - first_id);
    }
}

static void srq_serve(void) {
    struct ibv_srq_init_attr wanted = {.attr = {.max_wr = 40, .max_sge = 2}};
    struct ibv_srq *srq = ibv_create_srq(scene.at.pd, &wanted);
    struct ibv_srq_attr now;
    struct ibv_qp *all[qps];
    uint32_t next[qps] = {0};
    if (!srq)
        die("ibv_create_srq: %s", strerror(errno));
    MUST(ibv_query_srq(srq, &now));
    if (now.max_wr != 63 || now.max_sge != 2 || now.srq_limit != 0)
        die("an SRQ of %u, %u SGEs, limit %u", now.max_wr, now.max_sge, now.srq_limit);
    connect_all(all, srq);
    post_srq(srq, 0, 40);
    meet(&scene);
    take(all, next, 32, 0, 64);
    meet(&scene);

    /* 8 are left. The limit is reached once fewer are left than it says, and is said once. */
    MUST(ibv_modify_srq(srq, &(struct ibv_srq_attr){.srq_limit = 6}, IBV_SRQ_LIMIT));
    meet(&scene);
    take(all, next, 2, 32, 64);
    expect_no_event(&scene, "6 of 6 left");
    meet(&scene);
    take(all, next, 1, 34, 64);
    expect_event(&scene, IBV_EVENT_SRQ_LIMIT_REACHED, srq, "5 of 6 left");
    MUST(ibv_query_srq(srq, &now));
    if (now.srq_limit != 0)
        die("the limit is still %u", now.srq_limit);
    meet(&scene);
    take(all, next, 1, 35, 64);
    expect_no_event(&scene, "a limit that has been said");

    /* Four are left, which move along. */
    REFUSED(ibv_modify_srq(srq, &(struct ibv_srq_attr){.max_wr = 2}, IBV_SRQ_MAX_WR), EINVAL);
    REFUSED(ibv_modify_srq(srq, &(struct ibv_srq_attr){.max_wr = 0}, IBV_SRQ_MAX_WR), EINVAL);
    REFUSED(ibv_modify_srq(srq, &(struct ibv_srq_attr){.srq_limit = 64}, IBV_SRQ_LIMIT), EINVAL);
    MUST(ibv_modify_srq(srq, &(struct ibv_srq_attr){.max_wr = 200, .srq_limit = 1}, IBV_SRQ_MAX_WR | IBV_SRQ_LIMIT));
    MUST(ibv_query_srq(srq, &now));
    if (now.max_wr != 255 || now.srq_limit != 1)
        die("after resizing: %u, limit %u", now.max_wr, now.srq_limit);
    post_srq(srq, 40, 251);
    struct ibv_recv_wr one_more = {.wr_id = 999}, *bad;
    REFUSED(ibv_post_srq_recv(srq, &one_more, &bad), ENOMEM);
    meet(&scene);
    take(all, next, 40, 36, 300);
    meet(&scene);

    /* One QP fails. Its receives are the others'. */
    MUST(ibv_modify_qp(all[0], &(struct ibv_qp_attr){.qp_state = IBV_QPS_ERR}, IBV_QP_STATE));
    expect_event(&scene, IBV_EVENT_QP_LAST_WQE_REACHED, all[0], "a QP with an SRQ in error");
    expect_none(cq, "an SRQ's receives");
    meet(&scene);
    take(all, next, 16, 76, 300);

    REFUSED(ibv_destroy_srq(srq), EBUSY);
    for (int i = 0; i < qps; i++)
        MUST(ibv_destroy_qp(all[i]));
    MUST(ibv_destroy_srq(srq));
}

static void srq_use(void) {
    struct ibv_qp *all[qps];
    connect_all(all, NULL);
    meet(&scene);
    for (int i = 0; i < qps; i++)
        send_on(all, i, 8);
    meet(&scene);
    meet(&scene);
    send_on(all, 3, 2);
    meet(&scene);
    send_on(all, 2, 1);
    meet(&scene);
    send_on(all, 1, 1);
    meet(&scene);
    for (int i = 0; i < qps; i++)
        send_on(all, i, 10);
    meet(&scene);
    meet(&scene);
    send_on(all, 1, 8);
    send_on(all, 2, 8);
}

/* Nothing is posted to the SRQ for a while: the sender hears so, waits, and goes on. */
static void srq_empty_serve(void) {
    struct ibv_srq_init_attr wanted = {.attr = {.max_wr = 40, .max_sge = 2}};
    struct ibv_srq *srq = ibv_create_srq(scene.at.pd, &wanted);
    struct ibv_qp *all[qps];
    uint32_t next[qps] = {0};
    connect_all(all, srq);
    meet(&scene);
    for (int i = 0; i < 40; i++) {
        usleep(2000);
        post_srq(srq, i, 1);
    }
    take(all, next, 40, 0, 64);
}

static void srq_empty_use(void) {
    struct ibv_qp *all[qps];
    connect_all(all, NULL);
    meet(&scene);
    for (int i = 0; i < qps; i++)
        send_on(all, i, 10);
}

static void resize_serve(void) {
    struct ibv_cq *small = ibv_create_cq(scene.at.device, 4, NULL, NULL, 0);
    if (!small || small->cqe != 7)
        die("a CQ of 4 has room for %d", small ? small->cqe : -1);
    struct ibv_qp *qp = connected_qp(&scene, small, NULL);
    for (int i = 0; i < 40; i++)
        post_receive(&scene, qp, 0, message, (uint64_t)i);
    meet(&scene);
    meet(&scene);
    REFUSED(ibv_resize_cq(small, 4), EINVAL);
    REFUSED(ibv_resize_cq(small, 0), EINVAL);
    MUST(ibv_resize_cq(small, 64));
    if (small->cqe != 127)
        die("a CQ of 64 has room for %d", small->cqe);
    meet(&scene);
    meet(&scene);
    for (int i = 0; i < 35; i++) {
        struct ibv_wc done = expect(&scene, small, IBV_WC_SUCCESS, "a receive");
        if (done.wr_id != (uint64_t)i)
            die("completion %lu, where %d was to come", (unsigned long)done.wr_id, i);
    }
    MUST(ibv_resize_cq(small, 1));
    if (small->cqe != 1)
        die("a CQ of 1 has room for %d", small->cqe);

    /* Five more completions than it has room for are coming: the CQ and its QP are lost. */
    meet(&scene);
    expect_events(&scene, IBV_EVENT_CQ_ERR, small, IBV_EVENT_QP_FATAL, qp, "an overrun CQ");
    meet(&scene);
    REFUSED(ibv_destroy_cq(small), EBUSY);
    MUST(ibv_destroy_qp(qp));
    MUST(ibv_destroy_cq(small));
}

static void resize_use(void) {
    struct ibv_qp *qp = connected_qp(&scene, cq, NULL);
    meet(&scene);
    for (int i = 0; i < 5; i++)
        post(&scene, qp, IBV_WR_SEND, 0, message, 0, 0, 0);
    for (int i = 0; i < 5; i++)
        expect(&scene, cq, IBV_WC_SUCCESS, "SEND");
    meet(&scene);
    meet(&scene);
    for (int i = 0; i < 30; i++)
        post(&scene, qp, IBV_WR_SEND, 0, message, 0, 0, 0);
    for (int i = 0; i < 30; i++)
        expect(&scene, cq, IBV_WC_SUCCESS, "SEND");
    meet(&scene);
    meet(&scene);
    for (int i = 0; i < 5; i++)
        post(&scene, qp, IBV_WR_SEND, 0, message, 0, 0, 0);
    meet(&scene);
}

static void events_serve(void) {
    /* The first message comes while the QP is in RTR. */
    struct ibv_qp *qp = make_qp(&scene.at, cq, cq, 16, 1, 0);
    struct address mine = address_of(&scene.at, qp), theirs;
    struct ibv_qp_attr to_error = {.qp_state = IBV_QPS_ERR};
    send_all(scene.peer, &mine, sizeof mine);
    receive_all(scene.peer, &theirs, sizeof theirs);
    to_rtr(qp, &theirs);
    post_receive(&scene, qp, 0, message, 1);
    post_receive(&scene, qp, 0, message, 2);
    meet(&scene);
    expect_event(&scene, IBV_EVENT_COMM_EST, qp, "the first message in RTR");
    expect(&scene, cq, IBV_WC_SUCCESS, "the receive");
    to_rts(qp, &usual_patience);
    meet(&scene);
    expect(&scene, cq, IBV_WC_SUCCESS, "the second receive");
    expect_no_event(&scene, "the second message");

    /* A drained send queue says so when asked. */
    MUST(ibv_modify_qp(qp, &(struct ibv_qp_attr){.qp_state = IBV_QPS_SQD, .en_sqd_async_notify = 1}, IBV_QP_STATE | IBV_QP_EN_SQD_ASYNC_NOTIFY));
    expect_event(&scene, IBV_EVENT_SQ_DRAINED, qp, "a QP in SQD");

    /* By the application's own wish nothing is an error. */
    MUST(ibv_modify_qp(qp, &to_error, IBV_QP_STATE));
    expect_no_event(&scene, "a QP that is taken to ERR");
    MUST(ibv_destroy_qp(qp));

    struct ibv_qp *touched = connected_qp(&scene, cq, NULL);
    expect_event(&scene, IBV_EVENT_QP_ACCESS_ERR, touched, "a peer with a wrong key");
    struct ibv_qp *asked = connected_qp(&scene, cq, NULL);
    post_receive(&scene, asked, 0, 8, 3);
    meet(&scene);
    expect_event(&scene, IBV_EVENT_QP_REQ_ERR, asked, "a message longer than its receive");
    expect(&scene, cq, is_kernels(scene.at.device) ? IBV_WC_LOC_QP_OP_ERR : IBV_WC_LOC_LEN_ERR, "the receive");

    /* One that nobody has read goes with its QP, which is not held up by it. */
    struct ibv_qp *unread = connected_qp(&scene, cq, NULL);
    meet(&scene);
    MUST(ibv_destroy_qp(unread));
    MUST(ibv_destroy_qp(touched));
    MUST(ibv_destroy_qp(asked));
    expect_no_event(&scene, "the event of a QP that is gone");
}

static void fails(struct ibv_qp *qp, enum ibv_wr_opcode opcode, uint32_t bytes, uint32_t key, enum ibv_wc_status status) {
    post(&scene, qp, opcode, 0, bytes, (uintptr_t)scene.memory, key, 0);
    expect(&scene, cq, status, "the wrong request");
}

static void events_use(void) {
    struct ibv_qp *qp = make_qp(&scene.at, cq, cq, 16, 1, 0);
    struct address mine = address_of(&scene.at, qp), theirs;
    send_all(scene.peer, &mine, sizeof mine);
    receive_all(scene.peer, &theirs, sizeof theirs);
    connect_qp(qp, &theirs, &usual_patience);
    meet(&scene);
    for (int i = 0; i < 2; i++) {
        post(&scene, qp, IBV_WR_SEND, 0, message, 0, 0, 0);
        expect(&scene, cq, IBV_WC_SUCCESS, "SEND");
        if (i == 0)
            meet(&scene);
    }
    expect_no_event(&scene, "a client that was in RTS first");
    fails(connected_qp(&scene, cq, NULL), IBV_WR_RDMA_WRITE, message, 1, IBV_WC_REM_ACCESS_ERR);
    qp = connected_qp(&scene, cq, NULL);
    meet(&scene);
    fails(qp, IBV_WR_SEND, message, 0, is_kernels(scene.at.device) ? IBV_WC_REM_OP_ERR : IBV_WC_REM_INV_REQ_ERR);
    fails(connected_qp(&scene, cq, NULL), IBV_WR_RDMA_READ, message, 1, IBV_WC_REM_ACCESS_ERR);
    meet(&scene);
}

static const struct scene_case cases[] = {
    {"srq", srq_serve, srq_use},
    {"srq-empty", srq_empty_serve, srq_empty_use},
    {"resize", resize_serve, resize_use},
    {"events", events_serve, events_use},
};

int main(int count, char **words) {
    return play(count, words, port, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ, cases, sizeof cases / sizeof cases[0], &scene, &cq);
}
