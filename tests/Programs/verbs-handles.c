/*
 * verbs-handles
 *
 * Wrong commands about address handles and multicast groups, as no library would send them: each gets the kernel's errno, and
 * what is right still works afterwards. Ends with 0 when it is so.
 */
#include "endpoint.h"

#include <errno.h>
#include <rdma/ib_user_verbs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { answer_bytes = 64 };

static struct endpoint endpoint;
static unsigned char answer[answer_bytes];

/* Writes a command; returns 0 or the errno. `given` is how many bytes of the body go along. */
static int command(int device, uint32_t number, const void *body, size_t given, uint16_t answer_words) {
    struct {
        struct ib_uverbs_cmd_hdr head;
        unsigned char body[256];
    } all = {.head = {.command = number, .in_words = (uint16_t)((sizeof all.head + given) / 4), .out_words = answer_words}};
    memcpy(all.body, body, given);
    return write(device, &all, sizeof all.head + given) < 0 ? errno : 0;
}

static void expect(int found, int wanted, const char *what) {
    if (found != wanted)
        die("%s: %s, where %s was to come", what, strerror(found), strerror(wanted));
}

static struct ib_uverbs_create_ah handle_to(const union ibv_gid *gid, struct ibv_pd *pd) {
    struct ib_uverbs_create_ah wanted = {
        .response = (uintptr_t)answer, .pd_handle = pd->handle, .attr = {.is_global = 1, .port_num = 1, .grh = {.sgid_index = 0}}};
    memcpy(wanted.attr.grh.dgid, gid->raw, 16);
    return wanted;
}

static int create(struct ibv_context *device, const struct ib_uverbs_create_ah *wanted) {
    return command(device->cmd_fd, IB_USER_VERBS_CMD_CREATE_AH, wanted, sizeof *wanted, 3);
}

static int destroy(struct ibv_context *device, uint32_t handle) {
    struct ib_uverbs_destroy_ah gone = {.ah_handle = handle};
    return command(device->cmd_fd, IB_USER_VERBS_CMD_DESTROY_AH, &gone, sizeof gone, 0);
}

static void address_handles(void) {
    struct ib_uverbs_create_ah right = handle_to(&endpoint.gid, endpoint.pd), wrong;
    struct ibv_context *device = endpoint.device;
    for (size_t given = 0; given < sizeof right; given += 4)
        expect(command(device->cmd_fd, IB_USER_VERBS_CMD_CREATE_AH, &right, given, 3), ENOSPC, "a command that is cut short");
    expect(command(device->cmd_fd, IB_USER_VERBS_CMD_CREATE_AH, &right, sizeof right, 0), ENOSPC, "no room for the answer");
    wrong = right;
    wrong.attr.port_num = 2;
    expect(create(device, &wrong), EINVAL, "a port that there is not");
    wrong = right;
    wrong.pd_handle = 999;
    expect(create(device, &wrong), ENOENT, "a PD that there is not");
    wrong = right;
    wrong.attr.grh.sgid_index = 200;
    expect(create(device, &wrong), ENODATA, "a source GID that there is not");
    wrong = right;
    wrong.attr.is_global = 0;
    wrong.attr.dlid = 0;
    expect(create(device, &wrong), EINVAL, "neither GID nor LID");

    expect(create(device, &right), 0, "an address handle");
    uint32_t handle, number;
    memcpy(&handle, answer, 4);
    memcpy(&number, answer + 4, 4);
    if (number == 0)
        die("no number for work requests");
    expect(ibv_dealloc_pd(endpoint.pd), EBUSY, "a PD with an address handle");
    expect(destroy(device, handle), 0, "to destroy it");
    expect(destroy(device, handle), ENOENT, "to destroy it twice");
    expect(destroy(device, UINT32_MAX), ENOENT, "to destroy what there never was");

    /* What another open device has is not there for this one. */
    struct endpoint other = open_endpoint(0);
    struct ib_uverbs_create_ah theirs = handle_to(&other.gid, other.pd);
    for (int i = 0; i < 3; i++)
        expect(create(other.device, &theirs), 0, "another connection's address handle");
    memcpy(&handle, answer, 4);
    expect(destroy(device, handle), ENOENT, "to destroy a handle of another connection");
    expect(destroy(other.device, handle), 0, "its own handle");
    if (ibv_close_device(other.device))
        die("ibv_close_device");

    /* Up to the limit, and no further. */
    struct ibv_device_attr limits;
    if (ibv_query_device(device, &limits))
        die("ibv_query_device");
    int made = 0;
    while (made < limits.max_ah && create(device, &right) == 0)
        made++;
    if (made != limits.max_ah)
        die("%d address handles of %d", made, limits.max_ah);
    expect(create(device, &right), ENOMEM, "one too many");
    for (int i = 0; i < made; i++)
        expect(destroy(device, (uint32_t)i), 0, "to destroy them all");
}

static int attach(uint32_t number, uint32_t qp, const unsigned char *gid, size_t given) {
    struct ib_uverbs_attach_mcast wanted = {.qp_handle = qp};
    memcpy(wanted.gid, gid, 16);
    return command(endpoint.device->cmd_fd, number, &wanted, given, 0);
}

static void groups(void) {
    enum { whole = sizeof(struct ib_uverbs_attach_mcast), join = IB_USER_VERBS_CMD_ATTACH_MCAST, leave = IB_USER_VERBS_CMD_DETACH_MCAST };
    struct ibv_cq *cq = ibv_create_cq(endpoint.device, 4, NULL, NULL, 0);
    struct ibv_qp *qps[3];
    enum ibv_qp_type types[] = {IBV_QPT_UD, IBV_QPT_UC, IBV_QPT_RC};
    for (int i = 0; i < 3; i++) {
        struct ibv_qp_init_attr wanted = {.send_cq = cq, .recv_cq = cq, .qp_type = types[i],
                                          .cap = {.max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1}};
        if (!(qps[i] = ibv_create_qp(endpoint.pd, &wanted)))
            die("ibv_create_qp: %s", strerror(errno));
    }
    unsigned char group[16] = {[10] = 0xff, [11] = 0xff, [12] = 239, [13] = 7};
    const unsigned char ipv6[16] = {0xff, 0x0e, [15] = 9};
    for (size_t given = 0; given < whole; given += 4)
        expect(attach(join, qps[0]->handle, group, given), ENOSPC, "a command that is cut short");
    expect(attach(join, qps[1]->handle, group, whole), EINVAL, "a UC QP");
    expect(attach(join, qps[2]->handle, group, whole), EINVAL, "an RC QP");
    expect(attach(join, 999, group, whole), ENOENT, "a QP that there is not");
    expect(attach(join, qps[0]->handle, endpoint.gid.raw, whole), EINVAL, "an address that is no group");
    expect(attach(leave, qps[0]->handle, group, whole), EINVAL, "to leave before joining");
    expect(attach(join, qps[0]->handle, group, whole), 0, "a group");
    expect(attach(join, qps[0]->handle, ipv6, whole), 0, "an IPv6 group");
    expect(attach(join, qps[0]->handle, group, whole), 0, "the same again");
    expect(ibv_destroy_qp(qps[0]), EBUSY, "to destroy a QP that is in a group");
    expect(attach(leave, qps[0]->handle, ipv6, whole), 0, "to leave");
    expect(attach(leave, qps[0]->handle, ipv6, whole), EINVAL, "to leave twice");
    expect(attach(leave, qps[0]->handle, group, whole), 0, "to leave");

    struct ibv_device_attr limits;
    if (ibv_query_device(endpoint.device, &limits))
        die("ibv_query_device");
    for (int i = 0; i <= limits.max_total_mcast_qp_attach; i++) {
        group[14] = (unsigned char)(i >> 8);
        group[15] = (unsigned char)i;
        expect(attach(join, qps[0]->handle, group, whole), i < limits.max_total_mcast_qp_attach ? 0 : ENOMEM, "groups up to the limit");
    }
    /* They are left with the process. */
}

int main(void) {
    endpoint = open_endpoint(0);
    address_handles();
    groups();
    puts("as specified");
    return 0;
}
