/*
 * verbs-windows CASE [SERVER]
 *
 * Memory windows and invalidation. The server has the memory and gives out keys; the client tries them, each that must fail
 * on a QP of its own. Ends with 0 and "as specified" when every key opened what it should, and nothing else.
 */
#include "objects.h"

#include <errno.h>
#include <string.h>

enum { port = 18604, window_offset = 8192, window_bytes = 4096 };
enum { all_access = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_ATOMIC | IBV_ACCESS_MW_BIND };
enum { read_write = IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE };

static struct scene scene;
static struct ibv_cq *cq;

struct trial { /* server to client: one request to make with a key */
    uint64_t address;
    uint32_t key, opcode, bytes, status;
};

/* Server: has the client try. What fails takes this end of the QP down too, which is told why. */
static void try(struct ibv_qp *qp, uint32_t key, enum ibv_wr_opcode opcode, uint64_t address, uint32_t bytes, enum ibv_wc_status status) {
    struct trial trial = {address, key, opcode, bytes, status};
    send_all(scene.peer, &trial, sizeof trial);
    meet(&scene);
    if (status == IBV_WC_REM_ACCESS_ERR)
        expect_event(&scene, IBV_EVENT_QP_ACCESS_ERR, qp, "a key that does not open this");
}

/* Client: `count` trials of the server's. */
static void obey(struct ibv_qp *qp, int count) {
    for (int i = 0; i < count; i++) {
        struct trial trial;
        receive_all(scene.peer, &trial, sizeof trial);
        post(&scene, qp, trial.opcode, 0, trial.bytes, trial.address, trial.key, 0);
        expect(&scene, cq, trial.status, "a trial");
        meet(&scene);
    }
}

/* What lies in the region, but beyond the window. */
static enum ibv_wc_status beyond(void) {
    return is_kernels(scene.at.device) ? IBV_WC_SUCCESS : IBV_WC_REM_ACCESS_ERR;
}

static uint64_t at(size_t offset) {
    return (uintptr_t)scene.memory + offset;
}

static struct ibv_mw *allocate(enum ibv_mw_type type) {
    struct ibv_mw *window = ibv_alloc_mw(scene.at.pd, type);
    if (!window)
        die("ibv_alloc_mw: %s", strerror(errno));
    return window;
}

static void bind1(struct ibv_qp *qp, struct ibv_mw *window, struct ibv_mr *region, size_t offset, uint64_t bytes, unsigned access,
                  enum ibv_wc_status status) {
    struct ibv_mw_bind request = {.wr_id = 7, .send_flags = IBV_SEND_SIGNALED, .bind_info = {region, at(offset), bytes, access}};
    MUST(ibv_bind_mw(qp, window, &request));
    struct ibv_wc done = expect(&scene, cq, status, "binding a window of type 1");
    if (done.wr_id != 7 || (status == IBV_WC_SUCCESS && done.opcode != IBV_WC_BIND_MW))
        die("a binding completes as %lu with opcode %d", (unsigned long)done.wr_id, done.opcode);
}

static void bind_by_request(struct ibv_qp *qp, struct ibv_mw *window, struct ibv_mr *region, size_t offset, uint64_t bytes, unsigned access,
                  enum ibv_wc_status status) {
    uint32_t key = ibv_inc_rkey(window->rkey);
    struct ibv_send_wr request = {.opcode = IBV_WR_BIND_MW, .send_flags = IBV_SEND_SIGNALED}, *bad;
    request.bind_mw.mw = window;
    request.bind_mw.rkey = key;
    request.bind_mw.bind_info = (struct ibv_mw_bind_info){region, at(offset), bytes, access};
    MUST(ibv_post_send(qp, &request, &bad));
    expect(&scene, cq, status, "binding a window by a work request");
    if (status == IBV_WC_SUCCESS)
        window->rkey = key;
}

static void type1_serve(void) {
    struct ibv_qp *qp = connected_qp(&scene, cq, NULL);
    struct ibv_mw *window = allocate(IBV_MW_TYPE_1);
    uint32_t unbound = window->rkey;
    bind1(qp, window, scene.region, window_offset, window_bytes, read_write, IBV_WC_SUCCESS);
    if (window->rkey == unbound || (window->rkey ^ unbound) >> 8)
        die("the window's key was %x and is %x", unbound, window->rkey);
    try(qp, window->rkey, IBV_WR_RDMA_WRITE, at(window_offset), window_bytes, IBV_WC_SUCCESS);
    try(qp, window->rkey, IBV_WR_RDMA_READ, at(window_offset + 100), 200, IBV_WC_SUCCESS);
    REFUSED(ibv_dereg_mr(scene.region), EINVAL);
    REFUSED(ibv_dealloc_pd(scene.at.pd), EBUSY);

    /* Bound again: narrower, and for reading only. */
    uint32_t former = window->rkey;
    bind1(qp, window, scene.region, window_offset, 100, IBV_ACCESS_REMOTE_READ, IBV_WC_SUCCESS);
    try(qp, window->rkey, IBV_WR_RDMA_READ, at(window_offset), 100, IBV_WC_SUCCESS);
    try(qp, window->rkey, IBV_WR_RDMA_WRITE, at(window_offset), 100, IBV_WC_REM_ACCESS_ERR);
    qp = connected_qp(&scene, cq, NULL);
    try(qp, window->rkey, IBV_WR_RDMA_READ, at(window_offset + 1), 100, beyond());
    qp = connected_qp(&scene, cq, NULL);
    try(qp, window->rkey, IBV_WR_RDMA_READ, at(window_offset - 1), 8, beyond());
    qp = connected_qp(&scene, cq, NULL);
    try(qp, former, IBV_WR_RDMA_READ, at(window_offset), 8, IBV_WC_REM_ACCESS_ERR);

    /* Bound to nothing, which opens nothing and holds nothing. */
    qp = connected_qp(&scene, cq, NULL);
    former = window->rkey;
    bind1(qp, window, scene.region, 0, 0, 0, IBV_WC_SUCCESS);
    try(qp, former, IBV_WR_RDMA_READ, at(window_offset), 8, IBV_WC_REM_ACCESS_ERR);
    qp = connected_qp(&scene, cq, NULL);
    try(qp, window->rkey, IBV_WR_RDMA_READ, at(window_offset), 8, IBV_WC_REM_ACCESS_ERR);
    qp = connected_qp(&scene, cq, NULL);
    bind1(qp, window, scene.region, 0, 64, IBV_ACCESS_REMOTE_ATOMIC, IBV_WC_SUCCESS);
    try(qp, window->rkey, IBV_WR_ATOMIC_FETCH_AND_ADD, at(8), 8, IBV_WC_SUCCESS);
    former = window->rkey;
    MUST(ibv_dealloc_mw(window));
    try(qp, former, IBV_WR_ATOMIC_FETCH_AND_ADD, at(8), 8, IBV_WC_REM_ACCESS_ERR);
    MUST(ibv_dereg_mr(scene.region));
}

static void type1_use(void) {
    static const int trials[] = {4, 1, 1, 1, 1, 1, 2};
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++)
        obey(connected_qp(&scene, cq, NULL), trials[i]);
}

static void type2_serve(void) {
    struct ibv_qp *qp = connected_qp(&scene, cq, NULL);
    struct ibv_mw *window = allocate(IBV_MW_TYPE_2), *zero_based = allocate(IBV_MW_TYPE_2);
    bind_by_request(qp, window, scene.region, window_offset, window_bytes, read_write, IBV_WC_SUCCESS);
    bind_by_request(qp, zero_based, scene.region, window_offset, window_bytes, read_write | IBV_ACCESS_ZERO_BASED, IBV_WC_SUCCESS);
    try(qp, window->rkey, IBV_WR_RDMA_WRITE, at(window_offset), window_bytes, IBV_WC_SUCCESS);
    try(qp, zero_based->rkey, IBV_WR_RDMA_READ, 0, window_bytes, IBV_WC_SUCCESS);

    /* It is this QP's. */
    struct ibv_qp *other = connected_qp(&scene, cq, NULL);
    try(other, window->rkey, IBV_WR_RDMA_READ, at(window_offset), 8, IBV_WC_REM_ACCESS_ERR);

    /* Taken back by its owner. */
    uint32_t former = window->rkey;
    post(&scene, qp, IBV_WR_LOCAL_INV, 0, 0, 0, former, 9);
    struct ibv_wc done = expect(&scene, cq, IBV_WC_SUCCESS, "a local invalidation");
    if (done.opcode != IBV_WC_LOCAL_INV || done.wr_id != 9)
        die("an invalidation completes as %lu with opcode %d", (unsigned long)done.wr_id, done.opcode);

    /* Given out again, and taken back by the peer. */
    bind_by_request(qp, window, scene.region, window_offset, window_bytes, read_write, IBV_WC_SUCCESS);
    post_receive(&scene, qp, 0, 64, 1);
    try(qp, window->rkey, IBV_WR_SEND_WITH_INV, 0, 16, IBV_WC_SUCCESS);
    done = expect(&scene, cq, IBV_WC_SUCCESS, "a send with invalidation");
    if (!(done.wc_flags & (is_kernels(scene.at.device) ? KERNELS_WITH_INV : IBV_WC_WITH_INV)) || done.invalidated_rkey != window->rkey || done.byte_len != 16)
        die("a send with invalidation comes with flags %x, key %x, %u bytes", done.wc_flags, done.invalidated_rkey, done.byte_len);
    try(qp, zero_based->rkey, IBV_WR_RDMA_READ, 1, window_bytes, beyond());
    qp = connected_qp(&scene, cq, NULL);
    try(qp, window->rkey, IBV_WR_RDMA_READ, at(window_offset), 8, IBV_WC_REM_ACCESS_ERR);
    qp = connected_qp(&scene, cq, NULL);
    bind_by_request(qp, window, scene.region, window_offset, window_bytes, read_write, IBV_WC_SUCCESS);
    try(qp, former, IBV_WR_RDMA_READ, at(window_offset), 8, IBV_WC_REM_ACCESS_ERR);

    /* Of what is not to be invalidated: the sender is done, the receiver fails. */
    qp = connected_qp(&scene, cq, NULL);
    post_receive(&scene, qp, 0, 64, 1);
    try(qp, scene.region->rkey, IBV_WR_SEND_WITH_INV, 0, 16, IBV_WC_SUCCESS);
    expect(&scene, cq, IBV_WC_REM_INV_REQ_ERR, "a send that invalidates a region");
    expect_event(&scene, IBV_EVENT_QP_REQ_ERR, qp, "a send that invalidates a region");
    MUST(ibv_dealloc_mw(window));
    MUST(ibv_dealloc_mw(zero_based));
    MUST(ibv_dereg_mr(scene.region));
}

static void type2_use(void) {
    struct ibv_qp *qp = connected_qp(&scene, cq, NULL);
    obey(qp, 2);
    obey(connected_qp(&scene, cq, NULL), 1);
    obey(qp, 2);
    for (int i = 0; i < 3; i++)
        obey(connected_qp(&scene, cq, NULL), 1);
}

/* Bindings and invalidations that must fail, each with its QP. */
static void refused_serve(void) {
    struct ibv_mr *unbindable = register_memory(&scene.at, scene.memory, region_bytes, IBV_ACCESS_LOCAL_WRITE | read_write);
    struct ibv_mr *read_only = register_memory(&scene.at, scene.memory, region_bytes, IBV_ACCESS_REMOTE_READ | IBV_ACCESS_MW_BIND);
    struct ibv_mw *one = allocate(IBV_MW_TYPE_1), *two = allocate(IBV_MW_TYPE_2);
    struct ibv_pd *elsewhere = ibv_alloc_pd(scene.at.device);
    struct ibv_mw *foreign = ibv_alloc_mw(elsewhere, IBV_MW_TYPE_2);
    struct ibv_mr *foreign_region = ibv_reg_mr(elsewhere, scene.memory, region_bytes, all_access);
#define FRESH connected_qp(&scene, cq, NULL)
    bind_by_request(FRESH, one, unbindable, 0, 64, IBV_ACCESS_REMOTE_READ, IBV_WC_MW_BIND_ERR);
    one = allocate(IBV_MW_TYPE_1);
    bind_by_request(FRESH, one, read_only, 0, 64, IBV_ACCESS_REMOTE_WRITE, IBV_WC_MW_BIND_ERR);
    one = allocate(IBV_MW_TYPE_1);
    bind_by_request(FRESH, one, scene.region, region_bytes - 32, 64, IBV_ACCESS_REMOTE_READ, IBV_WC_MW_BIND_ERR);
    one = allocate(IBV_MW_TYPE_1);
    int wanted = is_kernels(scene.at.device) ? IBV_WC_SUCCESS : IBV_WC_MW_BIND_ERR;
    bind_by_request(FRESH, one, foreign_region, 0, 64, IBV_ACCESS_REMOTE_READ, wanted);
    bind_by_request(FRESH, foreign, scene.region, 0, 64, IBV_ACCESS_REMOTE_READ, IBV_WC_MW_BIND_ERR);
    bind_by_request(FRESH, two, scene.region, 0, 0, IBV_ACCESS_REMOTE_READ, IBV_WC_MW_BIND_ERR);
    struct ibv_qp *qp = FRESH;
    bind_by_request(qp, two, scene.region, 0, 64, IBV_ACCESS_REMOTE_READ, IBV_WC_SUCCESS);
    bind_by_request(qp, two, scene.region, 64, 64, IBV_ACCESS_REMOTE_READ, IBV_WC_MW_BIND_ERR);

    /* By another QP; of a window that is not bound, of type 1, of a region, of nothing. */
    if (!is_kernels(scene.at.device)) {
        post(&scene, FRESH, IBV_WR_LOCAL_INV, 0, 0, 0, two->rkey, 0);
        expect(&scene, cq, IBV_WC_LOC_QP_OP_ERR, "invalidating another QP's window");
        MUST(ibv_destroy_qp(qp));
        post(&scene, FRESH, IBV_WR_LOCAL_INV, 0, 0, 0, two->rkey, 0);
        expect(&scene, cq, IBV_WC_LOC_QP_OP_ERR, "invalidating a window whose QP is gone");
    }
    qp = FRESH;
    one = allocate(IBV_MW_TYPE_1);
    bind1(qp, one, scene.region, 0, 64, IBV_ACCESS_REMOTE_READ, IBV_WC_SUCCESS);
    post(&scene, qp, IBV_WR_LOCAL_INV, 0, 0, 0, one->rkey, 0);
    expect(&scene, cq, IBV_WC_LOC_QP_OP_ERR, "invalidating a window of type 1");
    post(&scene, FRESH, IBV_WR_LOCAL_INV, 0, 0, 0, scene.region->rkey, 0);
    expect(&scene, cq, IBV_WC_LOC_QP_OP_ERR, "invalidating a region");
    post(&scene, FRESH, IBV_WR_LOCAL_INV, 0, 0, 0, 0x12345678, 0);
    expect(&scene, cq, IBV_WC_LOC_QP_OP_ERR, "invalidating nothing");
    REFUSED(ibv_dealloc_pd(elsewhere), EBUSY);
    if (is_kernels(scene.at.device))
        return;
    MUST(ibv_dealloc_mw(foreign));
    MUST(ibv_dereg_mr(foreign_region));
    MUST(ibv_dealloc_pd(elsewhere));
}

static void refused_use(void) {
    for (int i = is_kernels(scene.at.device) ? 2 : 0; i < 12; i++)
        connected_qp(&scene, cq, NULL);
}

/* Bindings and invalidations between many messages: each completes in its turn. */
static void mixed_serve(void) {
    struct ibv_qp *qp = connected_qp(&scene, cq, NULL);
    for (uint64_t i = 0; i < 60; i++)
        post_receive(&scene, qp, 1024 * (i % 16), 1024, i);
    meet(&scene);
    for (uint64_t i = 0; i < 60; i++) {
        struct ibv_wc done = expect(&scene, cq, IBV_WC_SUCCESS, "a receive");
        if (done.wr_id != i)
            die("receive %lu, where %lu was to come", (unsigned long)done.wr_id, (unsigned long)i);
    }
}

static void mixed_use(void) {
    struct ibv_qp *qp = connected_qp(&scene, cq, NULL);
    struct ibv_mw *window = allocate(IBV_MW_TYPE_2);
    meet(&scene);
    for (int round = 0; round < 6; round++) {
        uint32_t key = ibv_inc_rkey(window->rkey);
        for (uint64_t i = 0; i < 10; i++) {
            if (i == 3) {
                struct ibv_send_wr bind = {.wr_id = 100, .opcode = IBV_WR_BIND_MW, .send_flags = IBV_SEND_SIGNALED}, *bad;
                bind.bind_mw.mw = window;
                bind.bind_mw.rkey = key;
                bind.bind_mw.bind_info = (struct ibv_mw_bind_info){scene.region, at(0), 4096, IBV_ACCESS_REMOTE_READ};
                MUST(ibv_post_send(qp, &bind, &bad));
                window->rkey = key;
            } else if (i == 7) {
                post(&scene, qp, IBV_WR_LOCAL_INV, 0, 0, 0, key, 101);
            }
            post(&scene, qp, IBV_WR_SEND, 0, 1024, 0, 0, i);
        }
        for (uint64_t i = 0, next = 0; i < 12; i++) {
            struct ibv_wc done = expect(&scene, cq, IBV_WC_SUCCESS, "one of a round");
            uint64_t wanted = i == 3 ? 100 : i == 8 ? 101 : next++;
            if (done.wr_id != wanted)
                die("completion %lu, where %lu was to come", (unsigned long)done.wr_id, (unsigned long)wanted);
        }
    }
}

static const struct scene_case cases[] = {
    {"type1", type1_serve, type1_use},
    {"type2", type2_serve, type2_use},
    {"refused", refused_serve, refused_use},
    {"mixed", mixed_serve, mixed_use},
};

int main(int count, char **words) {
    return play(count, words, port, all_access, cases, sizeof cases / sizeof cases[0], &scene, &cq);
}
