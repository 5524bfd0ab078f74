/*
 * verbs-faults CASE [SERVER]
 *
 * Does one wrong thing on one QP, and ends with 0 when the outcome is what the specification has for it, the QP is in
 * error, what was posted after it is flushed, and a second QP of the same process still moves data.
 */
#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_user_rxe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { port = 18601, depth = 16, region_bytes = 1 << 16, patience_seconds = 20 };

struct keys {
    uint64_t start;
    uint32_t lkey, rkey;
};

struct side {
    struct ibv_qp *qp;
    struct ibv_cq *cq;
    struct address peer;
};

static struct endpoint endpoint;
static struct side wrong, bystander;
static unsigned char *memory;
static struct ibv_mr *region;
static struct keys theirs, foreign; /* the peer's region; a region of a process that has nothing to do with this */

/* A process of its own with a region of its own, beside this one for as long as this one lives. */
static struct keys start_stranger(void) {
    int pipes[2];
    struct keys keys;
    if (pipe(pipes))
        die("pipe");
    if (fork() == 0) {
        struct endpoint at = open_endpoint(0);
        void *start = aligned_alloc(4096, region_bytes);
        struct ibv_mr *mine = register_memory(&at, start, region_bytes,
                                              IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ);
        keys = (struct keys){(uintptr_t)start, mine->lkey, mine->rkey};
        if (write(pipes[1], &keys, sizeof keys) != sizeof keys)
            _exit(1);
        close(pipes[1]);
        while (getppid() != 1)
            usleep(20000);
        _exit(0);
    }
    close(pipes[1]);
    if (read(pipes[0], &keys, sizeof keys) != sizeof keys)
        die("the stranger says nothing");
    return keys;
}

static struct side make_side(int peer, const struct patience *patience) {
    struct side side = {.cq = ibv_create_cq(endpoint.device, 2 * depth, NULL, endpoint.channel, 0)};
    if (!side.cq)
        die("ibv_create_cq: %s", strerror(errno));
    side.qp = make_qp(&endpoint, side.cq, side.cq, depth, 4, 64);
    struct address mine = address_of(&endpoint, side.qp);
    send_all(peer, &mine, sizeof mine);
    receive_all(peer, &side.peer, sizeof side.peer);
    connect_qp(side.qp, &side.peer, patience);
    return side;
}

static void meet(int peer) {
    char ready = 1;
    send_all(peer, &ready, 1);
    receive_all(peer, &ready, 1);
}

static void post(struct side *side, enum ibv_wr_opcode opcode, void *local, uint32_t bytes, uint32_t lkey, uint64_t remote, uint32_t rkey,
                 uint64_t id) {
    struct ibv_sge part = {(uintptr_t)local, bytes, lkey};
    struct ibv_send_wr request = {.wr_id = id, .sg_list = &part, .num_sge = 1, .opcode = opcode, .send_flags = IBV_SEND_SIGNALED}, *bad;
    if (opcode == IBV_WR_ATOMIC_FETCH_AND_ADD) {
        request.wr.atomic.remote_addr = remote;
        request.wr.atomic.rkey = rkey;
        request.wr.atomic.compare_add = 1;
    } else {
        request.wr.rdma.remote_addr = remote;
        request.wr.rdma.rkey = rkey;
    }
    int error = ibv_post_send(side->qp, &request, &bad);
    if (error)
        die("ibv_post_send: %s", strerror(error));
}

static void receive(struct side *side, void *local, uint32_t bytes, uint32_t lkey) {
    struct ibv_sge part = {(uintptr_t)local, bytes, lkey};
    struct ibv_recv_wr request = {.sg_list = &part, .num_sge = 1}, *bad;
    if (ibv_post_recv(side->qp, &request, &bad))
        die("ibv_post_recv");
}

static void expect(struct side *side, enum ibv_wc_status status, const char *what) {
    struct ibv_wc done;
    if (!await_completion(&endpoint, side->cq, &done, patience_seconds))
        die("%s: no completion", what);
    if (done.status != status)
        die("%s: %s, where %s was to come", what, ibv_wc_status_str(done.status), ibv_wc_status_str(status));
}

static void expect_error_state(struct side *side) {
    struct ibv_qp_attr now;
    struct ibv_qp_init_attr made;
    for (int tries = 0; tries < 200; tries++) {
        if (ibv_query_qp(side->qp, &now, IBV_QP_STATE, &made))
            die("ibv_query_qp: %s", strerror(errno));
        if (now.qp_state == IBV_QPS_ERR)
            return;
        usleep(10000);
    }
    die("the QP is in state %d", now.qp_state);
}

/* One request that fails as `status` says; the next one is flushed. */
static void fails_with(enum ibv_wc_status status, enum ibv_wr_opcode opcode, void *local, uint32_t bytes, uint32_t lkey, uint64_t remote,
                       uint32_t rkey) {
    post(&wrong, opcode, local, bytes, lkey, remote, rkey, 1);
    expect(&wrong, status, "the wrong request");
    post(&wrong, IBV_WR_RDMA_WRITE, memory, 8, region->lkey, theirs.start, theirs.rkey, 2);
    expect(&wrong, IBV_WC_WR_FLUSH_ERR, "the request behind it");
    expect_error_state(&wrong);
}

static void nothing(void) {}

static void foreign_lkey(void) {
    fails_with(IBV_WC_LOC_PROT_ERR, IBV_WR_RDMA_WRITE, (void *)(uintptr_t)foreign.start, 64, foreign.lkey, theirs.start, theirs.rkey);
}

static void unknown_lkey(void) {
    fails_with(IBV_WC_LOC_PROT_ERR, IBV_WR_SEND, memory, 64, region->lkey ^ 0x5a5a00, theirs.start, theirs.rkey);
}

/* `theirs` holds the stranger's keys here: the peer says what it wants attacked. */
static void foreign_rkey(void) {
    struct keys peers = theirs;
    post(&wrong, IBV_WR_RDMA_WRITE, memory, 64, region->lkey, foreign.start, foreign.rkey, 1);
    expect(&wrong, IBV_WC_REM_ACCESS_ERR, "WRITE with a stranger's rkey");
    theirs = peers;
}

static void beyond_local(void) {
    fails_with(IBV_WC_LOC_PROT_ERR, IBV_WR_RDMA_WRITE, memory + region_bytes - 8, 9, region->lkey, theirs.start, theirs.rkey);
}

static void before_local(void) {
    fails_with(IBV_WC_LOC_PROT_ERR, IBV_WR_RDMA_WRITE, memory - 1, 8, region->lkey, theirs.start, theirs.rkey);
}

static void wrapping_local(void) {
    fails_with(IBV_WC_LOC_PROT_ERR, IBV_WR_RDMA_WRITE, (void *)(uintptr_t)(UINT64_MAX - 3), 8, region->lkey, theirs.start, theirs.rkey);
}

static void beyond_remote_write(void) {
    fails_with(IBV_WC_REM_ACCESS_ERR, IBV_WR_RDMA_WRITE, memory, 9, region->lkey, theirs.start + region_bytes - 8, theirs.rkey);
}

static void beyond_remote_read(void) {
    fails_with(IBV_WC_REM_ACCESS_ERR, IBV_WR_RDMA_READ, memory, 9, region->lkey, theirs.start + region_bytes - 8, theirs.rkey);
}

static void beyond_remote_atomic(void) {
    fails_with(IBV_WC_REM_ACCESS_ERR, IBV_WR_ATOMIC_FETCH_AND_ADD, memory, 8, region->lkey, theirs.start + region_bytes, theirs.rkey);
}

static void wrapping_remote(void) {
    fails_with(IBV_WC_REM_ACCESS_ERR, IBV_WR_RDMA_WRITE, memory, 64, region->lkey, UINT64_MAX - 15, theirs.rkey);
}

static void read_into_read_only(void) {
    struct ibv_mr *read_only = register_memory(&endpoint, memory, region_bytes, 0);
    fails_with(IBV_WC_LOC_PROT_ERR, IBV_WR_RDMA_READ, memory, 64, read_only->lkey, theirs.start, theirs.rkey);
}

static void deregistered(void) {
    struct ibv_mr *gone = register_memory(&endpoint, memory, region_bytes, IBV_ACCESS_LOCAL_WRITE);
    uint32_t lkey = gone->lkey;
    if (ibv_dereg_mr(gone))
        die("ibv_dereg_mr");
    fails_with(IBV_WC_LOC_PROT_ERR, IBV_WR_SEND, memory, 64, lkey, 0, 0);
}

static void too_long_serve(void) {
    receive(&wrong, memory, 8, region->lkey);
}

static void too_long(void) {
    fails_with(IBV_WC_REM_INV_REQ_ERR, IBV_WR_SEND, memory, 64, region->lkey, 0, 0);
}

static void too_long_served(void) {
    expect(&wrong, IBV_WC_LOC_LEN_ERR, "a receive shorter than its message");
}

static void bad_receive_serve(void) {
    receive(&wrong, memory, 128, region->lkey ^ 0x5a5a00);
}

static void bad_receive(void) {
    fails_with(IBV_WC_REM_OP_ERR, IBV_WR_SEND, memory, 64, region->lkey, 0, 0);
}

static void bad_receive_served(void) {
    expect(&wrong, IBV_WC_LOC_PROT_ERR, "a receive into memory that is not registered");
}

static void nobody_receives(void) {
    fails_with(IBV_WC_RNR_RETRY_EXC_ERR, IBV_WR_SEND, memory, 64, region->lkey, 0, 0);
}

/*
 * Pages that the router shares stay where they are, as pages that a kernel has pinned do, and the request succeeds. Pages
 * that it reaches through the process alone are gone, and the request fails. Nothing else may come of it.
 */
static void unmapped_local(void) {
    unsigned char *pages = mmap(NULL, region_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(pages, 7, region_bytes);
    struct ibv_mr *soon_gone = register_memory(&endpoint, pages, region_bytes, IBV_ACCESS_LOCAL_WRITE);
    if (munmap(pages, region_bytes))
        die("munmap: %s", strerror(errno));
    post(&wrong, IBV_WR_RDMA_WRITE, pages, region_bytes, soon_gone->lkey, theirs.start, theirs.rkey, 1);
    const char *share = getenv("FREEFLOW_SHARE");
    int shared = !share || strcmp(share, "off") != 0;
    expect(&wrong, shared ? IBV_WC_SUCCESS : IBV_WC_LOC_PROT_ERR, "a WRITE from unmapped memory");
}

static unsigned char *lost_pages;
static struct ibv_mr *lost_region;

static void unmapped_remote_serve(void) {
    if (munmap(lost_pages, region_bytes))
        die("munmap: %s", strerror(errno));
}

static void unmapped_remote(void) {
    const char *share = getenv("FREEFLOW_SHARE");
    int shared = !share || strcmp(share, "off") != 0;
    post(&wrong, IBV_WR_RDMA_WRITE, memory, region_bytes, region->lkey, foreign.start, foreign.rkey, 1);
    expect(&wrong, shared ? IBV_WC_SUCCESS : IBV_WC_REM_ACCESS_ERR, "a WRITE into unmapped memory");
}

static int ends_with(const char *text, const char *end) {
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* Calls `each` with every mapping of this process whose name begins and ends so; returns how many there are. */
static int each_mapping(const char *begin, const char *end, void (*each)(unsigned char *start, size_t bytes)) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], path[256];
    unsigned long from[256], to[256];
    int count = 0;
    while (count < 256 && fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %255s", &from[count], &to[count], path) == 3 && strncmp(path, begin, strlen(begin)) == 0 &&
            ends_with(path, end))
            count++;
    }
    fclose(maps);
    for (int i = 0; i < count; i++)
        each((unsigned char *)from[i], to[i] - from[i]);
    return count;
}

static void try_to_resize(unsigned char *start, size_t bytes) {
    char path[128];
    snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", (unsigned long)(uintptr_t)start, (unsigned long)(uintptr_t)start + bytes);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        die("%s: %s", path, strerror(errno));
    if (ftruncate(file, 0) == 0 || errno != EPERM)
        die("a mapping of %zu bytes could be truncated", bytes);
    if (ftruncate(file, (off_t)bytes * 4) == 0 || errno != EPERM)
        die("a mapping of %zu bytes could be made longer", bytes);
    close(file);
}

static void truncation(void) {
    if (each_mapping("/memfd:freeflow", "", try_to_resize) < 4)
        die("the rings and the shared memory are not where they were expected");
}

static uint64_t noise = 99;

/* What the library writes for ibv_post_send: the work is in the ring. */
static void ring_doorbell(struct ibv_qp *qp) {
    struct {
        struct ib_uverbs_cmd_hdr head;
        struct ib_uverbs_post_send body;
    } doorbell = {
        .head = {.command = IB_USER_VERBS_CMD_POST_SEND, .in_words = sizeof doorbell / 4, .out_words = sizeof(struct ib_uverbs_post_send_resp) / 4},
        .body = {.qp_handle = qp->handle},
    };
    struct ib_uverbs_post_send_resp answer;
    doorbell.body.response = (uintptr_t)&answer;
    (void)!write(qp->context->cmd_fd, &doorbell, sizeof doorbell);
}

static void scribble(unsigned char *start, size_t bytes) {
    for (int i = 0; i < 64; i++) {
        size_t at = next_random(&noise) % (bytes / 8) * 8;
        uint64_t value = next_random(&noise);
        switch (value % 4) {
        case 0:
            value = UINT64_MAX;
            break;
        case 1:
            value = 0x80000000u;
            break;
        default:
            break;
        }
        memcpy(start + at, &value, 8);
    }
    /* The two indices, where every ring has them. */
    uint32_t producer = (uint32_t)next_random(&noise), consumer = (uint32_t)next_random(&noise);
    memcpy(start + 128, &producer, 4);
    memcpy(start + 256, &consumer, 4);
}

/* A QP of this process that sends to another one with an SRQ. */
static struct ibv_qp *make_shared_pair(void) {
    struct ibv_cq *cq = ibv_create_cq(endpoint.device, 2 * depth, NULL, NULL, 0);
    struct ibv_srq_init_attr srq_wanted = {.attr = {.max_wr = depth, .max_sge = 4}};
    struct ibv_qp_init_attr wanted = {
        .send_cq = cq,
        .recv_cq = cq,
        .srq = ibv_create_srq(endpoint.pd, &srq_wanted),
        .qp_type = IBV_QPT_RC,
        .cap = {.max_send_wr = depth, .max_send_sge = 4},
    };
    struct ibv_qp *sender = make_qp(&endpoint, cq, cq, depth, 4, 64), *taker = make_qp_of(&endpoint, &wanted);
    struct address ends[] = {address_of(&endpoint, sender), address_of(&endpoint, taker)};
    connect_qp(sender, &ends[1], &usual_patience);
    connect_qp(taker, &ends[0], &usual_patience);
    return sender;
}

/* Rings and doorbells, written over at random, while the engine looks at them. */
static void scribbled_rings(void) {
    static const char *const shared[] = {"/memfd:freeflow-sq", "/memfd:freeflow-rq", "/memfd:freeflow-cq", "/memfd:freeflow-srq", "/memfd:freeflow-doorbell"};
    struct ibv_qp *sender = make_shared_pair();
    for (int i = 0; i < 2000; i++) {
        int rings = 0;
        for (size_t k = 0; k < sizeof shared / sizeof shared[0]; k++)
            rings += each_mapping(shared[k], "", scribble);
        if (rings < 4)
            die("the rings are not where they were expected");
        ring_doorbell(wrong.qp);
        ring_doorbell(bystander.qp);
        ring_doorbell(sender);
        usleep(100);
    }
    /* The library can't work with what is left of its rings; what counts is how the other programs fare. */
    _exit(0);
}

static unsigned char *send_ring;

static void find_send_ring(unsigned char *start, size_t bytes) {
    (void)bytes;
    send_ring = start;
}

/* Work requests that no library would write, straight into the ring: one field is wrong in each. */
static void wrong_work_requests(void) {
    static const struct {
        const char *what;
        uint32_t opcode, num_sge, dma_length, sge_length, flags;
        uint64_t remote_offset;
        enum ibv_wc_status status;
    } bad[] = {
        {"2^31 SGEs", IBV_WR_SEND, 0x80000000u, 64, 64, 0, 0, IBV_WC_LOC_QP_OP_ERR},
        {"more SGEs than a slot holds", IBV_WR_SEND, 200, 64, 64, 0, 0, IBV_WC_LOC_QP_OP_ERR},
        {"an opcode that there is not", 200, 1, 64, 64, 0, 0, IBV_WC_LOC_QP_OP_ERR},
        {"a SGE of 4 GiB", IBV_WR_RDMA_WRITE, 1, UINT32_MAX, UINT32_MAX, 0, 0, IBV_WC_LOC_LEN_ERR},
        {"inline data beyond the slot", IBV_WR_RDMA_WRITE, 0, 1 << 20, 0, IBV_SEND_INLINE, 0, IBV_WC_LOC_QP_OP_ERR},
        {"an atomic of 4 bytes", IBV_WR_ATOMIC_FETCH_AND_ADD, 1, 4, 4, 0, 0, IBV_WC_LOC_LEN_ERR},
        {"a misaligned atomic", IBV_WR_ATOMIC_FETCH_AND_ADD, 1, 8, 8, 0, 4, IBV_WC_REM_INV_REQ_ERR},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ibv_cq *cq = ibv_create_cq(endpoint.device, 2 * depth, NULL, NULL, 0);
        struct side side = {.cq = cq, .qp = make_qp(&endpoint, cq, cq, depth, 4, 64)};
        struct side other = {.cq = cq, .qp = make_qp(&endpoint, cq, cq, depth, 4, 64)};
        struct address ends[] = {address_of(&endpoint, side.qp), address_of(&endpoint, other.qp)};
        connect_qp(side.qp, &ends[1], &usual_patience);
        connect_qp(other.qp, &ends[0], &usual_patience);
        char number[16];
        snprintf(number, sizeof number, "-%x", side.qp->qp_num);
        if (each_mapping("/memfd:freeflow-sq-", number, find_send_ring) != 1)
            die("the send ring of QP %u is not there", side.qp->qp_num);

        struct rxe_send_wqe request = {
            .wr = {.wr_id = i, .opcode = bad[i].opcode, .send_flags = IBV_SEND_SIGNALED | bad[i].flags},
            .dma = {.length = bad[i].dma_length, .resid = bad[i].dma_length, .num_sge = bad[i].num_sge},
        };
        struct rxe_sge part = {.addr = (uintptr_t)memory, .length = bad[i].sge_length, .lkey = region->lkey};
        if (bad[i].opcode == IBV_WR_ATOMIC_FETCH_AND_ADD) {
            request.wr.wr.atomic.remote_addr = (uintptr_t)memory + bad[i].remote_offset;
            request.wr.wr.atomic.rkey = region->rkey;
        } else {
            request.wr.wr.rdma.remote_addr = (uintptr_t)memory;
            request.wr.wr.rdma.rkey = region->rkey;
        }
        struct rxe_queue_buf *ring = (struct rxe_queue_buf *)send_ring;
        memcpy(ring->data, &request, sizeof request);
        memcpy(ring->data + offsetof(struct rxe_send_wqe, dma.sge), &part, sizeof part);
        __atomic_store_n(&ring->producer_index, 1, __ATOMIC_SEQ_CST);
        ring_doorbell(side.qp);
        expect(&side, bad[i].status, bad[i].what);
        expect_error_state(&side);
        ibv_destroy_qp(side.qp);
        ibv_destroy_qp(other.qp);
        ibv_destroy_cq(cq);
    }
}

/* Bytes on the command descriptor: every command number, any length, any body. Each gets an answer. */
static void random_commands(void) {
    struct ibv_context *victim = open_endpoint(0).device;
    for (int i = 0; i < 20000; i++) {
        uint32_t words[512];
        for (size_t k = 0; k < 512; k++)
            words[k] = next_random(&noise) % 3 ? (uint32_t)next_random(&noise) % 16 : (uint32_t)next_random(&noise);
        words[0] = (uint32_t)next_random(&noise) % 64 | (next_random(&noise) % 8 == 0 ? 0x80000000u : 0);
        size_t length = next_random(&noise) % sizeof words;
        if (next_random(&noise) % 4) {
            length = length / 4 * 4;
            words[1] = (uint32_t)(length / 4) | (uint32_t)(next_random(&noise) % 64) << 16;
        }
        /* An answer goes where the command says: give it somewhere to go. */
        static uint64_t answer[512];
        uint64_t where = (uintptr_t)answer;
        if (length >= 16)
            memcpy(&words[2], &where, 8);
        errno = 0;
        ssize_t taken = write(victim->cmd_fd, words, length);
        if (taken < 0 && (errno == 0 || errno == EIO || errno == EPIPE))
            die("command %x of %zu bytes ended the connection: %s", words[0], length, strerror(errno));
    }
}

static const struct fault {
    const char *name;
    void (*client)(void);
    void (*serve)(void);  /* before the client begins */
    void (*served)(void); /* when it has finished */
} faults[] = {
    {"foreign-lkey", foreign_lkey, nothing, nothing},
    {"unknown-lkey", unknown_lkey, nothing, nothing},
    {"foreign-rkey", foreign_rkey, nothing, nothing},
    {"beyond-local", beyond_local, nothing, nothing},
    {"before-local", before_local, nothing, nothing},
    {"wrapping-local", wrapping_local, nothing, nothing},
    {"beyond-remote-write", beyond_remote_write, nothing, nothing},
    {"beyond-remote-read", beyond_remote_read, nothing, nothing},
    {"beyond-remote-atomic", beyond_remote_atomic, nothing, nothing},
    {"wrapping-remote", wrapping_remote, nothing, nothing},
    {"read-into-read-only", read_into_read_only, nothing, nothing},
    {"deregistered", deregistered, nothing, nothing},
    {"too-long", too_long, too_long_serve, too_long_served},
    {"bad-receive", bad_receive, bad_receive_serve, bad_receive_served},
    {"nobody-receives", nobody_receives, nothing, nothing},
    {"unmapped-local", unmapped_local, nothing, nothing},
    {"unmapped-remote", unmapped_remote, unmapped_remote_serve, nothing},
    {"truncation", truncation, nothing, nothing},
    {"scribbled-rings", scribbled_rings, nothing, nothing},
    {"wrong-work-requests", wrong_work_requests, nothing, nothing},
    {"random-commands", random_commands, nothing, nothing},
};

static const struct fault *find(const char *name) {
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (strcmp(faults[i].name, name) == 0)
            return &faults[i];
    }
    die("%s is none of the cases", name);
}

static void check_bystander(void) {
    uint64_t *words = (uint64_t *)memory;
    words[0] = 0x1122334455667788u;
    post(&bystander, IBV_WR_RDMA_WRITE, words, 8, region->lkey, theirs.start + 512, theirs.rkey, 1);
    expect(&bystander, IBV_WC_SUCCESS, "the other QP's WRITE");
    post(&bystander, IBV_WR_RDMA_READ, words + 1, 8, region->lkey, theirs.start + 512, theirs.rkey, 2);
    expect(&bystander, IBV_WC_SUCCESS, "the other QP's READ");
    if (words[1] != words[0])
        die("the other QP moved wrong data");
}

int main(int count, char **words) {
    if (count < 2)
        die("usage: verbs-faults CASE [SERVER]");
    const struct fault *fault = find(words[1]);
    const char *server = count > 2 ? words[2] : NULL;
    struct keys stranger = start_stranger();
    const struct patience patience = {.timeout = 12, .retries = 2, .rnr_retries = 2};
    const int all = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_ATOMIC;

    endpoint = open_endpoint(0);
    memory = aligned_alloc(4096, region_bytes + 4096);
    memory += 64;
    region = register_memory(&endpoint, memory, region_bytes, all);
    if (!server && fault->serve == unmapped_remote_serve) {
        lost_pages = mmap(NULL, region_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        lost_region = register_memory(&endpoint, lost_pages, region_bytes, all);
        stranger = (struct keys){(uintptr_t)lost_pages, lost_region->lkey, lost_region->rkey};
    }
    int peer = server ? connect_to(server, port) : listen_and_accept(port);
    wrong = make_side(peer, &patience);
    bystander = make_side(peer, &usual_patience);
    struct keys mine = {(uintptr_t)memory, region->lkey, region->rkey};
    send_all(peer, &mine, sizeof mine);
    receive_all(peer, &theirs, sizeof theirs);
    /* Local keys are attacked at home, remote ones at the peer's. */
    send_all(peer, &stranger, sizeof stranger);
    receive_all(peer, &foreign, sizeof foreign);
    if (fault->client == foreign_lkey)
        foreign = stranger;
    if (!server)
        fault->serve();
    meet(peer);
    if (server) {
        fault->client();
        check_bystander();
        printf("%s: as specified\n", fault->name);
    }
    if (!server && fault->client == scribbled_rings) {
        char end;
        while (read(peer, &end, 1) > 0)
            ;
        return 0;
    }
    meet(peer);
    if (!server)
        fault->served();
    return 0;
}
