/*
 * verbs-unreliable CASE [SERVER]
 *
 * UC: what can't be taken is dropped, nothing is said of it, and both QPs go on. Ends with 0 when it is so. Both programs run the
 * same case; the client sends.
 */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { port = 18604, depth = 32, region_bytes = 1 << 20, patience_seconds = 20 };

static struct endpoint endpoint;
static struct ibv_cq *cq;
static struct ibv_qp *qp;
static unsigned char *memory;
static struct ibv_mr *region;
static int peer, is_client;
static struct {
    struct address address;
    uint64_t start;
    uint32_t rkey;
} mine, theirs;

static void change(struct ibv_qp_attr *to, int mask) {
    int error = ibv_modify_qp(qp, to, mask);
    if (error)
        die("to state %d: %s", to->qp_state, strerror(error));
}

static void make(int access) {
    struct ibv_qp_init_attr wanted = {
        .send_cq = cq,
        .recv_cq = cq,
        .qp_type = IBV_QPT_UC,
        .cap = {.max_send_wr = depth, .max_recv_wr = depth, .max_send_sge = 2, .max_recv_sge = 2, .max_inline_data = 64},
    };
    qp = ibv_create_qp(endpoint.pd, &wanted);
    if (!qp)
        die("ibv_create_qp: %s", strerror(errno));
    struct ibv_qp_attr init = {.qp_state = IBV_QPS_INIT, .port_num = 1, .qp_access_flags = (unsigned)access};
    change(&init, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
}

static void connect_to_theirs(void) {
    struct ibv_qp_attr rtr = {
        .qp_state = IBV_QPS_RTR,
        .path_mtu = IBV_MTU_1024,
        .dest_qp_num = theirs.address.qpn,
        .rq_psn = 7,
        .min_rnr_timer = 12,
        .ah_attr = {.is_global = 1, .port_num = 1, .grh = {.dgid = theirs.address.gid, .sgid_index = gid_index, .hop_limit = 64}},
    };
    int mask = IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN;
    if (ibv_modify_qp(qp, &rtr, mask | IBV_QP_MIN_RNR_TIMER) != EINVAL || ibv_modify_qp(qp, &rtr, mask & ~IBV_QP_RQ_PSN) != EINVAL)
        die("attributes that are RC's, or too few");
    change(&rtr, mask);
    struct ibv_qp_attr rts = {.qp_state = IBV_QPS_RTS, .sq_psn = 7, .timeout = 14};
    if (ibv_modify_qp(qp, &rts, IBV_QP_STATE | IBV_QP_SQ_PSN | IBV_QP_TIMEOUT) != EINVAL)
        die("a timeout");
    change(&rts, IBV_QP_STATE | IBV_QP_SQ_PSN);
}

static void meet(void) {
    char ready = 1;
    send_all(peer, &ready, 1);
    receive_all(peer, &ready, 1);
}

static void post(enum ibv_wr_opcode opcode, uint32_t bytes, uint64_t remote, uint32_t rkey, uint64_t id) {
    struct ibv_sge part = {(uintptr_t)memory, bytes, region->lkey};
    struct ibv_send_wr request = {.wr_id = id, .sg_list = &part, .num_sge = 1, .opcode = opcode, .imm_data = htonl((uint32_t)id),
                                  .send_flags = IBV_SEND_SIGNALED, .wr.rdma = {.remote_addr = remote, .rkey = rkey}}, *bad;
    int error = ibv_post_send(qp, &request, &bad);
    if (error)
        die("ibv_post_send: %s", strerror(error));
}

static void receive(uint32_t bytes, uint64_t id) {
    struct ibv_sge part = {(uintptr_t)memory, bytes, region->lkey};
    struct ibv_recv_wr request = {.wr_id = id, .sg_list = &part, .num_sge = 1}, *bad;
    if (ibv_post_recv(qp, &request, &bad))
        die("ibv_post_recv");
}

static struct ibv_wc expect(enum ibv_wc_status status, const char *what) {
    struct ibv_wc done;
    if (!await_completion(&endpoint, cq, &done, patience_seconds))
        die("%s: no completion", what);
    if (done.status != status)
        die("%s: %s, where %s was to come", what, ibv_wc_status_str(done.status), ibv_wc_status_str(status));
    return done;
}

static void expect_state(enum ibv_qp_state state) {
    struct ibv_qp_attr now;
    struct ibv_qp_init_attr made;
    if (ibv_query_qp(qp, &now, IBV_QP_STATE, &made) || now.qp_state != state || made.qp_type != IBV_QPT_UC)
        die("the QP is in state %d", now.qp_state);
}

/* A request that is lost, and succeeds; then one that arrives. */
static void send_lost(enum ibv_wr_opcode opcode, uint32_t bytes, uint64_t remote, uint32_t rkey) {
    meet();
    post(opcode, bytes, remote, rkey, 1);
    expect(IBV_WC_SUCCESS, "the message to be lost");
    meet();
    meet();
    post(IBV_WR_SEND_WITH_IMM, 16, 0, 0, 2);
    expect(IBV_WC_SUCCESS, "the message behind it");
    expect_state(IBV_QPS_RTS);
}

static void receive_second(uint32_t bytes) {
    if (bytes)
        receive(bytes, 70);
    meet();
    meet();
    if (!bytes) {
        usleep(100000); /* what has left may be on its way */
        receive(1000, 70);
    }
    meet();
    struct ibv_wc got = expect(IBV_WC_SUCCESS, "the message behind it");
    if (got.imm_data != htonl(2) || got.wr_id != 70 || got.byte_len != 16)
        die("message %u of %u bytes has come", ntohl(got.imm_data), got.byte_len);
    expect_state(IBV_QPS_RTS);
}

static void no_receive(void) {
    if (is_client)
        send_lost(IBV_WR_SEND_WITH_IMM, 16, 0, 0);
    else
        receive_second(0);
}

static void a_short_receive(void) {
    if (is_client)
        send_lost(IBV_WR_SEND_WITH_IMM, 101, 0, 0);
    else
        receive_second(100);
}

static void a_foreign_key(void) {
    if (is_client)
        send_lost(IBV_WR_RDMA_WRITE, 64, theirs.start, theirs.rkey ^ 0x5a5a00);
    else
        receive_second(1000);
}

static void beyond_the_region(void) {
    if (is_client)
        send_lost(IBV_WR_RDMA_WRITE_WITH_IMM, 64, theirs.start + region_bytes - 63, theirs.rkey);
    else
        receive_second(1000);
}

/* The QP itself does not allow writes. */
static void no_writes(void) {
    if (is_client)
        send_lost(IBV_WR_RDMA_WRITE, 64, theirs.start, theirs.rkey);
    else
        receive_second(1000);
}

static void all_kinds(void) {
    enum { long_bytes = 700000 };
    if (is_client) {
        for (int i = 0; i < long_bytes; i++)
            memory[i] = (unsigned char)(i * 13 + i / 256);
        meet();
        post(IBV_WR_RDMA_WRITE, long_bytes, theirs.start, theirs.rkey, 1);
        post(IBV_WR_RDMA_WRITE_WITH_IMM, 8, theirs.start, theirs.rkey, 2);
        post(IBV_WR_SEND, 20, 0, 0, 3);
        for (uint64_t id = 1; id <= 3; id++)
            if (expect(IBV_WC_SUCCESS, "a request").wr_id != id)
                die("out of order");
        post(IBV_WR_RDMA_READ, 8, theirs.start, theirs.rkey, 4);
        expect(IBV_WC_LOC_QP_OP_ERR, "a READ, which UC does not have");
        expect_state(IBV_QPS_ERR);
        return;
    }
    receive(1000, 70);
    struct ibv_sge part = {(uintptr_t)memory + region_bytes - 1000, 1000, region->lkey};
    struct ibv_recv_wr request = {.wr_id = 71, .sg_list = &part, .num_sge = 1}, *bad;
    if (ibv_post_recv(qp, &request, &bad))
        die("ibv_post_recv");
    meet();
    struct ibv_wc got = expect(IBV_WC_SUCCESS, "a write with immediate data");
    if (got.opcode != IBV_WC_RECV_RDMA_WITH_IMM || got.imm_data != htonl(2) || got.byte_len != 8 || got.wr_id != 70)
        die("completion: opcode %d, %u bytes", got.opcode, got.byte_len);
    got = expect(IBV_WC_SUCCESS, "a send");
    if (got.opcode != IBV_WC_RECV || got.byte_len != 20 || got.wr_id != 71 || (got.wc_flags & IBV_WC_WITH_IMM))
        die("completion: opcode %d, %u bytes", got.opcode, got.byte_len);
    for (int i = 0; i < long_bytes; i++)
        if (memory[i] != (unsigned char)(i * 13 + i / 256))
            die("byte %d is another", i);
    expect_state(IBV_QPS_RTS);
}

static const struct {
    const char *name;
    void (*run)(void);
    int access;
} cases[] = {
    {"no-receive", no_receive, IBV_ACCESS_REMOTE_WRITE},
    {"short-receive", a_short_receive, IBV_ACCESS_REMOTE_WRITE},
    {"foreign-key", a_foreign_key, IBV_ACCESS_REMOTE_WRITE},
    {"beyond-region", beyond_the_region, IBV_ACCESS_REMOTE_WRITE},
    {"no-writes", no_writes, 0},
    {"all-kinds", all_kinds, IBV_ACCESS_REMOTE_WRITE},
};

int main(int count, char **words) {
    size_t which = 0;
    while (count > 1 && which < sizeof cases / sizeof cases[0] && strcmp(words[1], cases[which].name))
        which++;
    if (count < 2 || which == sizeof cases / sizeof cases[0])
        die("usage: verbs-unreliable CASE [SERVER]");
    is_client = count > 2;
    peer = is_client ? connect_to(words[2], port) : listen_and_accept(port);
    endpoint = open_endpoint(0);
    cq = ibv_create_cq(endpoint.device, 4 * depth, NULL, NULL, 0);
    if (!cq)
        die("ibv_create_cq: %s", strerror(errno));
    memory = aligned_alloc(4096, region_bytes);
    memset(memory, 0, region_bytes);
    region = register_memory(&endpoint, memory, region_bytes, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
    make(cases[which].access | IBV_ACCESS_LOCAL_WRITE);
    mine.address = address_of(&endpoint, qp);
    mine.start = (uintptr_t)memory;
    mine.rkey = region->rkey;
    send_all(peer, &mine, sizeof mine);
    receive_all(peer, &theirs, sizeof theirs);
    connect_to_theirs();
    meet();
    cases[which].run();
    meet();
    puts("as specified");
    return 0;
}
