/*
 * verbs-check [-e] [-q QPS] [-r ROUNDS] [-s SEED] [-w] [SERVER]
 *
 * Moves random data with every RC operation and compares all of it. The client draws the work: operation, size, offsets,
 * SGE lists, flags; it keeps a shadow of the server's memory, to which it applies every operation itself. After each round
 * the server reports the checksum of its memory and of every message that it received; READs and atomics are compared in
 * the client's own memory. Completions must come in order, one for each request that asks for one, with the right opcode.
 * -e waits for completion events; -w goes on until standard input ends, instead of for some rounds. Ends with 0 and a line that counts what was moved.
 */
#include "endpoint.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { port = 18600, least_rounds = 5, max_qps = 16, depth = 32, max_sges = 8, inline_bytes = 96, patience_seconds = 30 };
enum { remote_bytes = 1 << 20, source_bytes = 1 << 20, target_bytes = 4 << 20, message_bytes = 128 << 10 };

struct setup {
    struct address address;
    uint64_t remote_start;
    uint32_t rkey;
};

struct order { /* client to server: what each QP is to expect in the next round */
    uint32_t receives[max_qps];
    uint32_t delay_microseconds; /* before the receives are posted: the sender meets RNR */
    uint32_t last;
    uint64_t seed;
};

struct receipt {
    uint64_t sum;
    uint32_t bytes, with_imm, imm, opcode;
};

struct work {
    struct ibv_send_wr request;
    struct ibv_sge parts[max_sges];
    uint64_t remote_offset;
    uint64_t expected; /* an atomic's result */
    unsigned char *wanted; /* a READ's data */
    size_t bytes;
};

struct side {
    struct ibv_qp *qp;
    unsigned char *remote; /* the server's memory; the client's shadow of it */
    unsigned char *source, *target;
    struct ibv_mr *remote_region, *source_region, *target_region;
    struct setup peer;
    struct work works[depth];
    struct receipt expected[depth];
    uint32_t posted, receives, target_used;
};

static struct endpoint endpoint;
static struct ibv_cq *send_cq, *receive_cq;
static struct side sides[max_qps];
static int qps = 4, until_input_ends;
static unsigned long long operations, bytes_moved;

static void *allocate(size_t bytes) {
    void *start = NULL;
    if (posix_memalign(&start, 4096, bytes + 4096))
        die("no memory");
    /* Off the page's start, so that regions begin in the middle of a page. */
    return (char *)start + 136;
}

static void fill(unsigned char *start, size_t bytes, uint64_t seed) {
    for (size_t i = 0; i < bytes; i++)
        start[i] = (unsigned char)((i & 7) == 0 ? next_random(&seed) : seed >> (8 * (i & 7)));
}

static struct side *side_of(uint32_t qpn) {
    for (int i = 0; i < qps; i++) {
        if (sides[i].qp->qp_num == qpn)
            return &sides[i];
    }
    die("a completion for QP %u, which is not ours", qpn);
}

static void make_sides(int peer) {
    const int all = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_ATOMIC;
    send_cq = ibv_create_cq(endpoint.device, depth * qps, NULL, endpoint.channel, 0);
    receive_cq = ibv_create_cq(endpoint.device, depth * qps, NULL, endpoint.channel, 0);
    if (!send_cq || !receive_cq)
        die("ibv_create_cq: %s", strerror(errno));
    for (int i = 0; i < qps; i++) {
        struct side *side = &sides[i];
        side->qp = make_qp(&endpoint, send_cq, receive_cq, depth, max_sges, inline_bytes);
        side->remote = allocate(remote_bytes);
        side->source = allocate(source_bytes);
        side->target = allocate(target_bytes);
        fill(side->remote, remote_bytes, (uint64_t)i + 1);
        side->remote_region = register_memory(&endpoint, side->remote, remote_bytes, all);
        side->source_region = register_memory(&endpoint, side->source, source_bytes, 0);
        side->target_region = register_memory(&endpoint, side->target, target_bytes, IBV_ACCESS_LOCAL_WRITE);
        struct setup mine = {address_of(&endpoint, side->qp), (uintptr_t)side->remote, side->remote_region->rkey};
        send_all(peer, &mine, sizeof mine);
        receive_all(peer, &side->peer, sizeof side->peer);
        connect_qp(side->qp, &side->peer.address, &usual_patience);
    }
    /* Nobody sends before both are ready to receive. */
    char ready = 1;
    send_all(peer, &ready, 1);
    receive_all(peer, &ready, 1);
}

/* Cuts `bytes` at `start` into random parts, some of them empty. */
static int cut(uint64_t *random, unsigned char *start, size_t bytes, uint32_t key, struct ibv_sge *parts) {
    int count = (int)(next_random(random) % max_sges) + 1;
    for (int i = 0; i < count; i++) {
        size_t part = i == count - 1 ? bytes : next_random(random) % (bytes + 1);
        /* A part of no bytes would be one of 2^31 on some devices: leave it out. */
        parts[i] = (struct ibv_sge){(uintptr_t)start, (uint32_t)part, key};
        start += part;
        bytes -= part;
    }
    int kept = 0;
    for (int i = 0; i < count; i++) {
        if (parts[i].length)
            parts[kept++] = parts[i];
    }
    return kept;
}

static size_t draw_size(uint64_t *random) {
    switch (next_random(random) % 8) {
    case 0:
        return next_random(random) % 4;
    case 1:
    case 2:
        return next_random(random) % 129;
    case 3:
        return next_random(random) % (message_bytes + 1);
    default:
        return next_random(random) % 9000;
    }
}

/* Parts of the source area, which may lie anywhere and overlap; returns their bytes' checksum. */
static uint64_t draw_source(uint64_t *random, struct side *side, struct work *work, size_t bytes) {
    int count = bytes == 0 ? 0 : (int)(next_random(random) % max_sges) + 1;
    uint64_t sum = CHECKSUM_START;
    int kept = 0;
    for (int i = 0; i < count; i++) {
        size_t part = i == count - 1 ? bytes : next_random(random) % (bytes + 1);
        if (part == 0)
            continue;
        size_t offset = next_random(random) % (source_bytes - part + 1);
        work->parts[kept++] = (struct ibv_sge){(uintptr_t)(side->source + offset), (uint32_t)part, side->source_region->lkey};
        sum = checksum(side->source + offset, part, sum);
        bytes -= part;
    }
    work->request.num_sge = kept;
    return sum;
}

static void apply_to_shadow(struct side *side, struct work *work) {
    unsigned char *to = side->remote + work->remote_offset;
    for (int i = 0; i < work->request.num_sge; i++) {
        memcpy(to, (void *)(uintptr_t)work->parts[i].addr, work->parts[i].length);
        to += work->parts[i].length;
    }
}

static void draw_work(uint64_t *random, struct side *side, struct work *work, int is_last) {
    static const enum ibv_wr_opcode opcodes[] = {
        IBV_WR_SEND, IBV_WR_SEND_WITH_IMM, IBV_WR_RDMA_WRITE, IBV_WR_RDMA_WRITE_WITH_IMM,
        IBV_WR_RDMA_READ, IBV_WR_RDMA_READ, IBV_WR_ATOMIC_FETCH_AND_ADD, IBV_WR_ATOMIC_CMP_AND_SWP,
    };
    memset(work, 0, sizeof *work);
    struct ibv_send_wr *request = &work->request;
    request->opcode = opcodes[next_random(random) % 8];
    request->sg_list = work->parts;
    size_t bytes = draw_size(random);
    int sends = request->opcode == IBV_WR_SEND || request->opcode == IBV_WR_SEND_WITH_IMM;
    int writes = request->opcode == IBV_WR_RDMA_WRITE || request->opcode == IBV_WR_RDMA_WRITE_WITH_IMM;
    int receives = sends || request->opcode == IBV_WR_RDMA_WRITE_WITH_IMM;
    if ((sends || writes) && next_random(random) % 4 == 0) {
        request->send_flags |= IBV_SEND_INLINE;
        bytes = next_random(random) % (inline_bytes + 1);
    }
    if (is_last || next_random(random) % 2)
        request->send_flags |= IBV_SEND_SIGNALED;
    if (next_random(random) % 2)
        request->send_flags |= IBV_SEND_SOLICITED;
    /* What changes remote memory must not overtake a READ's answer; which of the two is read is not for us to say. */
    if (writes || request->opcode > IBV_WR_RDMA_READ)
        request->send_flags |= IBV_SEND_FENCE;
    request->imm_data = (uint32_t)next_random(random);

    if (request->opcode >= IBV_WR_RDMA_READ) {
        int atomic = request->opcode != IBV_WR_RDMA_READ;
        if (atomic)
            bytes = 8;
        if (side->target_used + bytes > target_bytes)
            bytes = atomic ? 8 : 0;
        unsigned char *to = side->target + side->target_used;
        side->target_used += (uint32_t)bytes;
        work->remote_offset = atomic ? next_random(random) % (remote_bytes / 8 - 17) * 8 : next_random(random) % (remote_bytes - bytes + 1);
        uint64_t remote = side->peer.remote_start + work->remote_offset;
        work->bytes = bytes;
        if (atomic) {
            memcpy(&work->expected, side->remote + work->remote_offset, 8);
            uint64_t operand = next_random(random), compare = next_random(random) % 2 ? work->expected : operand + 1;
            uint64_t result = request->opcode == IBV_WR_ATOMIC_FETCH_AND_ADD ? work->expected + operand
                              : compare == work->expected                    ? operand
                                                                             : work->expected;
            memcpy(side->remote + work->remote_offset, &result, 8);
            request->wr.atomic.remote_addr = remote;
            request->wr.atomic.rkey = side->peer.rkey;
            request->wr.atomic.compare_add = request->opcode == IBV_WR_ATOMIC_FETCH_AND_ADD ? operand : compare;
            request->wr.atomic.swap = operand;
            work->parts[0] = (struct ibv_sge){(uintptr_t)to, 8, side->target_region->lkey};
            request->num_sge = 1;
        } else {
            request->num_sge = bytes == 0 ? 0 : cut(random, to, bytes, side->target_region->lkey, work->parts);
            request->wr.rdma.remote_addr = remote;
            request->wr.rdma.rkey = side->peer.rkey;
        }
        work->wanted = malloc(bytes + 1);
        if (!work->wanted)
            die("no memory");
        if (atomic)
            memcpy(work->wanted, &work->expected, 8);
        else
            memcpy(work->wanted, side->remote + work->remote_offset, bytes);
    } else {
        uint64_t sum = draw_source(random, side, work, bytes);
        if (writes) {
            work->remote_offset = next_random(random) % (remote_bytes - bytes + 1);
            request->wr.rdma.remote_addr = side->peer.remote_start + work->remote_offset;
            request->wr.rdma.rkey = side->peer.rkey;
            apply_to_shadow(side, work);
        }
        if (receives) {
            int with_imm = request->opcode != IBV_WR_SEND;
            side->expected[side->receives++] = (struct receipt){
                .sum = sends ? sum : 0,
                .bytes = (uint32_t)bytes,
                .with_imm = (uint32_t)with_imm,
                .imm = with_imm ? request->imm_data : 0,
                .opcode = sends ? IBV_WC_RECV : IBV_WC_RECV_RDMA_WITH_IMM,
            };
        }
        work->bytes = bytes;
    }
    operations++;
    bytes_moved += work->bytes;
}

static enum ibv_wc_opcode completion_of(enum ibv_wr_opcode opcode) {
    switch (opcode) {
    case IBV_WR_SEND:
    case IBV_WR_SEND_WITH_IMM:
        return IBV_WC_SEND;
    case IBV_WR_RDMA_WRITE:
    case IBV_WR_RDMA_WRITE_WITH_IMM:
        return IBV_WC_RDMA_WRITE;
    case IBV_WR_RDMA_READ:
        return IBV_WC_RDMA_READ;
    case IBV_WR_ATOMIC_FETCH_AND_ADD:
        return IBV_WC_FETCH_ADD;
    default:
        return IBV_WC_COMP_SWAP;
    }
}

/* Reads the server's memory, and tells where it differs and which requests have been there. */
_Noreturn static void show_difference(struct side *side, int round, int qp) {
    struct ibv_sge part = {(uintptr_t)side->target, remote_bytes, side->target_region->lkey};
    struct ibv_send_wr request = {.sg_list = &part, .num_sge = 1, .opcode = IBV_WR_RDMA_READ, .send_flags = IBV_SEND_SIGNALED}, *bad;
    request.wr.rdma.remote_addr = side->peer.remote_start;
    request.wr.rdma.rkey = side->peer.rkey;
    struct ibv_wc done;
    if (ibv_post_send(side->qp, &request, &bad) || !await_completion(&endpoint, send_cq, &done, patience_seconds))
        die("round %d: the memory behind QP %d differs, and can't be read", round, qp);
    size_t first = 0, last = 0, count = 0;
    for (size_t i = 0; i < remote_bytes; i++) {
        if (side->target[i] == side->remote[i])
            continue;
        first = count++ ? first : i;
        last = i;
    }
    for (uint32_t k = 0; k < side->posted; k++) {
        struct work *work = &side->works[k];
        fprintf(stderr, "%u: opcode %d, %zu bytes at %lu, flags %x, %d parts%s\n", k, work->request.opcode, work->bytes,
                (unsigned long)work->remote_offset, work->request.send_flags, work->request.num_sge,
                work->remote_offset <= last && work->remote_offset + work->bytes > first ? " *" : "");
    }
    die("round %d: the memory behind QP %d differs in %zu bytes from %zu to %zu", round, qp, count, first, last);
}

static int has_input_ended(void) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0;
}

static void run_client(int peer, uint64_t seed, int rounds) {
    uint64_t random = seed;
    for (int round = 0, last = 0; !last; round++) {
        last = until_input_ends ? round >= least_rounds && has_input_ended() : round == rounds;
        struct order order = {.last = (uint32_t)last, .seed = next_random(&random)};
        order.delay_microseconds = next_random(&random) % 8 == 0 ? 3000 : 0;
        uint32_t signaled[max_qps] = {0}, next[max_qps] = {0};
        for (int i = 0; i < qps && !order.last; i++) {
            struct side *side = &sides[i];
            fill(side->source, source_bytes / 16, next_random(&random));
            side->target_used = side->receives = 0;
            side->posted = (uint32_t)(next_random(&random) % depth) + 1;
            for (uint32_t k = 0; k < side->posted; k++) {
                draw_work(&random, side, &side->works[k], k == side->posted - 1);
                side->works[k].request.wr_id = k;
                side->works[k].request.next = k + 1 < side->posted ? &side->works[k + 1].request : NULL;
                signaled[i] += (side->works[k].request.send_flags & IBV_SEND_SIGNALED) != 0;
            }
            order.receives[i] = side->receives;
        }
        send_all(peer, &order, sizeof order);
        if (order.last)
            break;
        char ready;
        receive_all(peer, &ready, 1);

        uint32_t open = 0;
        for (int i = 0; i < qps; i++) {
            struct ibv_send_wr *bad;
            int error = ibv_post_send(sides[i].qp, &sides[i].works[0].request, &bad);
            if (error)
                die("ibv_post_send: %s", strerror(error));
            open += signaled[i];
        }
        for (; open > 0; open--) {
            struct ibv_wc done;
            if (!await_completion(&endpoint, send_cq, &done, patience_seconds))
                die("round %d: %u completions are missing", round, open);
            struct side *side = side_of(done.qp_num);
            uint32_t *at = &next[side - sides];
            while (*at < side->posted && !(side->works[*at].request.send_flags & IBV_SEND_SIGNALED))
                (*at)++;
            if (done.status != IBV_WC_SUCCESS)
                die("round %d: request %lu: %s", round, (unsigned long)done.wr_id, ibv_wc_status_str(done.status));
            if (*at >= side->posted || done.wr_id != *at)
                die("round %d: completion of %lu where %u was to come", round, (unsigned long)done.wr_id, *at);
            if (done.opcode != completion_of(side->works[*at].request.opcode))
                die("round %d: opcode %d for request %u", round, done.opcode, *at);
            (*at)++;
        }

        /* Now that everything has completed, the server's memory may be looked at. */
        send_all(peer, &ready, 1);
        for (int i = 0; i < qps; i++) {
            struct side *side = &sides[i];
            uint32_t used = 0;
            for (uint32_t k = 0; k < side->posted; k++) {
                struct work *work = &side->works[k];
                if (!work->wanted)
                    continue;
                if (memcmp(side->target + used, work->wanted, work->bytes))
                    die("round %d: %s brought wrong data (%zu bytes, QP %d, request %u)", round,
                        work->request.opcode == IBV_WR_RDMA_READ ? "READ" : "atomic", work->bytes, i, k);
                used += (uint32_t)work->bytes;
                free(work->wanted);
            }
            for (uint32_t k = 0; k < side->receives; k++) {
                struct receipt got, *wanted = &side->expected[k];
                receive_all(peer, &got, sizeof got);
                if (memcmp(&got, wanted, sizeof got))
                    die("round %d: message %u of QP %d: %u bytes, sum %lx, imm %u %x, opcode %u, where %u, %lx, %u %x, %u was sent", round,
                        k, i, got.bytes, (unsigned long)got.sum, got.with_imm, got.imm, got.opcode, wanted->bytes,
                        (unsigned long)wanted->sum, wanted->with_imm, wanted->imm, wanted->opcode);
            }
            uint64_t sum;
            receive_all(peer, &sum, sizeof sum);
            if (sum != checksum(side->remote, remote_bytes, CHECKSUM_START))
                show_difference(side, round, i);
        }
    }
    printf("verified %llu operations, %llu bytes, on %d QPs\n", operations, bytes_moved, qps);
}

static void run_server(int peer) {
    for (;;) {
        struct order order;
        receive_all(peer, &order, sizeof order);
        if (order.last)
            return;
        char ready = 1;
        if (order.delay_microseconds) {
            send_all(peer, &ready, 1);
            usleep(order.delay_microseconds);
        }
        uint32_t open = 0;
        static struct receipt receipts[max_qps][depth];
        static struct ibv_sge parts[max_qps][depth][max_sges];
        static int counts[max_qps][depth];
        uint32_t next[max_qps] = {0};
        for (int i = 0; i < qps; i++) {
            unsigned char *at = sides[i].target;
            for (uint32_t k = 0; k < order.receives[i]; k++) {
                counts[i][k] = cut(&order.seed, at, message_bytes, sides[i].target_region->lkey, parts[i][k]);
                struct ibv_recv_wr request = {.wr_id = k, .sg_list = parts[i][k], .num_sge = counts[i][k]}, *bad;
                int error = ibv_post_recv(sides[i].qp, &request, &bad);
                if (error)
                    die("ibv_post_recv: %s", strerror(error));
                at += message_bytes;
                open++;
            }
        }
        if (!order.delay_microseconds)
            send_all(peer, &ready, 1);
        for (; open > 0; open--) {
            struct ibv_wc done;
            if (!await_completion(&endpoint, receive_cq, &done, patience_seconds))
                die("%u messages did not come", open);
            struct side *side = side_of(done.qp_num);
            int i = (int)(side - sides);
            if (done.status != IBV_WC_SUCCESS)
                die("receive %lu: %s", (unsigned long)done.wr_id, ibv_wc_status_str(done.status));
            if (done.wr_id != next[i])
                die("receive %lu completed where %u was to come", (unsigned long)done.wr_id, next[i]);
            struct receipt *receipt = &receipts[i][next[i]++];
            *receipt = (struct receipt){.bytes = done.byte_len, .opcode = done.opcode};
            if (done.wc_flags & IBV_WC_WITH_IMM) {
                receipt->with_imm = 1;
                receipt->imm = done.imm_data;
            }
        }
        receive_all(peer, &ready, 1);
        for (int i = 0; i < qps; i++) {
            for (uint32_t k = 0; k < order.receives[i]; k++) {
                if (receipts[i][k].opcode == IBV_WC_RECV)
                    receipts[i][k].sum = checksum(sides[i].target + (size_t)k * message_bytes, receipts[i][k].bytes, CHECKSUM_START);
                send_all(peer, &receipts[i][k], sizeof receipts[i][k]);
            }
            uint64_t sum = checksum(sides[i].remote, remote_bytes, CHECKSUM_START);
            send_all(peer, &sum, sizeof sum);
        }
    }
}

int main(int count, char **words) {
    int with_events = 0, rounds = 50, option;
    uint64_t seed = 1;
    while ((option = getopt(count, words, "eq:r:s:w")) != -1) {
        switch (option) {
        case 'e':
            with_events = 1;
            break;
        case 'q':
            qps = atoi(optarg);
            break;
        case 'r':
            rounds = atoi(optarg);
            break;
        case 'w':
            until_input_ends = 1;
            break;
        case 's':
            seed = strtoull(optarg, NULL, 0);
            break;
        default:
            die("usage: verbs-check [-e] [-q QPS] [-r ROUNDS] [-s SEED] [-w] [SERVER]");
        }
    }
    if (qps < 1 || qps > max_qps)
        die("1 to %d QPs", max_qps);
    endpoint = open_endpoint(with_events);
    int peer = optind < count ? connect_to(words[optind], port) : listen_and_accept(port);
    make_sides(peer);
    if (optind < count)
        run_client(peer, seed, rounds);
    else
        run_server(peer);
    return 0;
}
