/*
 * Work requests through faults, each accounted for:
 *
 *   verbs-ledger PORT             lends memory and takes messages
 *   verbs-ledger PORT SEED HOST   posts SENDs, WRITEs, READs and FETCH_ADDs at random, until its standard input ends
 *
 * On several QPs, until one has failed or has done enough; then both compare what they know. Whatever happens to routers and network:
 * each request completes once and in order, each receive too; what is said to have succeeded is in the other's memory, byte for byte;
 * and no message comes that was not sent, or twice, or out of order. Then both open the device anew, and begin again. The first
 * thing that is not so ends both with 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "endpoint.h"

enum { QPS = 4, REQUESTS = 1024, WINDOW = 16, SLOT = 4096, READ_BYTES = 65536 };
enum { WITHIN = 90 };        /* seconds for what must come */
enum { UNPOSTED = -1, OPEN = -2 }; /* beside enum ibv_wc_status */

/* One request, as its sender knows it. */
struct entry {
    int32_t kind, status; /* enum ibv_wr_opcode */
    uint32_t bytes;
    uint64_t sum; /* of what it carried */
};

/* What one end tells the other before an epoch. */
struct offer {
    uint32_t works; /* 0: it has no device now, or could not connect */
    uint32_t rkey;
    uint64_t memory;
    struct address qps[QPS];
};

/* What an end holds during an epoch. In `memory`: a slot for each request of each QP, one for each receive, what is read, a counter for each QP. */
struct side {
    struct endpoint at;
    struct ibv_cq *cq;
    struct ibv_mr *region;
    struct ibv_qp *qps[QPS];
};

static const size_t slots_bytes = (size_t)2 * QPS * REQUESTS * SLOT;
static const size_t memory_bytes = (size_t)2 * QPS * REQUESTS * SLOT + READ_BYTES + 4096;
static unsigned char *memory;

static void pause_for(double seconds) {
    struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&time, NULL);
}

static unsigned char *slot(int qp, int request) {
    return memory + ((size_t)qp * REQUESTS + (size_t)request) * SLOT;
}

static unsigned char *receive_slot(int qp, int index) {
    return slot(QPS + qp, index);
}

static uint64_t *counter(int qp) {
    return (uint64_t *)(memory + slots_bytes + READ_BYTES) + qp;
}

static void fill(unsigned char *at, size_t bytes, uint64_t seed) {
    for (size_t i = 0; i < bytes; i++)
        at[i] = i % 8 ? (unsigned char)(at[i - 1] * 31 + 7) : (unsigned char)next_random(&seed);
}

static void give_up(struct side *side) {
    for (int i = 0; i < QPS; i++)
        if (side->qps[i])
            ibv_destroy_qp(side->qps[i]);
    if (side->region)
        ibv_dereg_mr(side->region);
    if (side->cq)
        ibv_destroy_cq(side->cq);
    if (side->at.pd)
        ibv_dealloc_pd(side->at.pd);
    if (side->at.device)
        ibv_close_device(side->at.device);
    *side = (struct side){0};
}

/* 0, or an errno: what a router that is away, or about to be, answers. */
static int prepare(struct side *side) {
    struct ibv_device **list = ibv_get_device_list(NULL);
    int access = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_ATOMIC;

    *side = (struct side){0};
    if (list && list[0])
        side->at.device = ibv_open_device(list[0]);
    if (list)
        ibv_free_device_list(list);
    if (!side->at.device || !(side->at.pd = ibv_alloc_pd(side->at.device)) || ibv_query_gid(side->at.device, 1, gid_index, &side->at.gid) ||
        !(side->cq = ibv_create_cq(side->at.device, 2 * QPS * REQUESTS, NULL, NULL, 0)) ||
        !(side->region = ibv_reg_mr(side->at.pd, memory, memory_bytes, access)))
        return errno ? errno : ENODEV;
    for (int i = 0; i < QPS; i++) {
        struct ibv_qp_init_attr wanted = {
            .send_cq = side->cq,
            .recv_cq = side->cq,
            .qp_type = IBV_QPT_RC,
            .sq_sig_all = 1,
            .cap = {.max_send_wr = WINDOW, .max_recv_wr = REQUESTS, .max_send_sge = 1, .max_recv_sge = 1},
        };
        struct ibv_qp_attr init = {.qp_state = IBV_QPS_INIT, .port_num = 1, .qp_access_flags = (unsigned)access};

        if (!(side->qps[i] = ibv_create_qp(side->at.pd, &wanted)))
            return errno;
        int error = ibv_modify_qp(side->qps[i], &init, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
        if (error)
            return error;
    }
    return 0;
}

static int connect_all(struct side *side, const struct offer *peer) {
    for (int i = 0; i < QPS; i++) {
        struct ibv_qp_attr rtr = {
            .qp_state = IBV_QPS_RTR,
            .path_mtu = IBV_MTU_1024,
            .dest_qp_num = peer->qps[i].qpn,
            .rq_psn = 7,
            .max_dest_rd_atomic = 4,
            .min_rnr_timer = 12,
            .ah_attr = {.is_global = 1, .port_num = 1, .grh = {.dgid = peer->qps[i].gid, .sgid_index = gid_index, .hop_limit = 64}},
        };
        struct ibv_qp_attr rts = {
            .qp_state = IBV_QPS_RTS, .sq_psn = 7, .timeout = 13, .retry_cnt = 3, .rnr_retry = 7, .max_rd_atomic = 4,
        };
        int error = ibv_modify_qp(side->qps[i], &rtr, IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
                                                          IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER);
        if (!error)
            error = ibv_modify_qp(side->qps[i], &rts, IBV_QP_STATE | IBV_QP_SQ_PSN | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
                                                          IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC);
        if (error)
            return error;
    }
    return 0;
}

/* Both tell whether they could, and go on when both can. */
static int both_can(int peer, int can) {
    uint32_t own = (uint32_t)can, other;

    send_all(peer, &own, sizeof own);
    receive_all(peer, &other, sizeof other);
    return own && other;
}

static int meet(int peer, struct side *side, struct offer *theirs) {
    struct offer own = {0};

    if (prepare(side) == 0) {
        own = (struct offer){.works = 1, .rkey = side->region->rkey, .memory = (uint64_t)(uintptr_t)memory};
        for (int i = 0; i < QPS; i++)
            own.qps[i] = address_of(&side->at, side->qps[i]);
    }
    send_all(peer, &own, sizeof own);
    receive_all(peer, theirs, sizeof *theirs);
    return own.works && theirs->works && connect_all(side, theirs) == 0;
}

/* The server's receives: each must complete, once, those of one QP in order, and those that failed after all that did not. */
static void post_receives(struct side *side) {
    for (int qp = 0; qp < QPS; qp++)
        for (int i = 0; i < REQUESTS; i++) {
            struct ibv_sge place = {.addr = (uint64_t)(uintptr_t)receive_slot(qp, i), .length = SLOT, .lkey = side->region->lkey};
            struct ibv_recv_wr wanted = {.wr_id = (uint64_t)(qp * REQUESTS + i), .sg_list = &place, .num_sge = 1}, *bad;
            int error = ibv_post_recv(side->qps[qp], &wanted, &bad);

            if (error)
                die("ibv_post_recv %d of QP %d: %s", i, qp, strerror(error));
        }
}

struct arrivals {
    int completed[QPS], taken[QPS];
    uint32_t requests[QPS][REQUESTS]; /* by their immediate data */
    uint64_t sums[QPS][REQUESTS];
};

static void take_receives(struct side *side, struct arrivals *arrived) {
    double deadline = now() + WITHIN;
    int left = QPS * REQUESTS;

    for (int qp = 0; qp < QPS; qp++) {
        struct ibv_qp_attr error = {.qp_state = IBV_QPS_ERR};

        /* EIO where its router is gone: the receives are flushed all the same. */
        (void)ibv_modify_qp(side->qps[qp], &error, IBV_QP_STATE);
    }
    while (left > 0) {
        struct ibv_wc found;
        int count = ibv_poll_cq(side->cq, 1, &found);

        if (count < 0)
            die("ibv_poll_cq: %d", count);
        if (count == 0) {
            if (now() > deadline)
                die("%d receives have not completed within %d s", left, WITHIN);
            pause_for(0.0002);
            continue;
        }
        left--;
        int qp = (int)(found.wr_id / REQUESTS), index = (int)(found.wr_id % REQUESTS);
        if (found.wr_id >= QPS * REQUESTS || index != arrived->completed[qp])
            die("QP %d: receive %d completes where %d was due", qp, index, arrived->completed[qp]);
        arrived->completed[qp]++;
        if (found.status != IBV_WC_SUCCESS)
            continue;
        if (index != arrived->taken[qp])
            die("QP %d: receive %d succeeds after one that has failed", qp, index);
        if (!(found.wc_flags & IBV_WC_WITH_IMM) || found.byte_len > SLOT)
            die("QP %d: receive %d has %u bytes, flags %x", qp, index, found.byte_len, found.wc_flags);
        arrived->requests[qp][index] = found.imm_data;
        arrived->sums[qp][index] = checksum(receive_slot(qp, index), found.byte_len, CHECKSUM_START);
        arrived->taken[qp]++;
    }
}

static void compare(const struct entry (*ledger)[REQUESTS], const struct arrivals *arrived) {
    for (int qp = 0; qp < QPS; qp++) {
        int next = 0;
        uint64_t added = 0, perhaps = 0;

        for (int i = 0; i < REQUESTS && ledger[qp][i].status != UNPOSTED; i++) {
            const struct entry *entry = &ledger[qp][i];
            int succeeded = entry->status == IBV_WC_SUCCESS;

            if (entry->kind == IBV_WR_SEND_WITH_IMM) {
                int came = next < arrived->taken[qp] && arrived->requests[qp][next] == (uint32_t)i;

                if (came && arrived->sums[qp][next] != entry->sum)
                    die("QP %d: message %d is not what was sent", qp, i);
                if (succeeded && !came)
                    die("QP %d: message %d has succeeded, and has not come", qp, i);
                next += came;
            } else if (entry->kind == IBV_WR_RDMA_WRITE && succeeded) {
                if (checksum(slot(qp, i), entry->bytes, CHECKSUM_START) != entry->sum)
                    die("QP %d: WRITE %d has succeeded, and is not there", qp, i);
            } else if (entry->kind == IBV_WR_ATOMIC_FETCH_AND_ADD) {
                added += (uint64_t)succeeded;
                perhaps += !succeeded;
            }
        }
        if (next != arrived->taken[qp])
            die("QP %d: %d messages have come, and %d were sent in that order", qp, arrived->taken[qp], next);
        if (*counter(qp) < added || *counter(qp) > added + perhaps)
            die("QP %d: %llu additions, of which %llu have succeeded and %llu may have", qp, (unsigned long long)*counter(qp),
                (unsigned long long)added, (unsigned long long)perhaps);
    }
}

static void serve(int peer) {
    static struct entry ledger[QPS][REQUESTS];
    struct side side;
    struct offer theirs;
    uint32_t goes_on = 1;

    while (goes_on) {
        memset(memory, 0, slots_bytes);
        fill(memory + slots_bytes, READ_BYTES, 1);
        memset(counter(0), 0, QPS * sizeof(uint64_t));
        int can = meet(peer, &side, &theirs);
        if (can)
            post_receives(&side);
        if (both_can(peer, can)) {
            struct arrivals arrived = {0};

            receive_all(peer, ledger, sizeof ledger);
            take_receives(&side, &arrived);
            compare(ledger, &arrived);
        }
        give_up(&side);
        receive_all(peer, &goes_on, sizeof goes_on);
    }
    puts("every request is accounted for");
}

/* A request of a QP's; what it carries, or where what it reads is to go, lies in its own slot. */
static void post(struct side *side, const struct offer *theirs, int qp, int request, struct entry *entry, uint64_t *random) {
    static const int kinds[] = {IBV_WR_SEND_WITH_IMM, IBV_WR_SEND_WITH_IMM, IBV_WR_RDMA_WRITE, IBV_WR_RDMA_WRITE, IBV_WR_RDMA_READ, IBV_WR_ATOMIC_FETCH_AND_ADD};
    uint64_t chosen = next_random(random);
    unsigned char *own = slot(qp, request);
    struct ibv_sge place = {.addr = (uint64_t)(uintptr_t)own, .lkey = side->region->lkey};
    struct ibv_send_wr wanted = {.wr_id = (uint64_t)(qp * REQUESTS + request), .sg_list = &place, .num_sge = 1}, *bad;

    *entry = (struct entry){.kind = kinds[chosen % 6], .status = OPEN, .bytes = chosen >> 8 & 1 ? 1 + (uint32_t)(chosen >> 16) % 64 : 1 + (uint32_t)(chosen >> 16) % SLOT};
    wanted.opcode = (enum ibv_wr_opcode)entry->kind;
    wanted.wr.rdma.rkey = theirs->rkey;
    if (entry->kind == IBV_WR_ATOMIC_FETCH_AND_ADD) {
        entry->bytes = 8;
        wanted.wr.atomic.remote_addr = theirs->memory + (uint64_t)((unsigned char *)counter(qp) - memory);
        wanted.wr.atomic.rkey = theirs->rkey;
        wanted.wr.atomic.compare_add = 1;
    } else if (entry->kind == IBV_WR_RDMA_READ) {
        entry->sum = (chosen >> 40) % (READ_BYTES - SLOT); /* from where */
        memset(own, 0, entry->bytes);
        wanted.wr.rdma.remote_addr = theirs->memory + slots_bytes + entry->sum;
    } else {
        fill(own, entry->bytes, chosen);
        entry->sum = checksum(own, entry->bytes, CHECKSUM_START);
        wanted.imm_data = (uint32_t)request;
        wanted.wr.rdma.remote_addr = theirs->memory + (uint64_t)(own - memory);
    }
    place.length = entry->bytes;
    int error = ibv_post_send(side->qps[qp], &wanted, &bad);
    if (error)
        die("ibv_post_send %d of QP %d: %s", request, qp, strerror(error));
}

struct progress {
    int posted[QPS], completed[QPS], failed[QPS];
    uint64_t counters[QPS]; /* least that the next addition finds */
};

static void complete(const struct ibv_wc *found, struct entry (*ledger)[REQUESTS], struct progress *at) {
    int qp = (int)(found->wr_id / REQUESTS), request = (int)(found->wr_id % REQUESTS);

    if (found->wr_id >= QPS * REQUESTS || request != at->completed[qp] || request >= at->posted[qp])
        die("QP %d: request %d completes where %d was due, of %d", qp, request, at->completed[qp], at->posted[qp]);
    struct entry *entry = &ledger[qp][request];
    at->completed[qp]++;
    entry->status = (int32_t)found->status;
    if (found->status != IBV_WC_SUCCESS) {
        if (at->failed[qp] && found->status != IBV_WC_WR_FLUSH_ERR)
            die("QP %d: request %d fails with %s after one that has failed", qp, request, ibv_wc_status_str(found->status));
        if (found->status != IBV_WC_WR_FLUSH_ERR && found->status != IBV_WC_RETRY_EXC_ERR)
            die("QP %d: request %d fails with %s", qp, request, ibv_wc_status_str(found->status));
        at->failed[qp]++;
        return;
    }
    if (at->failed[qp])
        die("QP %d: request %d succeeds after one that has failed", qp, request);
    if (entry->kind == IBV_WR_RDMA_READ && memcmp(slot(qp, request), memory + slots_bytes + entry->sum, entry->bytes) != 0)
        die("QP %d: READ %d has brought what is not there", qp, request);
    if (entry->kind == IBV_WR_ATOMIC_FETCH_AND_ADD) {
        uint64_t before;

        memcpy(&before, slot(qp, request), sizeof before);
        if (before < at->counters[qp])
            die("QP %d: FETCH_ADD %d finds %llu after %llu", qp, request, (unsigned long long)before, (unsigned long long)at->counters[qp]);
        at->counters[qp] = before + 1;
    }
}

/* Until each QP has done all its requests, or failed and has nothing open. */
static void run(struct side *side, const struct offer *theirs, struct entry (*ledger)[REQUESTS], struct progress *at, uint64_t *random) {
    double deadline = now() + WITHIN;

    for (int open = 1; open;) {
        struct ibv_wc found[16];

        open = 0;
        for (int qp = 0; qp < QPS; qp++) {
            if (!at->failed[qp] && at->posted[qp] < REQUESTS && at->posted[qp] - at->completed[qp] < WINDOW) {
                post(side, theirs, qp, at->posted[qp], &ledger[qp][at->posted[qp]], random);
                at->posted[qp]++;
            }
            open |= at->completed[qp] < at->posted[qp] || (!at->failed[qp] && at->posted[qp] < REQUESTS);
        }
        int count = ibv_poll_cq(side->cq, 16, found);
        if (count < 0)
            die("ibv_poll_cq: %d", count);
        for (int i = 0; i < count; i++)
            complete(&found[i], ledger, at);
        if (count > 0)
            deadline = now() + WITHIN;
        else if (now() > deadline)
            die("nothing has completed for %d s", WITHIN);
        else
            pause_for(0.0002);
    }
    /* Nothing comes twice. */
    pause_for(0.01);
    struct ibv_wc more;
    if (ibv_poll_cq(side->cq, 1, &more) != 0)
        die("a completion for nothing: %llu", (unsigned long long)more.wr_id);
}

static int is_asked_for_more(void) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;

    return poll(&input, 1, 0) <= 0 || read(STDIN_FILENO, &byte, 1) > 0;
}

static void ask(int peer, uint64_t seed) {
    static struct entry ledger[QPS][REQUESTS];
    struct side side;
    struct offer theirs;
    uint32_t goes_on = 1;
    long epochs = 0, missed = 0, succeeded = 0, failed = 0;

    fill(memory + slots_bytes, READ_BYTES, 1);
    while (goes_on) {
        for (int qp = 0; qp < QPS; qp++)
            for (int i = 0; i < REQUESTS; i++)
                ledger[qp][i] = (struct entry){.status = UNPOSTED};
        if (both_can(peer, meet(peer, &side, &theirs))) {
            struct progress at = {0};

            run(&side, &theirs, ledger, &at, &seed);
            send_all(peer, ledger, sizeof ledger);
            epochs++;
            for (int qp = 0; qp < QPS; qp++) {
                succeeded += at.completed[qp] - at.failed[qp];
                failed += at.failed[qp];
            }
        } else {
            missed++;
            pause_for(0.2);
        }
        give_up(&side);
        goes_on = (uint32_t)is_asked_for_more();
        send_all(peer, &goes_on, sizeof goes_on);
    }
    printf("epochs %ld missed %ld succeeded %ld failed %ld\n", epochs, missed, succeeded, failed);
}

int main(int count, char **words) {
    if (count != 2 && count != 4)
        die("usage: verbs-ledger PORT [SEED HOST]");
    signal(SIGPIPE, SIG_IGN);
    gid_index = (uint8_t)atoi(getenv("GID_INDEX") ? getenv("GID_INDEX") : "0");
    memory = aligned_alloc(4096, memory_bytes);
    if (!memory)
        die("no memory");
    memset(memory, 0, memory_bytes);
    if (count == 2)
        serve(listen_and_accept(atoi(words[1])));
    else
        ask(connect_to(words[3], atoi(words[1])), strtoull(words[2], NULL, 0));
    return 0;
}
