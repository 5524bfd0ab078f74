/*
 * verbs-datagrams CASE [SERVER]
 *
 * Datagrams from one program to another: what the receiver finds of each, and which are dropped. Ends with 0 when all is as the
 * specification has it. Both programs run the same case; the client sends. Most cases run on a kernel's rxe device, too.
 */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { port = 18603, depth = 32, region_bytes = 1 << 16, patience_seconds = 20, grh_bytes = 40 };

#define QKEY 0x11111111u
#define GROUP_QPN 0xffffffu

static struct endpoint endpoint;
static struct ibv_cq *cq;
static struct ibv_qp *qp;
static unsigned char *memory;
static struct ibv_mr *region;
static struct address peer_address;
static struct ibv_ah *to_peer;
static int peer, is_client;

static struct ibv_qp *make_datagram_qp(uint32_t qkey) {
    struct ibv_qp_init_attr wanted = {
        .send_cq = cq,
        .recv_cq = cq,
        .qp_type = IBV_QPT_UD,
        .cap = {.max_send_wr = depth, .max_recv_wr = depth, .max_send_sge = 2, .max_recv_sge = 2, .max_inline_data = 64},
    };
    struct ibv_qp *made = ibv_create_qp(endpoint.pd, &wanted);
    if (!made)
        die("ibv_create_qp: %s", strerror(errno));
    struct ibv_qp_attr change = {.qp_state = IBV_QPS_INIT, .port_num = 1, .qkey = qkey, .sq_psn = 9};
    int error = ibv_modify_qp(made, &change, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY);
    change.qp_state = IBV_QPS_RTR;
    error = error ? error : ibv_modify_qp(made, &change, IBV_QP_STATE);
    change.qp_state = IBV_QPS_RTS;
    error = error ? error : ibv_modify_qp(made, &change, IBV_QP_STATE | IBV_QP_SQ_PSN);
    if (error)
        die("a UD QP to RTS: %s", strerror(error));
    return made;
}

static struct ibv_ah *try_handle(struct ibv_pd *pd, const union ibv_gid *gid) {
    struct ibv_ah_attr attributes = {
        .is_global = 1, .port_num = 1, .grh = {.dgid = *gid, .sgid_index = gid_index, .hop_limit = 9, .traffic_class = 0x28}};
    return ibv_create_ah(pd, &attributes);
}

static struct ibv_ah *make_handle(struct ibv_pd *pd, const union ibv_gid *gid) {
    struct ibv_ah *made = try_handle(pd, gid);
    if (!made)
        die("ibv_create_ah: %s", strerror(errno));
    return made;
}

static void meet(void) {
    char ready = 1;
    send_all(peer, &ready, 1);
    receive_all(peer, &ready, 1);
}

static void post_to(struct ibv_qp *from, struct ibv_ah *handle, uint32_t qpn, uint32_t qkey, uint32_t bytes, int flags, uint64_t id) {
    struct ibv_sge part = {(uintptr_t)memory, bytes, region->lkey};
    struct ibv_send_wr request = {
        .wr_id = id, .sg_list = &part, .num_sge = 1, .opcode = IBV_WR_SEND_WITH_IMM, .imm_data = htonl((uint32_t)id),
        .send_flags = IBV_SEND_SIGNALED | (unsigned)flags, .wr.ud = {.ah = handle, .remote_qpn = qpn, .remote_qkey = qkey}}, *bad;
    int error = ibv_post_send(from, &request, &bad);
    if (error)
        die("ibv_post_send: %s", strerror(error));
}

static void receive_of(struct ibv_qp *at, uint32_t offset, uint32_t bytes, uint64_t id) {
    struct ibv_sge part = {(uintptr_t)memory + offset, bytes, region->lkey};
    struct ibv_recv_wr request = {.wr_id = id, .sg_list = &part, .num_sge = 1}, *bad;
    if (ibv_post_recv(at, &request, &bad))
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

static void expect_nothing(const char *what) {
    struct ibv_wc done;
    if (await_completion(&endpoint, cq, &done, 0))
        die("%s: a completion of %lu", what, (unsigned long)done.wr_id);
}

/* Sends one datagram that has to be dropped, then one that has to arrive: in order, so that the first is known to be gone. */
static void send_lost(struct ibv_ah *handle, uint32_t qpn, uint32_t qkey, uint32_t bytes) {
    post_to(qp, handle, qpn, qkey, bytes, 0, 1);
    expect(IBV_WC_SUCCESS, "the datagram to be lost");
    meet();
    meet();
    post_to(qp, to_peer, peer_address.qpn, QKEY, 16, 0, 2);
    expect(IBV_WC_SUCCESS, "the datagram behind it");
}

static void receive_second(uint32_t bytes) {
    if (bytes)
        receive_of(qp, 0, bytes, 70);
    meet();
    meet();
    if (!bytes) {
        usleep(100000); /* what has left may be on its way */
        receive_of(qp, 0, 1000, 70);
    }
    meet();
    struct ibv_wc got = expect(IBV_WC_SUCCESS, "the datagram behind it");
    if (got.imm_data != htonl(2))
        die("datagram %u has come", ntohl(got.imm_data));
}

static void a_header(void) {
    if (is_client) {
        for (int i = 0; i < 100; i++)
            memory[i] = (unsigned char)(i * 7);
        meet();
        post_to(qp, to_peer, peer_address.qpn, QKEY, 100, 0, 5);
        expect(IBV_WC_SUCCESS, "a datagram");
        post_to(qp, to_peer, peer_address.qpn, QKEY, 30, IBV_SEND_INLINE, 6);
        expect(IBV_WC_SUCCESS, "an inline datagram");
        receive_of(qp, 4096, 1000, 71);
        meet();
        struct ibv_wc answer = expect(IBV_WC_SUCCESS, "the answer");
        if (answer.byte_len != grh_bytes + 50 || memory[4096 + grh_bytes + 49] != (unsigned char)(49 * 7))
            die("the answer is another");
        return;
    }
    receive_of(qp, 0, 1000, 72);
    receive_of(qp, 1000, 1000, 73);
    meet();
    struct ibv_wc got = expect(IBV_WC_SUCCESS, "a datagram");
    if (got.byte_len != grh_bytes + 100 || got.src_qp != peer_address.qpn || got.qp_num != qp->qp_num || got.opcode != IBV_WC_RECV ||
        got.wc_flags != (IBV_WC_GRH | IBV_WC_WITH_IMM) || got.imm_data != htonl(5) || got.pkey_index != 0)
        die("completion: %u bytes, from %u, flags %x, immediate %u", got.byte_len, got.src_qp, got.wc_flags, ntohl(got.imm_data));
    static const unsigned char zeros[20];
    if (memcmp(memory, zeros, sizeof zeros) || memory[20] != 0x45 || memory[21] != 0x28 || memory[28] != 64 || memory[29] != 17 ||
        memcmp(memory + 32, peer_address.gid.raw + 12, 4) || memcmp(memory + 36, endpoint.gid.raw + 12, 4) ||
        memory[22] * 256 + memory[23] != 20 + 8 + 12 + 8 + 4 + 100 + 4)
        die("the GRH is another");
    for (int i = 0; i < 100; i++)
        if (memory[grh_bytes + i] != (unsigned char)(i * 7))
            die("byte %d is another", i);
    if (expect(IBV_WC_SUCCESS, "an inline datagram").byte_len != grh_bytes + 30 || memory[1000 + grh_bytes + 29] != (unsigned char)(29 * 7))
        die("the inline datagram is another");

    /* The way back, from nothing but what has come. */
    struct ibv_ah *back = ibv_create_ah_from_wc(endpoint.pd, &got, (struct ibv_grh *)memory, 1);
    if (!back)
        die("ibv_create_ah_from_wc: %s", strerror(errno));
    meet();
    memmove(memory, memory + grh_bytes, 100);
    post_to(qp, back, got.src_qp, QKEY, 50, 0, 7);
    expect(IBV_WC_SUCCESS, "the answer");
}

static void a_wrong_qkey(void) {
    if (!is_client)
        return receive_second(1000);
    meet();
    send_lost(to_peer, peer_address.qpn, QKEY + 1, 16);
}

/* With the high bit set the sender's own Q_Key goes out. */
static void the_own_qkey(void) {
    if (!is_client) {
        receive_of(qp, 0, 1000, 70);
        meet();
        expect(IBV_WC_SUCCESS, "a datagram with the QP's own Q_Key");
        return;
    }
    meet();
    post_to(qp, to_peer, peer_address.qpn, 0x80000000u, 16, 0, 1);
    expect(IBV_WC_SUCCESS, "a datagram with the QP's own Q_Key");
}

static void no_receive(void) {
    if (!is_client)
        return receive_second(0);
    meet();
    send_lost(to_peer, peer_address.qpn, QKEY, 16);
}

/* The receive that was too short is there for the next one. */
static void a_short_receive(void) {
    if (!is_client)
        return receive_second(grh_bytes + 99);
    meet();
    send_lost(to_peer, peer_address.qpn, QKEY, 100);
}

static void beyond_the_mtu(void) {
    if (!is_client)
        return receive_second(8192);
    struct ibv_port_attr attributes;
    ibv_query_port(endpoint.device, 1, &attributes);
    meet();
    send_lost(to_peer, peer_address.qpn, QKEY, (128u << attributes.active_mtu) + 1);
}

static void no_such_qp(void) {
    if (!is_client)
        return receive_second(1000);
    meet();
    send_lost(to_peer, (peer_address.qpn + 1000) & 0xffffff, QKEY, 16);
}

/* The peer's QP number at this container's own address names nobody. */
static void another_address(void) {
    if (!is_client)
        return receive_second(1000);
    struct ibv_ah *own = make_handle(endpoint.pd, &endpoint.gid);
    meet();
    send_lost(own, peer_address.qpn, QKEY, 16);
}

static void is_flushed(const char *what) {
    expect(IBV_WC_LOC_QP_OP_ERR, what);
    post_to(qp, to_peer, peer_address.qpn, QKEY, 16, 0, 2);
    expect(IBV_WC_WR_FLUSH_ERR, "the datagram behind it");
    qp = make_datagram_qp(QKEY);
}

static void wrong_handles(void) {
    if (!is_client)
        return;
    struct ibv_ah *gone = make_handle(endpoint.pd, &peer_address.gid);
    uint32_t number = gone->handle;
    struct ibv_pd *other_pd = ibv_alloc_pd(endpoint.device);
    struct ibv_ah *foreign = make_handle(other_pd, &peer_address.gid);
    post_to(qp, foreign, peer_address.qpn, QKEY, 16, 0, 1);
    is_flushed("an address handle of another PD");
    if (ibv_destroy_ah(foreign) || ibv_destroy_ah(gone))
        die("ibv_destroy_ah");
    struct ibv_ah *again = make_handle(endpoint.pd, &peer_address.gid);
    if (again->handle != number)
        die("handle %u where %u is the lowest that is free", again->handle, number);
}

static void to_itself(void) {
    struct ibv_ah *own = make_handle(endpoint.pd, &endpoint.gid);
    receive_of(qp, 1000, 1000, 70);
    memset(memory, 0x5c, 64);
    post_to(qp, own, qp->qp_num, QKEY, 64, 0, 3);
    int sent = 0, received = 0;
    for (int i = 0; i < 2; i++) {
        struct ibv_wc done = expect(IBV_WC_SUCCESS, "a datagram to itself");
        sent += done.wr_id == 3;
        received += done.wr_id == 70 && done.byte_len == grh_bytes + 64 && done.src_qp == qp->qp_num;
    }
    if (sent != 1 || received != 1 || memory[1000 + grh_bytes + 63] != 0x5c)
        die("a datagram to itself has not come");
}

static union ibv_gid group_of(const char *address) {
    union ibv_gid group = {.raw = {[10] = 0xff, [11] = 0xff}};
    inet_pton(AF_INET, address, group.raw + 12);
    return group;
}

static void a_group(void) {
    union ibv_gid group = group_of("239.1.2.3"), other = group_of("239.1.2.4");
    struct ibv_qp *second = make_datagram_qp(QKEY), *outside = make_datagram_qp(QKEY);
    struct ibv_qp *all[] = {qp, second, outside};
    for (int i = 0; i < 3; i++) {
        receive_of(all[i], (uint32_t)i * 4096, 1000, 70 + (uint64_t)i);
        receive_of(all[i], (uint32_t)i * 4096 + 1000, 1000, 80 + (uint64_t)i);
    }
    if (ibv_attach_mcast(qp, &group, 0) || ibv_attach_mcast(second, &group, 0) || ibv_attach_mcast(outside, &other, 0))
        die("ibv_attach_mcast: %s", strerror(errno));
    if (ibv_attach_mcast(qp, &group, 0))
        die("attaching twice is no error");
    meet();
    if (is_client) {
        struct ibv_ah *handle = make_handle(endpoint.pd, &group);
        /* Two members here, two there. */
        post_to(outside, handle, GROUP_QPN, QKEY, 48, 0, 9);
        post_to(outside, handle, GROUP_QPN, QKEY + 1, 48, 0, 10);
    }
    int sent = 0, received = 0;
    for (int i = 0; i < (is_client ? 4 : 2); i++) {
        struct ibv_wc done = expect(IBV_WC_SUCCESS, "a datagram to a group");
        sent += done.wr_id == 9 || done.wr_id == 10;
        received += (done.wr_id == 70 || done.wr_id == 71) && done.byte_len == grh_bytes + 48 && (done.wc_flags & IBV_WC_GRH);
        if ((done.wr_id == 70 || done.wr_id == 71) && memcmp(memory + (done.wr_id - 70) * 4096 + 36, group.raw + 12, 4))
            die("the GRH names another group");
    }
    if (received != 2 || sent != (is_client ? 2 : 0))
        die("%d members have it", received);
    expect_nothing("once only");
    if (ibv_destroy_qp(second) != EBUSY)
        die("a QP that is attached is busy");
    if (ibv_detach_mcast(second, &group, 0) || ibv_detach_mcast(second, &group, 0) != EINVAL || ibv_destroy_qp(second))
        die("detaching");
    meet();
    if (is_client) {
        struct ibv_ah *handle = make_handle(endpoint.pd, &group);
        post_to(outside, handle, GROUP_QPN, QKEY, 32, 0, 11);
    }
    for (int i = 0; i < 1 + is_client; i++) {
        uint64_t id = expect(IBV_WC_SUCCESS, "the member that is left").wr_id;
        if (id != 80 && id != 11)
            die("somebody else has it: %lu", (unsigned long)id);
    }
    meet();
    expect_nothing("who has left");
    if (ibv_attach_mcast(qp, &endpoint.gid, 0) != EINVAL || ibv_detach_mcast(qp, &group, 7) != EINVAL)
        die("no group, or not attached so");
}

static void unknown_address(void) {
    if (!is_client)
        return;
    union ibv_gid nobody = group_of("10.244.250.250");
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    if (try_handle(endpoint.pd, &nobody) || errno != ETIMEDOUT)
        die("an address that nobody has: %s", strerror(errno));
    clock_gettime(CLOCK_MONOTONIC, &after);
    if (after.tv_sec - before.tv_sec > 10)
        die("it takes %ld s to learn that", (long)(after.tv_sec - before.tv_sec));
}

static void the_attributes(void) {
    struct ibv_qp_attr now;
    struct ibv_qp_init_attr made;
    if (is_client) {
        meet();
        post_to(qp, to_peer, peer_address.qpn, QKEY, 16, 0, 1);
        expect(IBV_WC_SUCCESS, "a datagram");
    } else {
        receive_of(qp, 0, 1000, 70);
        meet();
        expect(IBV_WC_SUCCESS, "a datagram");
    }
    if (ibv_query_qp(qp, &now, IBV_QP_STATE | IBV_QP_QKEY | IBV_QP_SQ_PSN | IBV_QP_RQ_PSN, &made))
        die("ibv_query_qp");
    if (now.qp_state != IBV_QPS_RTS || now.qkey != QKEY || now.port_num != 1 || now.cap.max_send_wr != 2 * depth - 1 || made.qp_type != IBV_QPT_UD)
        die("state %d, Q_Key %x, port %d, %u requests", now.qp_state, now.qkey, now.port_num, now.cap.max_send_wr);
    if (is_client ? now.sq_psn != 10 : now.rq_psn != 10)
        die("PSNs %u and %u", now.sq_psn, now.rq_psn);
    struct ibv_qp_attr change = {.qp_state = IBV_QPS_RTS, .qkey = 77, .qp_access_flags = IBV_ACCESS_LOCAL_WRITE};
    if (ibv_modify_qp(qp, &change, IBV_QP_ACCESS_FLAGS) != EINVAL || ibv_modify_qp(qp, &change, IBV_QP_QKEY) ||
        ibv_query_qp(qp, &now, IBV_QP_QKEY, &made) || now.qkey != 77)
        die("a change of the Q_Key");
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"header", a_header},           {"wrong-qkey", a_wrong_qkey},         {"own-qkey", the_own_qkey},
    {"no-receive", no_receive},     {"short-receive", a_short_receive},   {"beyond-mtu", beyond_the_mtu},
    {"no-such-qp", no_such_qp},     {"another-address", another_address}, {"wrong-handles", wrong_handles},
    {"to-itself", to_itself},       {"group", a_group},                   {"unknown-address", unknown_address},
    {"attributes", the_attributes},
};

int main(int count, char **words) {
    void (*run)(void) = NULL;
    for (size_t i = 0; count > 1 && i < sizeof cases / sizeof cases[0]; i++)
        if (!strcmp(words[1], cases[i].name))
            run = cases[i].run;
    if (!run)
        die("usage: verbs-datagrams CASE [SERVER]");
    is_client = count > 2;
    peer = is_client ? connect_to(words[2], port) : listen_and_accept(port);
    endpoint = open_endpoint(0);
    cq = ibv_create_cq(endpoint.device, 4 * depth, NULL, NULL, 0);
    if (!cq)
        die("ibv_create_cq: %s", strerror(errno));
    memory = aligned_alloc(4096, region_bytes);
    memset(memory, 0, region_bytes);
    region = register_memory(&endpoint, memory, region_bytes, IBV_ACCESS_LOCAL_WRITE);
    qp = make_datagram_qp(QKEY);
    struct address mine = address_of(&endpoint, qp);
    send_all(peer, &mine, sizeof mine);
    receive_all(peer, &peer_address, sizeof peer_address);
    to_peer = make_handle(endpoint.pd, &peer_address.gid);
    run();
    meet();
    puts("as specified");
    return 0;
}
