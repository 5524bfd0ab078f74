/*
 * verbs-ownership
 *
 * Every kind of object is destroyed through the device that it is not of, while something uses it, and a second time: each gets
 * the kernel's errno, and the object is as it was. Ends with 0 and "as specified".
 */
#include "objects.h"

#include <errno.h>
#include <rdma/ib_user_verbs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { spare = 3 }; /* so that the other device's own handles do not happen to be the same */

static struct endpoint here, there;
static unsigned char memory[4096] __attribute__((aligned(4096)));

/* One command that destroys `handle`, without the library; an errno. */
static int destroy(const struct ibv_context *device, uint32_t number, uint32_t handle) {
    uint64_t answer[4];
    struct {
        struct ib_uverbs_cmd_hdr head;
        union {
            uint32_t handle;
            struct ib_uverbs_destroy_qp with_answer;
        } body;
    } all = {.head = {.command = number}};
    int has_answer = number == IB_USER_VERBS_CMD_DESTROY_QP || number == IB_USER_VERBS_CMD_DESTROY_CQ || number == IB_USER_VERBS_CMD_DESTROY_SRQ;
    size_t bytes = sizeof all.head + (has_answer ? sizeof all.body.with_answer : sizeof all.body.handle);
    if (has_answer)
        all.body.with_answer = (struct ib_uverbs_destroy_qp){.response = (uintptr_t)answer, .qp_handle = handle};
    else
        all.body.handle = handle;
    all.head.in_words = (uint16_t)(bytes / 4);
    all.head.out_words = number == IB_USER_VERBS_CMD_DESTROY_CQ ? 2 : has_answer;
    return write(device->cmd_fd, &all, bytes) == (ssize_t)bytes ? 0 : errno;
}

static void *need(void *made, const char *what) {
    if (!made)
        die("%s: %s", what, strerror(errno));
    return made;
}

static void foreign_then_twice(uint32_t number, uint32_t handle, const char *what) {
    refused(destroy(there.device, number, handle), ENOENT, what);
    pid_t child = fork();
    if (child == 0)
        _exit(destroy(here.device, number, handle) == 0); /* the descriptor is the parent's: whatever it says, nothing is done */
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status)
        die("%s: a child destroys what is its parent's", what);
    refused(destroy(here.device, number, handle), 0, what);
    refused(destroy(here.device, number, handle), ENOENT, what);
}

static struct ibv_qp *pair_of(struct ibv_pd *pd, struct ibv_cq *send, struct ibv_cq *receive, struct ibv_srq *srq) {
    struct ibv_qp_init_attr wanted = {.send_cq = send, .recv_cq = receive, .srq = srq, .qp_type = IBV_QPT_RC,
                                      .cap = {.max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1}};
    return ibv_create_qp(pd, &wanted);
}

/* A PD, a CQ, an SRQ or a channel of one device, in a command of the other. */
static void foreign_parts(const struct ibv_pd *pd, const struct ibv_cq *cq, const struct ibv_srq *srq) {
    struct ibv_cq *own = need(ibv_create_cq(there.device, 1, NULL, NULL, 0), "a CQ");
    struct ibv_pd foreign_pd = *there.pd;
    struct ibv_cq foreign_cq = *own;
    struct ibv_srq foreign_srq = *srq;
    foreign_pd.handle = pd->handle;
    foreign_cq.handle = cq->handle;
    foreign_srq.context = there.device;
    REFUSED_NULL(pair_of(&foreign_pd, own, own, NULL), ENOENT);
    REFUSED_NULL(pair_of(there.pd, &foreign_cq, own, NULL), ENOENT);
    REFUSED_NULL(pair_of(there.pd, own, &foreign_cq, NULL), ENOENT);
    REFUSED_NULL(pair_of(there.pd, own, own, &foreign_srq), ENOENT);
    MUST(ibv_destroy_cq(own));
    REFUSED_NULL(ibv_reg_mr(&foreign_pd, memory, sizeof memory, 0), ENOENT);
    REFUSED_NULL(ibv_alloc_mw(&foreign_pd, IBV_MW_TYPE_2), ENOENT);
    struct ibv_comp_channel *channel = need(ibv_create_comp_channel(there.device), "a channel");
    struct ibv_comp_channel foreign = *channel;
    foreign.context = here.device;
    REFUSED_NULL(ibv_create_cq(here.device, 1, NULL, &foreign, 0), EBADF);
    foreign.fd = STDIN_FILENO;
    REFUSED_NULL(ibv_create_cq(here.device, 1, NULL, &foreign, 0), EBADF);
    struct ibv_cq *user = need(ibv_create_cq(there.device, 1, NULL, channel, 0), "a CQ with a channel");
    REFUSED(ibv_destroy_comp_channel(channel), EBUSY);
    MUST(ibv_destroy_cq(user));
    MUST(ibv_destroy_comp_channel(channel));
}

/* Whatever a PD, a CQ or an SRQ is used by keeps it, one after the other. */
static void busy(struct ibv_pd *pd, struct ibv_cq *cq, struct ibv_srq *srq) {
    struct ibv_mr *region = need(ibv_reg_mr(pd, memory, sizeof memory, 0), "an MR");
    MUST(ibv_destroy_srq(srq));
    REFUSED(destroy(here.device, IB_USER_VERBS_CMD_DEALLOC_PD, pd->handle), EBUSY);
    MUST(ibv_dereg_mr(region));
    struct ibv_mw *window = need(ibv_alloc_mw(pd, IBV_MW_TYPE_1), "an MW");
    REFUSED(destroy(here.device, IB_USER_VERBS_CMD_DEALLOC_PD, pd->handle), EBUSY);
    MUST(ibv_dealloc_mw(window));
    struct ibv_ah_attr to_self = {.is_global = 1, .port_num = 1, .grh = {.dgid = here.gid, .sgid_index = gid_index}};
    struct ibv_ah *handle = need(ibv_create_ah(pd, &to_self), "an AH");
    REFUSED(destroy(here.device, IB_USER_VERBS_CMD_DEALLOC_PD, pd->handle), EBUSY);
    MUST(ibv_destroy_ah(handle));
    struct ibv_cq *other = need(ibv_create_cq(here.device, 1, NULL, NULL, 0), "a CQ");
    struct ibv_qp *qp = need(pair_of(pd, cq, other, NULL), "a QP");
    REFUSED(destroy(here.device, IB_USER_VERBS_CMD_DEALLOC_PD, pd->handle), EBUSY);
    REFUSED(destroy(here.device, IB_USER_VERBS_CMD_DESTROY_CQ, cq->handle), EBUSY);
    REFUSED(destroy(here.device, IB_USER_VERBS_CMD_DESTROY_CQ, other->handle), EBUSY);
    foreign_then_twice(IB_USER_VERBS_CMD_DESTROY_QP, qp->handle, "a QP");
    foreign_then_twice(IB_USER_VERBS_CMD_DESTROY_CQ, other->handle, "a CQ that a QP had");
}

int main(void) {
    here = open_endpoint(0);
    there = open_endpoint(0);
    struct ibv_pd *pd = NULL;
    struct ibv_cq *cq = NULL;
    struct ibv_srq *srq = NULL;
    struct ibv_mr *region = NULL;
    struct ibv_mw *window = NULL;
    struct ibv_srq_init_attr queue = {.attr = {.max_wr = 1, .max_sge = 1}};
    for (int i = 0; i <= spare; i++) {
        pd = need(ibv_alloc_pd(here.device), "a PD");
        cq = need(ibv_create_cq(here.device, 1, NULL, NULL, 0), "a CQ");
        srq = need(ibv_create_srq(pd, &queue), "an SRQ");
        region = need(ibv_reg_mr(pd, memory, sizeof memory, 0), "an MR");
        window = need(ibv_alloc_mw(pd, IBV_MW_TYPE_1), "an MW");
    }
    foreign_parts(pd, cq, srq);
    foreign_then_twice(IB_USER_VERBS_CMD_DEREG_MR, region->handle, "an MR");
    foreign_then_twice(IB_USER_VERBS_CMD_DEALLOC_MW, window->handle, "an MW");
    busy(pd, cq, srq);
    foreign_then_twice(IB_USER_VERBS_CMD_DESTROY_CQ, cq->handle, "a CQ");
    foreign_then_twice(IB_USER_VERBS_CMD_DEALLOC_PD, pd->handle, "a PD");
    queue.attr.max_wr = 2;
    srq = need(ibv_create_srq(here.pd, &queue), "an SRQ");
    foreign_then_twice(IB_USER_VERBS_CMD_DESTROY_SRQ, srq->handle, "an SRQ");
    printf("as specified\n");
    return 0;
}
