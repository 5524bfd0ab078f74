/* Steps that post work, and what comes of it. */
#include "verbs-sequence.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_sges = 40, most_queues = 32, most_found = 256, line_bytes = 128, patience_seconds = 30, grh_bytes = 40 };

static struct object *queues[most_queues];
static int queue_count;

/* The datagrams' receives, by id: the header in front is the addresses', not the sequence's. */
static unsigned char *headers[1 << 16];

struct ibv_sge part_of(const char *text) {
    char name[name_bytes], wrong = 0;
    unsigned offset, length;
    if (sscanf(text, "%15[^+]+%u/%u%c", name, &offset, &length, &wrong) < 3)
        die("no part: %s", text);
    struct object *region = object_of(name);
    return (struct ibv_sge){(uintptr_t)region->memory + offset, length, wrong == '!' ? region->fact.lkey ^ 0x7f0000 : region->fact.lkey};
}

static int parts_of(const struct step *step, struct ibv_sge *parts) {
    int count = 0;
    for (int i = 0; i < step->count; i++)
        if (!strncmp(step->words[i], "sge=", 4) && count < most_sges)
            parts[count++] = part_of(step->words[i] + 4);
    return count;
}

static uint64_t id_of(const struct step *step) {
    return strtoul(step->words[2], NULL, 10);
}

/* "none" is no request at all. */
static enum ibv_wr_opcode opcode_of(const char *name) {
    static const struct {
        const char *name;
        enum ibv_wr_opcode opcode;
    } opcodes[] = {{"send", IBV_WR_SEND},           {"send-imm", IBV_WR_SEND_WITH_IMM},        {"write", IBV_WR_RDMA_WRITE},
                   {"write-imm", IBV_WR_RDMA_WRITE_WITH_IMM}, {"read", IBV_WR_RDMA_READ},      {"swap", IBV_WR_ATOMIC_CMP_AND_SWP},
                   {"add", IBV_WR_ATOMIC_FETCH_AND_ADD},          {"none", IBV_WR_SEND},
                   {"send-inv", IBV_WR_SEND_WITH_INV},    {"invalidate", IBV_WR_LOCAL_INV}};
    for (size_t i = 0; i < sizeof opcodes / sizeof opcodes[0]; i++)
        if (!strcmp(opcodes[i].name, name))
            return opcodes[i].opcode;
    die("no operation: %s", name);
}

/* "OBJECT+OFFSET", and behind it "!" for a key that nothing has, "^" for the one that a window had before. */
static uint32_t remote_of(const char *text, uint64_t *address) {
    char name[name_bytes], mark = 0;
    unsigned offset;
    if (sscanf(text, "%15[^+]+%u%c", name, &offset, &mark) < 2)
        die("no remote address: %s", text);
    const struct fact *there = &object_of(name)->fact;
    *address = there->start + offset;
    return mark == '!' ? there->rkey ^ 0x7f0000 : mark == '^' ? there->former_rkey : there->rkey;
}

static int post_send(struct step *step, char *answer) {
    struct ibv_sge parts[most_sges];
    struct ibv_send_wr request = {.wr_id = id_of(step), .sg_list = parts, .num_sge = parts_of(step, parts), .opcode = opcode_of(step->words[3])};
    struct ibv_send_wr *bad;
    const char *remote = value_of(step, "remote"), *flags = value_of(step, "flags"), *key = value_of(step, "key"), *handle = value_of(step, "ah");
    if (flags)
        request.send_flags = (strchr(flags, 's') ? IBV_SEND_SIGNALED : 0) | (strchr(flags, 'i') ? IBV_SEND_INLINE : 0) |
                             (strchr(flags, 'f') ? IBV_SEND_FENCE : 0) | (strchr(flags, 'e') ? IBV_SEND_SOLICITED : 0);
    uint64_t address;
    if (key)
        request.invalidate_rkey = remote_of(key, &address);
    else
        request.imm_data = htonl(number_of(step, "imm"));
    if (handle) {
        request.wr.ud.ah = object_of(handle)->handle;
        request.wr.ud.remote_qpn = object_of(value_of(step, "to"))->fact.qpn;
        request.wr.ud.remote_qkey = number_of(step, "qkey");
    } else if (remote) {
        uint32_t rkey = remote_of(remote, &address);
        if (request.opcode == IBV_WR_ATOMIC_CMP_AND_SWP || request.opcode == IBV_WR_ATOMIC_FETCH_AND_ADD) {
            request.wr.atomic.remote_addr = address;
            request.wr.atomic.rkey = rkey;
            request.wr.atomic.compare_add = number_of(step, "compare");
            request.wr.atomic.swap = number_of(step, "swap");
        } else {
            request.wr.rdma.remote_addr = address;
            request.wr.rdma.rkey = rkey;
        }
    }
    strcpy(answer, errno_name(ibv_post_send(step->object->handle, strcmp(step->words[3], "none") ? &request : NULL, &bad)));
    return 1;
}

static int post_receive(struct step *step, char *answer) {
    struct ibv_sge parts[most_sges];
    struct ibv_recv_wr request = {.wr_id = id_of(step), .sg_list = parts, .num_sge = parts_of(step, parts)}, *bad;
    headers[request.wr_id & 0xffff] = value_of(step, "header") ? (unsigned char *)(uintptr_t)parts[0].addr : NULL;
    int error = strstr(step->object->name, "srq") ? ibv_post_srq_recv(step->object->handle, &request, &bad)
                                                  : ibv_post_recv(step->object->handle, &request, &bad);
    strcpy(answer, errno_name(error));
    return 1;
}

static const char *status_name(enum ibv_wc_status status) {
    static const char *const names[] = {"ok",           "LOC_LEN_ERR",     "LOC_QP_OP_ERR", "LOC_EEC_OP_ERR", "LOC_PROT_ERR",
                                        "WR_FLUSH_ERR", "MW_BIND_ERR",     "BAD_RESP_ERR",  "LOC_ACCESS_ERR", "REM_INV_REQ_ERR",
                                        "REM_ACCESS_ERR", "REM_OP_ERR",    "RETRY_EXC_ERR", "RNR_RETRY_EXC_ERR"};
    return (size_t)status < sizeof names / sizeof names[0] ? names[status] : "another-status";
}

static const char *opcode_name(enum ibv_wc_opcode opcode) {
    switch (opcode) {
    case IBV_WC_SEND: return "send";
    case IBV_WC_RDMA_WRITE: return "write";
    case IBV_WC_RDMA_READ: return "read";
    case IBV_WC_COMP_SWAP: return "swap";
    case IBV_WC_FETCH_ADD: return "add";
    case IBV_WC_BIND_MW: return "bind";
    case IBV_WC_LOCAL_INV: return "invalidate";
    case IBV_WC_RECV: return "recv";
    case IBV_WC_RECV_RDMA_WITH_IMM: return "recv-imm";
    default: return "another-opcode";
    }
}

/* What is defined of a completion, as one line: of a failed one its status alone. */
static void describe(const struct ibv_wc *done, char *line) {
    struct object *qp = object_by_qpn(done->qp_num);
    int is_receive = done->wr_id >= 1 << 15, used = sprintf(line, "= %s %s %u %s", qp ? qp->name : "?", is_receive ? "recv" : "send",
                                                            (unsigned)done->wr_id, status_name(done->status));
    if (done->status != IBV_WC_SUCCESS)
        return;
    used += sprintf(line + used, " %s", opcode_name(done->opcode));
    if (is_receive || done->opcode == IBV_WC_RDMA_READ)
        used += sprintf(line + used, " bytes=%u", done->byte_len);
    if (!is_receive)
        return;
    if (done->wc_flags & IBV_WC_WITH_IMM)
        used += sprintf(line + used, " imm=%u", ntohl(done->imm_data));
    if (done->wc_flags & (is_kernels(device.device) ? KERNELS_WITH_INV : IBV_WC_WITH_INV)) {
        struct object *window = object_by_rkey(done->invalidated_rkey);
        used += sprintf(line + used, " inv=%s", window ? window->name : "?");
    }
    struct object *from = done->src_qp ? object_by_qpn(done->src_qp) : NULL;
    sprintf(line + used, "%s%s%s", done->wc_flags & IBV_WC_GRH ? " grh" : "", from ? " from=" : "", from ? from->name : "");
    if (headers[done->wr_id & 0xffff])
        memset(headers[done->wr_id & 0xffff], 0, grh_bytes);
}

static int take_all(char found[][line_bytes], int count) {
    struct ibv_wc done;
    for (int i = 0; i < queue_count; i++)
        while (queues[i]->is_alive && count < most_found && ibv_poll_cq(queues[i]->handle, 1, &done) > 0)
            describe(&done, found[count++]);
    return count;
}

/* "= QP QUEUE": where a completion belongs. */
static size_t place_bytes(const char *line) {
    const char *id = strchr(strchr(line + 2, ' ') + 1, ' ');
    return (size_t)(id - line);
}

int settle(char **wanted, int count, int quiet_milliseconds) {
    static char found[most_found][line_bytes];
    double deadline = now() + patience_seconds;
    int came = 0;
    while ((came = take_all(found, came)) < count && now() < deadline)
        if (came == 0 || now() > deadline - patience_seconds + 0.05)
            poll(NULL, 0, 1);
    double quiet = now() + quiet_milliseconds * 1e-3;
    do {
        poll(NULL, 0, 1);
        came = take_all(found, came);
    } while (came <= count && now() < quiet);

    char is_used[most_found] = {0};
    int differ = came != count;
    for (int i = 0; i < count && !differ; i++) {
        size_t place = place_bytes(wanted[i]) + 1;
        int next = 0;
        while (next < came && (is_used[next] || strncmp(found[next], wanted[i], place) != 0))
            next++;
        differ = next == came || strcmp(found[next], wanted[i]) != 0;
        if (!differ)
            is_used[next] = 1;
    }
    if (differ) {
        printf("recorded completions:\n");
        for (int i = 0; i < count; i++)
            printf("%s\n", wanted[i]);
        printf("but there came:\n");
        for (int i = 0; i < came; i++)
            printf("%s\n", found[i]);
    }
    return differ;
}

int do_work_step(struct step *step, char *answer) {
    struct object *object = step->object;
    const char *verb = step->words[0];
    if (!strcmp(verb, "send"))
        return post_send(step, answer);
    if (!strcmp(verb, "recv"))
        return post_receive(step, answer);
    if (!strcmp(verb, "watch")) {
        if (queue_count == most_queues)
            die("too many CQs");
        queues[queue_count++] = object;
        strcpy(answer, "ok");
        return 1;
    }
    if (!strcmp(verb, "sum")) {
        sprintf(answer, "%016llx", (unsigned long long)checksum(object->memory, object->bytes, CHECKSUM_START));
        return 1;
    }
    return 0;
}
