/*
 * verbs-extended
 *
 * The extended interfaces: attributes, the GID table, CQs polled entry by entry, work requests built by ibv_wr_*, parent
 * domains, and every operation through them between two QPs of this process. Ends with 0 and "as specified".
 */
#include "objects.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { bytes = 1 << 14, half = bytes / 2 };
enum { all_access = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_ATOMIC | IBV_ACCESS_MW_BIND };
enum {
    operations = IBV_QP_EX_WITH_RDMA_WRITE | IBV_QP_EX_WITH_RDMA_WRITE_WITH_IMM | IBV_QP_EX_WITH_SEND | IBV_QP_EX_WITH_SEND_WITH_IMM |
                 IBV_QP_EX_WITH_RDMA_READ | IBV_QP_EX_WITH_ATOMIC_CMP_AND_SWP | IBV_QP_EX_WITH_ATOMIC_FETCH_AND_ADD | IBV_QP_EX_WITH_LOCAL_INV |
                 IBV_QP_EX_WITH_BIND_MW | IBV_QP_EX_WITH_SEND_WITH_INV
};

static struct endpoint at;
static unsigned char *memory;
static struct ibv_mr *region;
static struct ibv_cq_ex *sends, *receives;
static struct ibv_qp *one, *other;
static struct ibv_qp_ex *building;

static void attributes(void) {
    struct ibv_device_attr_ex device;
    struct ibv_device_attr plain;
    MUST(ibv_query_device_ex(at.device, NULL, &device));
    MUST(ibv_query_device(at.device, &plain));
    if (device.orig_attr.max_qp != plain.max_qp || device.orig_attr.max_srq != plain.max_srq || device.completion_timestamp_mask ||
        device.hca_core_clock || device.odp_caps.general_caps || device.phys_port_cnt_ex > 1)
        die("ibv_query_device_ex says something else than ibv_query_device");
}

static void gids(void) {
    struct ibv_gid_entry entries[64], first;
    union ibv_gid plain;
    ssize_t count = ibv_query_gid_table(at.device, entries, 64, 0);
    if (count < 1)
        die("ibv_query_gid_table: %zd", count);
    for (ssize_t i = 0; i < count; i++) {
        MUST(ibv_query_gid(at.device, 1, (int)entries[i].gid_index, &plain));
        MUST(ibv_query_gid_ex(at.device, 1, entries[i].gid_index, &first, 0));
        if (memcmp(&plain, &entries[i].gid, sizeof plain) || memcmp(&first, &entries[i], sizeof first) ||
            entries[i].gid_type != IBV_GID_TYPE_ROCE_V2 || !entries[i].ndev_ifindex)
            die("GID %zd is not the same in the table and by itself", i);
    }
    int error = ibv_query_gid_ex(at.device, 1, 1000, &first, 0);
    if (!error)
        die("GID 1000 is there");
    error = ibv_query_gid_ex(at.device, 2, 0, &first, 0);
    if (!error)
        die("port 2 is there");
}

static void queues(void) {
    struct ibv_cq_init_attr_ex wanted = {
        .cqe = 64,
        .wc_flags = IBV_WC_EX_WITH_BYTE_LEN | IBV_WC_EX_WITH_IMM | IBV_WC_EX_WITH_QP_NUM | IBV_WC_EX_WITH_SRC_QP,
    };
    struct ibv_cq_init_attr_ex stamped = {.cqe = 64, .wc_flags = IBV_WC_EX_WITH_COMPLETION_TIMESTAMP};
    struct ibv_cq_init_attr_ex overrun = {.cqe = 64, .comp_mask = IBV_CQ_INIT_ATTR_MASK_FLAGS, .flags = IBV_CREATE_CQ_ATTR_IGNORE_OVERRUN};
    REFUSED_NULL(ibv_create_cq_ex(at.device, &stamped), EOPNOTSUPP);
    REFUSED_NULL(ibv_create_cq_ex(at.device, &overrun), EOPNOTSUPP);
    sends = ibv_create_cq_ex(at.device, &wanted);
    receives = ibv_create_cq_ex(at.device, &wanted);
    if (!sends || !receives)
        die("ibv_create_cq_ex: %s", strerror(errno));
    struct ibv_modify_cq_attr moderation = {.attr_mask = IBV_CQ_ATTR_MODERATE, .moderate = {1, 1}};
    REFUSED(ibv_modify_cq(ibv_cq_ex_to_cq(sends), &moderation), EOPNOTSUPP);
}

static struct ibv_qp *make(uint64_t send_ops) {
    struct ibv_qp_init_attr_ex wanted = {
        .send_cq = ibv_cq_ex_to_cq(sends),
        .recv_cq = ibv_cq_ex_to_cq(receives),
        .qp_type = IBV_QPT_RC,
        .cap = {.max_send_wr = 32, .max_recv_wr = 32, .max_send_sge = 4, .max_recv_sge = 4, .max_inline_data = 128},
        .comp_mask = IBV_QP_INIT_ATTR_PD | (send_ops ? IBV_QP_INIT_ATTR_SEND_OPS_FLAGS : 0),
        .pd = at.pd,
        .send_ops_flags = send_ops,
    };
    struct ibv_qp *qp = ibv_create_qp_ex(at.device, &wanted);
    if (!qp)
        die("ibv_create_qp_ex: %s", strerror(errno));
    to_init(qp);
    return qp;
}

/* The next completion, taken entry by entry; the caller reads more of it before `done`. */
static void begin(struct ibv_cq_ex *cq, uint64_t id, enum ibv_wc_opcode opcode) {
    struct ibv_poll_cq_attr nothing = {0};
    int error;
    for (int tries = 0; (error = ibv_start_poll(cq, &nothing)) == ENOENT && tries < 100000000; tries++)
        ;
    if (error)
        die("ibv_start_poll: %s", strerror(error));
    if (cq->status != IBV_WC_SUCCESS || cq->wr_id != id || ibv_wc_read_opcode(cq) != opcode)
        die("completion %lu (%s, opcode %d), where %lu was to come", (unsigned long)cq->wr_id, ibv_wc_status_str(cq->status),
            ibv_wc_read_opcode(cq), (unsigned long)id);
}

static void done(struct ibv_cq_ex *cq) {
    ibv_end_poll(cq);
}

static void expect_sent(uint64_t id, enum ibv_wc_opcode opcode) {
    begin(sends, id, opcode);
    if (ibv_wc_read_qp_num(sends) != one->qp_num)
        die("a completion of another QP");
    done(sends);
}

static void receive(uint64_t id) {
    struct ibv_sge part = {(uintptr_t)memory + half, half, region->lkey};
    struct ibv_recv_wr request = {.wr_id = id, .sg_list = &part, .num_sge = 1}, *bad;
    MUST(ibv_post_recv(other, &request, &bad));
}

static void expect_received(uint64_t id, enum ibv_wc_opcode opcode, uint32_t length, uint32_t imm) {
    begin(receives, id, opcode);
    if (ibv_wc_read_byte_len(receives) != length || ibv_wc_read_qp_num(receives) != other->qp_num ||
        (imm && (!(ibv_wc_read_wc_flags(receives) & IBV_WC_WITH_IMM) || ibv_wc_read_imm_data(receives) != imm)))
        die("receive %lu: %u bytes, flags %x", (unsigned long)id, ibv_wc_read_byte_len(receives), ibv_wc_read_wc_flags(receives));
    done(receives);
}

static void same(size_t there, size_t here, size_t length, const char *what) {
    if (memcmp(memory + there, memory + here, length))
        die("%s brought wrong data", what);
}

static void work_requests(void) {
    const uint64_t start = (uintptr_t)memory, middle = start + half;
    /* Of the same length: the provider of some releases adds the first one's up. */
    struct ibv_sge parts[] = {{start, 500, region->lkey}, {start + 500, 500, region->lkey}};
    building->wr_flags = IBV_SEND_SIGNALED;

    /* Several in one go. */
    ibv_wr_start(building);
    building->wr_id = 1;
    ibv_wr_rdma_write(building, region->rkey, middle);
    ibv_wr_set_sge(building, region->lkey, start, 4000);
    building->wr_id = 2;
    ibv_wr_rdma_read(building, region->rkey, start + 64);
    ibv_wr_set_sge(building, region->lkey, start + 6000, 500);
    MUST(ibv_wr_complete(building));
    expect_sent(1, IBV_WC_RDMA_WRITE);
    expect_sent(2, IBV_WC_RDMA_READ);
    same(half, 0, 4000, "a write");
    same(6000, 64, 500, "a read");

    receive(10);
    receive(11);
    receive(12);
    receive(13);
    ibv_wr_start(building);
    building->wr_id = 3;
    ibv_wr_send(building);
    ibv_wr_set_sge_list(building, 2, parts);
    MUST(ibv_wr_complete(building));
    expect_sent(3, IBV_WC_SEND);
    expect_received(10, IBV_WC_RECV, 1000, 0);
    same(half, 0, 1000, "a send of two parts");
    ibv_wr_start(building);
    building->wr_id = 4;
    /* The rxe provider leaves the flag to its caller. */
    building->wr_flags = IBV_SEND_SIGNALED | IBV_SEND_INLINE;
    ibv_wr_send_imm(building, 0xabcdef);
    ibv_wr_set_inline_data(building, memory + 5, 90);
    MUST(ibv_wr_complete(building));
    expect_sent(4, IBV_WC_SEND);
    expect_received(11, IBV_WC_RECV, 90, 0xabcdef);
    same(half, 5, 90, "an inline send");
    ibv_wr_start(building);
    building->wr_id = 5;
    ibv_wr_rdma_write_imm(building, region->rkey, middle + 16, 77);
    ibv_wr_set_inline_data(building, memory + 200, 128);
    MUST(ibv_wr_complete(building));
    expect_sent(5, IBV_WC_RDMA_WRITE);
    expect_received(12, IBV_WC_RECV_RDMA_WITH_IMM, 128, 77);
    same(half + 16, 200, 128, "an inline write");
    building->wr_flags = IBV_SEND_SIGNALED;

    uint64_t *counter = (uint64_t *)(memory + half + 64), *old = (uint64_t *)memory;
    *counter = 40;
    ibv_wr_start(building);
    building->wr_id = 6;
    ibv_wr_atomic_fetch_add(building, region->rkey, (uintptr_t)counter, 2);
    ibv_wr_set_sge(building, region->lkey, start, 8);
    building->wr_id = 7;
    ibv_wr_atomic_cmp_swp(building, region->rkey, (uintptr_t)counter, 42, 99);
    ibv_wr_set_sge(building, region->lkey, start + 8, 8);
    MUST(ibv_wr_complete(building));
    expect_sent(6, IBV_WC_FETCH_ADD);
    expect_sent(7, IBV_WC_COMP_SWAP);
    if (old[0] != 40 || old[1] != 42 || *counter != 99)
        die("the atomics made %lu, %lu, %lu", (unsigned long)old[0], (unsigned long)old[1], (unsigned long)*counter);

    /* A window, bound, invalidated here, bound again and invalidated by the message that arrives at its owner. */
    struct ibv_mw *window = ibv_alloc_mw(at.pd, IBV_MW_TYPE_2);
    struct ibv_mw_bind_info place = {region, middle, 256, IBV_ACCESS_REMOTE_READ};
    uint32_t key = ibv_inc_rkey(window->rkey);
    ibv_wr_start(building);
    building->wr_id = 8;
    ibv_wr_bind_mw(building, window, key, &place);
    building->wr_id = 9;
    ibv_wr_local_inv(building, key);
    MUST(ibv_wr_complete(building));
    expect_sent(8, IBV_WC_BIND_MW);
    expect_sent(9, IBV_WC_LOCAL_INV);
    window->rkey = key;
    struct ibv_send_wr bind = {.wr_id = 14, .opcode = IBV_WR_BIND_MW, .send_flags = IBV_SEND_SIGNALED}, *bad;
    bind.bind_mw.mw = window;
    bind.bind_mw.rkey = ibv_inc_rkey(key);
    bind.bind_mw.bind_info = place;
    MUST(ibv_post_send(other, &bind, &bad));
    begin(sends, 14, IBV_WC_BIND_MW);
    done(sends);
    ibv_wr_start(building);
    building->wr_id = 15;
    ibv_wr_send_inv(building, bind.bind_mw.rkey);
    ibv_wr_set_sge(building, region->lkey, start, 10);
    MUST(ibv_wr_complete(building));
    expect_sent(15, IBV_WC_SEND);
    begin(receives, 13, IBV_WC_RECV);
    if (!(ibv_wc_read_wc_flags(receives) & (is_kernels(at.device) ? KERNELS_WITH_INV : IBV_WC_WITH_INV)) ||
        ibv_wc_read_invalidated_rkey(receives) != bind.bind_mw.rkey)
        die("a send with invalidation comes without its key");
    done(receives);
    MUST(ibv_dealloc_mw(window));

    /* Given up before it is complete: nothing was posted. */
    ibv_wr_start(building);
    ibv_wr_send(building);
    ibv_wr_abort(building);
    ibv_wr_start(building);
    ibv_wr_send(building);
    ibv_wr_set_inline_data(building, memory, 4096);
    REFUSED(ibv_wr_complete(building), ENOSPC);
    struct ibv_poll_cq_attr nothing = {0};
    REFUSED(ibv_start_poll(sends, &nothing), ENOENT);
}

/* The rxe provider has neither; a library that asks gets a plain no. */
static void domains(void) {
    struct ibv_td_init_attr thread = {0};
    REFUSED_NULL(ibv_alloc_td(at.device, &thread), EOPNOTSUPP);
    struct ibv_parent_domain_init_attr parent = {.pd = at.pd};
    REFUSED_NULL(ibv_alloc_parent_domain(at.device, &parent), EOPNOTSUPP);
    struct ibv_alloc_dm_attr on_device = {.length = 4096};
    REFUSED_NULL(ibv_alloc_dm(at.device, &on_device), EOPNOTSUPP);
    struct ibv_wq_init_attr work = {.wq_type = IBV_WQT_RQ, .max_wr = 1, .max_sge = 1, .pd = at.pd, .cq = ibv_cq_ex_to_cq(sends)};
    REFUSED_NULL(ibv_create_wq(at.device, &work), EOPNOTSUPP);
    struct ibv_qp_init_attr_ex odd = {
        .send_cq = ibv_cq_ex_to_cq(sends),
        .recv_cq = ibv_cq_ex_to_cq(sends),
        .qp_type = IBV_QPT_RC,
        .comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_CREATE_FLAGS,
        .pd = at.pd,
        .create_flags = IBV_QP_CREATE_BLOCK_SELF_MCAST_LB,
    };
    REFUSED_NULL(ibv_create_qp_ex(at.device, &odd), EOPNOTSUPP);
}

int main(void) {
    at = open_endpoint(0);
    memory = aligned_alloc(4096, bytes);
    for (size_t i = 0; i < bytes; i++)
        memory[i] = (unsigned char)(i * 13 + (i >> 8));
    region = register_memory(&at, memory, bytes, all_access);
    attributes();
    gids();
    queues();
    domains();
    one = make(operations);
    other = make(0);
    building = ibv_qp_to_qp_ex(one);
    struct address ends[] = {address_of(&at, one), address_of(&at, other)};
    connect_qp(one, &ends[1], &usual_patience);
    connect_qp(other, &ends[0], &usual_patience);
    work_requests();
    MUST(ibv_destroy_qp(one));
    MUST(ibv_destroy_qp(other));
    MUST(ibv_destroy_cq(ibv_cq_ex_to_cq(sends)));
    MUST(ibv_destroy_cq(ibv_cq_ex_to_cq(receives)));
    printf("as specified\n");
    return 0;
}
