/* Steps that make and end objects. */
#include "verbs-sequence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *handle_of(const struct step *step, const char *key) {
    const char *name = value_of(step, key);
    return name ? object_of(name)->handle : NULL;
}

/* A limit of the device, or that and one more, where a value is no number. */
static uint32_t bounded(const struct step *step, const char *key, int limit) {
    const char *value = value_of(step, key);
    return value && !strcmp(value, "max+1") ? (uint32_t)limit + 1 : number_of(step, key);
}

static int made(struct object *object, void *handle, char *answer) {
    if (handle)
        object->handle = handle;
    object->is_alive = handle != NULL;
    strcpy(answer, errno_name(handle ? 0 : errno));
    return 1;
}

static int ended(struct object *object, int error, char *answer) {
    if (error < 0)
        error = errno;
    if (!error)
        object->is_alive = 0;
    strcpy(answer, errno_name(error));
    return 1;
}

static int make_region(struct step *step, char *answer) {
    struct object *object = step->object;
    object->bytes = number_of(step, "bytes");
    object->memory = aligned_alloc(4096, (object->bytes + 4095) / 4096 * 4096 + 4096);
    if (!object->memory)
        die("no memory");
    for (size_t i = 0; i < object->bytes; i++)
        object->memory[i] = (unsigned char)(i * 7 + number_of(step, "fill"));
    struct ibv_mr *region = ibv_reg_mr(handle_of(step, "pd"), object->memory, object->bytes, (int)number_of(step, "access"));
    if (region) {
        object->fact.start = (uintptr_t)object->memory;
        object->fact.rkey = region->rkey;
        object->fact.lkey = region->lkey;
    }
    return made(object, region, answer);
}

static int make_pair(struct step *step, char *answer) {
    struct ibv_device_attr limits;
    if (ibv_query_device(device.device, &limits))
        die("ibv_query_device");
    const char *type = value_of(step, "type"), *shared = value_of(step, "srq");
    struct ibv_qp_init_attr wanted = {
        .send_cq = handle_of(step, "scq"),
        .recv_cq = handle_of(step, "rcq"),
        .srq = shared ? handle_of(step, "srq") : NULL,
        .qp_type = !strcmp(type, "rc") ? IBV_QPT_RC : !strcmp(type, "uc") ? IBV_QPT_UC : IBV_QPT_UD,
        .sq_sig_all = (int)number_of(step, "all"),
        .cap = {.max_send_wr = bounded(step, "sends", limits.max_qp_wr),
                .max_recv_wr = bounded(step, "receives", limits.max_qp_wr),
                .max_send_sge = bounded(step, "ssge", limits.max_sge),
                .max_recv_sge = bounded(step, "rsge", limits.max_sge),
                .max_inline_data = number_of(step, "inline")},
    };
    struct ibv_qp *pair = ibv_create_qp(handle_of(step, "pd"), &wanted);
    made(step->object, pair, answer);
    if (pair) {
        step->object->fact.qpn = pair->qp_num;
        step->object->fact.gid = device.gid;
        sprintf(answer, "sends=%u receives=%u ssge=%u rsge=%u inline=%u", wanted.cap.max_send_wr, wanted.cap.max_recv_wr,
                wanted.cap.max_send_sge, wanted.cap.max_recv_sge, wanted.cap.max_inline_data);
    }
    return 1;
}

static int make_shared_queue(struct step *step, char *answer) {
    struct ibv_device_attr limits;
    if (ibv_query_device(device.device, &limits))
        die("ibv_query_device");
    struct ibv_srq_init_attr wanted = {
        .attr = {.max_wr = bounded(step, "receives", limits.max_srq_wr), .max_sge = bounded(step, "rsge", limits.max_srq_sge)}};
    return made(step->object, ibv_create_srq(handle_of(step, "pd"), &wanted), answer);
}

/* "g1" and so on are groups of IPv4, "v6" is one of IPv6, "own" the device's own address; otherwise it is a QP's. */
static union ibv_gid gid_of(const char *name) {
    static const union ibv_gid none, v4 = {.raw = {[10] = 0xff, 0xff, 239, 1, 2, 0}}, v6 = {.raw = {0xff, 0x0e, [15] = 9}};
    if (!strcmp(name, "own"))
        return device.gid;
    if (!strcmp(name, "zero"))
        return none;
    if (!strcmp(name, "v6"))
        return v6;
    if (name[0] != 'g')
        return object_of(name)->fact.gid;
    union ibv_gid group = v4;
    group.raw[15] = (uint8_t)atoi(name + 1);
    return group;
}

static int make_handle(struct step *step, char *answer) {
    struct ibv_ah_attr wanted = {
        .is_global = 1,
        .port_num = (uint8_t)number_of(step, "port"),
        .grh = {.dgid = gid_of(value_of(step, "to")),
                .sgid_index = value_of(step, "index") ? (uint8_t)number_of(step, "index") : gid_index,
                .hop_limit = 64},
    };
    return made(step->object, ibv_create_ah(handle_of(step, "pd"), &wanted), answer);
}

static int change_group(struct step *step, int (*change)(struct ibv_qp *, const union ibv_gid *, uint16_t), char *answer) {
    union ibv_gid group = gid_of(value_of(step, "group"));
    strcpy(answer, errno_name(change(step->object->handle, &group, (uint16_t)number_of(step, "lid"))));
    return 1;
}

static int make_queue(struct step *step, char *answer) {
    struct ibv_device_attr limits;
    if (ibv_query_device(device.device, &limits))
        die("ibv_query_device");
    return made(step->object, ibv_create_cq(device.device, (int)bounded(step, "entries", limits.max_cqe), NULL, NULL, 0), answer);
}

int do_object_step(struct step *step, char *answer) {
    struct object *object = step->object;
    const char *verb = step->words[0];
    errno = 0;
    if (!strcmp(verb, "pd"))
        return made(object, ibv_alloc_pd(device.device), answer);
    if (!strcmp(verb, "cq"))
        return make_queue(step, answer);
    if (!strcmp(verb, "mr"))
        return make_region(step, answer);
    if (!strcmp(verb, "qp"))
        return make_pair(step, answer);
    if (!strcmp(verb, "srq"))
        return make_shared_queue(step, answer);
    if (!strcmp(verb, "ah"))
        return make_handle(step, answer);
    if (!strcmp(verb, "attach"))
        return change_group(step, ibv_attach_mcast, answer);
    if (!strcmp(verb, "detach"))
        return change_group(step, ibv_detach_mcast, answer);
    if (strcmp(verb, "end") != 0)
        return 0;
    const char *kind = step->words[2];
    if (!strcmp(kind, "pd"))
        return ended(object, ibv_dealloc_pd(object->handle), answer);
    if (!strcmp(kind, "cq"))
        return ended(object, ibv_destroy_cq(object->handle), answer);
    if (!strcmp(kind, "mr"))
        return ended(object, ibv_dereg_mr(object->handle), answer);
    if (!strcmp(kind, "qp"))
        return ended(object, ibv_destroy_qp(object->handle), answer);
    if (!strcmp(kind, "srq"))
        return ended(object, ibv_destroy_srq(object->handle), answer);
    if (!strcmp(kind, "ah"))
        return ended(object, ibv_destroy_ah(object->handle), answer);
    if (!strcmp(kind, "mw"))
        return ended(object, ibv_dealloc_mw(object->handle), answer);
    return 0;
}
