/*
 * verbs-refusals
 *
 * What the device refuses, and with which errno: objects in use, sizes beyond its bounds, rights that make no sense, handles
 * that there are not, commands cut short, more than a process may have. It opens nothing to any peer. Ends with 0 and
 * "as specified".
 */
#include "objects.h"

#include <errno.h>
#include <fcntl.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_user_rxe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct endpoint at;

/* One command as it goes to the kernel; an errno, 0 when it was taken. */
static int command(uint32_t number, const void *body, size_t bytes, uint16_t in_words, uint16_t out_words) {
    unsigned char whole[512] = {0};
    struct ib_uverbs_cmd_hdr head = {.command = number, .in_words = in_words, .out_words = out_words};
    memcpy(whole, &head, sizeof head);
    memcpy(whole + sizeof head, body, bytes);
    return write(at.device->cmd_fd, whole, sizeof head + bytes) == (ssize_t)(sizeof head + bytes) ? 0 : errno;
}

static int request(uint32_t number, const void *body, size_t bytes, size_t response) {
    return command(number, body, bytes, (uint16_t)((8 + bytes) / 4), (uint16_t)(response / 4));
}

static void objects_in_use(void) {
    struct ibv_pd *pd = ibv_alloc_pd(at.device);
    struct ibv_cq *cq = ibv_create_cq(at.device, 4, NULL, NULL, 0);
    struct ibv_srq_init_attr srq_wanted = {.attr = {.max_wr = 1, .max_sge = 1}};
    struct ibv_srq *srq = ibv_create_srq(pd, &srq_wanted);
    struct ibv_qp_init_attr wanted = {
        .send_cq = cq, .recv_cq = cq, .srq = srq, .qp_type = IBV_QPT_RC, .cap = {.max_send_wr = 1, .max_send_sge = 1}};
    struct ibv_qp *qp = ibv_create_qp(pd, &wanted);
    if (!pd || !cq || !srq || !qp)
        die("making the objects: %s", strerror(errno));
    REFUSED(ibv_dealloc_pd(pd), EBUSY);
    REFUSED(ibv_destroy_cq(cq), EBUSY);
    REFUSED(ibv_destroy_srq(srq), EBUSY);
    MUST(ibv_destroy_qp(qp));
    REFUSED(ibv_dealloc_pd(pd), EBUSY);
    MUST(ibv_destroy_cq(cq));
    MUST(ibv_destroy_srq(srq));
    MUST(ibv_dealloc_pd(pd));
}

static void handles_that_there_are_not(void) {
    struct ib_uverbs_dealloc_pd pd = {.pd_handle = 77777};
    struct ib_uverbs_dereg_mr mr = {.mr_handle = 77777};
    struct ib_uverbs_dealloc_mw mw = {.mw_handle = 77777};
    uint64_t into[32];
    struct ib_uverbs_destroy_cq cq = {.response = (uintptr_t)into, .cq_handle = 77777};
    struct ib_uverbs_destroy_srq srq = {.response = (uintptr_t)into, .srq_handle = 77777};
    struct ib_uverbs_destroy_qp qp = {.response = (uintptr_t)into, .qp_handle = 77777};
    struct ib_uverbs_alloc_mw window = {.response = (uintptr_t)into, .pd_handle = 77777, .mw_type = 1};
    struct ib_uverbs_create_srq queue = {.response = (uintptr_t)into, .pd_handle = 77777, .max_wr = 1};
    REFUSED(request(IB_USER_VERBS_CMD_DEALLOC_PD, &pd, sizeof pd, 0), ENOENT);
    REFUSED(request(IB_USER_VERBS_CMD_DEREG_MR, &mr, sizeof mr, 0), ENOENT);
    REFUSED(request(IB_USER_VERBS_CMD_DEALLOC_MW, &mw, sizeof mw, 0), ENOENT);
    REFUSED(request(IB_USER_VERBS_CMD_DESTROY_CQ, &cq, sizeof cq, 8), ENOENT);
    REFUSED(request(IB_USER_VERBS_CMD_DESTROY_SRQ, &srq, sizeof srq, 4), ENOENT);
    REFUSED(request(IB_USER_VERBS_CMD_DESTROY_QP, &qp, sizeof qp, 4), ENOENT);
    REFUSED(request(IB_USER_VERBS_CMD_ALLOC_MW, &window, sizeof window, 8), ENOENT);
    REFUSED(request(IB_USER_VERBS_CMD_CREATE_SRQ, &queue, sizeof queue, 40), ENOENT);

    /* Twice the same. */
    struct ibv_cq *made = ibv_create_cq(at.device, 4, NULL, NULL, 0);
    cq.cq_handle = made->handle;
    MUST(request(IB_USER_VERBS_CMD_DESTROY_CQ, &cq, sizeof cq, 8));
    REFUSED(request(IB_USER_VERBS_CMD_DESTROY_CQ, &cq, sizeof cq, 8), ENOENT);
}

static void sizes(void) {
    struct ibv_device_attr device;
    MUST(ibv_query_device(at.device, &device));
    if (device.max_srq < 1 || device.max_srq_wr < 1 || device.max_srq_sge < 1 || device.max_mw < 1 ||
        !(device.device_cap_flags & IBV_DEVICE_SRQ_RESIZE) || !(device.device_cap_flags & IBV_DEVICE_MEM_WINDOW) ||
        !(device.device_cap_flags & IBV_DEVICE_MEM_WINDOW_TYPE_2B))
        die("the device offers no SRQs or windows");
    REFUSED_NULL(ibv_create_cq(at.device, 0, NULL, NULL, 0), EINVAL);
    REFUSED_NULL(ibv_create_cq(at.device, device.max_cqe + 1, NULL, NULL, 0), EINVAL);
    REFUSED_NULL(ibv_create_cq(at.device, 1, NULL, NULL, at.device->num_comp_vectors), EINVAL);
    struct ibv_srq_init_attr none = {.attr = {.max_wr = 0, .max_sge = 1}};
    struct ibv_srq_init_attr many = {.attr = {.max_wr = (uint32_t)device.max_srq_wr + 1, .max_sge = 1}};
    struct ibv_srq_init_attr wide = {.attr = {.max_wr = 1, .max_sge = (uint32_t)device.max_srq_sge + 1}};
    REFUSED_NULL(ibv_create_srq(at.pd, &none), EINVAL);
    REFUSED_NULL(ibv_create_srq(at.pd, &many), EINVAL);
    REFUSED_NULL(ibv_create_srq(at.pd, &wide), EINVAL);

    struct ib_uverbs_alloc_mw window = {.response = (uintptr_t)&device, .pd_handle = at.pd->handle, .mw_type = 3};
    REFUSED(request(IB_USER_VERBS_CMD_ALLOC_MW, &window, sizeof window, 8), EINVAL);
}

static void regions(void) {
    unsigned char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(munmap(pages + 4096, 4096));
    struct {
        void *start;
        size_t bytes;
        int access, error;
    } cases[] = {
        {pages, 4096, IBV_ACCESS_REMOTE_WRITE, EINVAL},
        {pages, 4096, IBV_ACCESS_REMOTE_ATOMIC, EINVAL},
        {pages, 4096, 1 << 15, EINVAL},
        {pages, 4096, IBV_ACCESS_ON_DEMAND, EINVAL},
        {pages, 4096, IBV_ACCESS_ZERO_BASED, 0},
        {pages, 4096, IBV_ACCESS_MW_BIND, 0},
        {pages, 4096, IBV_ACCESS_HUGETLB, 0},
        {pages, 4096, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_RELAXED_ORDERING, 0},
        {pages, 4097, IBV_ACCESS_LOCAL_WRITE, EFAULT},
        {pages + 4096, 8, IBV_ACCESS_LOCAL_WRITE, EFAULT},
        {pages, 3 * 4096, IBV_ACCESS_LOCAL_WRITE, EFAULT},
        {pages, 0, IBV_ACCESS_LOCAL_WRITE, EINVAL},
        {pages + 8, 0, IBV_ACCESS_LOCAL_WRITE, 0},
        {pages, SIZE_MAX - 4096, IBV_ACCESS_LOCAL_WRITE, ENOMEM},
        {pages, SIZE_MAX, IBV_ACCESS_LOCAL_WRITE, EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char what[64];
        struct ibv_mr *made = (errno = 0, ibv_reg_mr(at.pd, cases[i].start, cases[i].bytes, cases[i].access));
        snprintf(what, sizeof what, "region %zu", i);
        if (cases[i].error != ENOMEM || made)
            refused(made ? 0 : errno, cases[i].error, what);
        if (made)
            MUST(ibv_dereg_mr(made));
    }
    void *read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REFUSED_NULL(ibv_reg_mr(at.pd, read_only, 4096, IBV_ACCESS_LOCAL_WRITE), EFAULT);
    REFUSED_NULL(ibv_reg_mr(at.pd, read_only, 4096, IBV_ACCESS_MW_BIND), EFAULT);
    struct ibv_mr *made = ibv_reg_mr(at.pd, read_only, 4096, IBV_ACCESS_REMOTE_READ);
    struct ibv_mr *local = ibv_reg_mr(at.pd, read_only, 4096, 0);
    if (!made || !local || made->rkey != made->lkey || local->rkey != 0)
        die("a region for reading: %s", strerror(errno));
    REFUSED_NULL(ibv_reg_mr_iova(at.pd, read_only, 4096, 8, 0), EINVAL);
}

static int reregister(struct ibv_mr *region, uint32_t flags, uint32_t pd, uint32_t access) {
    struct ib_uverbs_rereg_mr_resp answer;
    struct ib_uverbs_rereg_mr change = {.response = (uintptr_t)&answer,
                                        .mr_handle = region->handle,
                                        .flags = flags,
                                        .start = (uintptr_t)region->addr,
                                        .length = 4096,
                                        .hca_va = (uintptr_t)region->addr,
                                        .pd_handle = pd,
                                        .access_flags = access};
    int error = request(IB_USER_VERBS_CMD_REREG_MR, &change, sizeof change, sizeof answer);
    if (!error && answer.lkey != region->lkey)
        die("a registration that is changed has another key");
    return error;
}

/* The rxe provider has no ibv_rereg_mr; newer kernels than 6.3 serve the command. */
static void changed_regions(void) {
    if (is_kernels(at.device))
        return;
    void *memory = aligned_alloc(4096, 8192);
    struct ibv_mr *region = ibv_reg_mr(at.pd, memory, 8192, 0);
    struct ibv_pd *other = ibv_alloc_pd(at.device);
    REFUSED(ibv_rereg_mr(region, IBV_REREG_MR_CHANGE_ACCESS, NULL, NULL, 0, 0) == IBV_REREG_MR_ERR_CMD ? EOPNOTSUPP : errno, EOPNOTSUPP);
    REFUSED(reregister(region, 0, 0, 0), EINVAL);
    REFUSED(reregister(region, 8, 0, 0), EOPNOTSUPP);
    REFUSED(reregister(region, IBV_REREG_MR_CHANGE_TRANSLATION, 0, 0), EOPNOTSUPP);
    REFUSED(reregister(region, IBV_REREG_MR_CHANGE_ACCESS, 0, IBV_ACCESS_REMOTE_WRITE), EINVAL);
    REFUSED(reregister(region, IBV_REREG_MR_CHANGE_PD, 77777, 0), ENOENT);
    MUST(reregister(region, IBV_REREG_MR_CHANGE_ACCESS, 0, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE));
    MUST(reregister(region, IBV_REREG_MR_CHANGE_PD, other->handle, 0));
    REFUSED(ibv_dealloc_pd(other), EBUSY);
    MUST(reregister(region, IBV_REREG_MR_CHANGE_PD, at.pd->handle, 0));
    MUST(ibv_dealloc_pd(other));
    MUST(ibv_dereg_mr(region));
}

static void xrc(void) {
    struct ibv_xrcd_init_attr domain = {
        .comp_mask = IBV_XRCD_INIT_ATTR_FD | IBV_XRCD_INIT_ATTR_OFLAGS, .fd = -1, .oflags = O_CREAT};
    REFUSED_NULL(ibv_open_xrcd(at.device, &domain), EOPNOTSUPP);
    uint64_t into[32];
    struct ib_uverbs_create_xsrq queue = {.response = (uintptr_t)into, .pd_handle = at.pd->handle, .max_wr = 1, .srq_type = IBV_SRQT_XRC};
    REFUSED(request(IB_USER_VERBS_CMD_CREATE_XSRQ, &queue, sizeof queue, 40), EINVAL);
    struct ibv_srq_init_attr_ex basic = {
        .attr = {.max_wr = 3, .max_sge = 1}, .comp_mask = IBV_SRQ_INIT_ATTR_TYPE | IBV_SRQ_INIT_ATTR_PD, .srq_type = IBV_SRQT_BASIC, .pd = at.pd};
    struct ibv_srq *srq = ibv_create_srq_ex(at.device, &basic);
    if (!srq)
        die("a basic SRQ by ibv_create_srq_ex: %s", strerror(errno));
    MUST(ibv_destroy_srq(srq));
}

/* Every command that there is, at every length: nothing shorter than it has to be is looked at. */
static void commands_cut_short(void) {
    static const struct {
        uint32_t number;
        size_t request, response;
    } commands[] = {
        {IB_USER_VERBS_CMD_GET_CONTEXT, 8, 8},       {IB_USER_VERBS_CMD_QUERY_DEVICE, 8, 176},
        {IB_USER_VERBS_CMD_QUERY_PORT, 16, 40},      {IB_USER_VERBS_CMD_ALLOC_PD, 8, 4},
        {IB_USER_VERBS_CMD_DEALLOC_PD, 4, 0},        {IB_USER_VERBS_CMD_REG_MR, 40, 12},
        {IB_USER_VERBS_CMD_REREG_MR, 48, 8},         {IB_USER_VERBS_CMD_DEREG_MR, 4, 0},
        {IB_USER_VERBS_CMD_ALLOC_MW, 16, 8},         {IB_USER_VERBS_CMD_DEALLOC_MW, 4, 0},
        {IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL, 8, 4}, {IB_USER_VERBS_CMD_CREATE_CQ, 32, 8},
        {IB_USER_VERBS_CMD_RESIZE_CQ, 16, 8},        {IB_USER_VERBS_CMD_DESTROY_CQ, 16, 8},
        {IB_USER_VERBS_CMD_REQ_NOTIFY_CQ, 8, 0},     {IB_USER_VERBS_CMD_CREATE_QP, 56, 32},
        {IB_USER_VERBS_CMD_QUERY_QP, 16, 128},       {IB_USER_VERBS_CMD_MODIFY_QP, 112, 0},
        {IB_USER_VERBS_CMD_DESTROY_QP, 16, 4},       {IB_USER_VERBS_CMD_POST_SEND, 24, 4},
        {IB_USER_VERBS_CMD_CREATE_SRQ, 32, 16},      {IB_USER_VERBS_CMD_CREATE_XSRQ, 48, 16},
        {IB_USER_VERBS_CMD_MODIFY_SRQ, 16, 0},       {IB_USER_VERBS_CMD_QUERY_SRQ, 16, 16},
        {IB_USER_VERBS_CMD_DESTROY_SRQ, 16, 4},
    };
    unsigned char body[256];
    memset(body, 0xff, sizeof body);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].number == IB_USER_VERBS_CMD_REREG_MR && is_kernels(at.device))
            continue;
        for (size_t bytes = 0; bytes < commands[i].request; bytes++) {
            int error = command(commands[i].number, body, bytes, (uint16_t)((8 + bytes) / 4), (uint16_t)(commands[i].response / 4));
            /* The kernel lets one form pass that old libraries send. */
            if (commands[i].number == IB_USER_VERBS_CMD_DESTROY_CQ && bytes == 8 && is_kernels(at.device))
                continue;
            if (error != (bytes % 4 ? EINVAL : ENOSPC))
                die("command %u with %zu of %zu bytes: %s", commands[i].number, bytes, commands[i].request, strerror(error));
        }
        if (commands[i].response) {
            int error = command(commands[i].number, body, commands[i].request, (uint16_t)((8 + commands[i].request) / 4),
                                (uint16_t)(commands[i].response / 4 - 1));
            if (error != ENOSPC)
                die("command %u with room for %zu bytes: %s", commands[i].number, commands[i].response - 4, strerror(error));
        }
    }
    static const uint32_t unknown[] = {IB_USER_VERBS_CMD_MODIFY_AH, IB_USER_VERBS_CMD_QUERY_MR, IB_USER_VERBS_CMD_BIND_MW, IB_USER_VERBS_CMD_POLL_CQ,
                                       IB_USER_VERBS_CMD_POST_RECV, IB_USER_VERBS_CMD_POST_SRQ_RECV, IB_USER_VERBS_CMD_OPEN_XRCD,
                                       IB_USER_VERBS_CMD_OPEN_QP,   49, 200};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        REFUSED(request(unknown[i], body, 64, 64), EOPNOTSUPP);
    REFUSED(request(0x00010000, body, 64, 64), EINVAL);
    char one = 0;
    REFUSED((int)write(at.device->cmd_fd, &one, 1), EINVAL);
}

/* More than a process may have; afterwards, when some are gone, there is room again. */
static void too_many(void) {
    if (is_kernels(at.device))
        return;
    struct ibv_device_attr device;
    MUST(ibv_query_device(at.device, &device));
    struct ibv_srq **srqs = calloc((size_t)device.max_srq + 1, sizeof *srqs);
    struct ibv_mw **windows = calloc((size_t)device.max_mw + 1, sizeof *windows);
    struct ibv_pd **pds = calloc((size_t)device.max_pd + 1, sizeof *pds);
    struct ibv_srq_init_attr smallest = {.attr = {.max_wr = 1, .max_sge = 1}};
    int made = 0;
    while (made <= device.max_srq && (srqs[made] = (errno = 0, ibv_create_srq(at.pd, &smallest))))
        made++;
    if (errno != ENOMEM || made != device.max_srq)
        die("%d of %d SRQs: %s", made, device.max_srq, strerror(errno));
    while (made > 0)
        MUST(ibv_destroy_srq(srqs[--made]));
    while (made <= device.max_mw && (windows[made] = (errno = 0, ibv_alloc_mw(at.pd, IBV_MW_TYPE_2))))
        made++;
    if (errno != ENOMEM || made != device.max_mw)
        die("%d of %d windows: %s", made, device.max_mw, strerror(errno));
    while (made > 0)
        MUST(ibv_dealloc_mw(windows[--made]));
    while (made <= device.max_pd && (pds[made] = (errno = 0, ibv_alloc_pd(at.device))))
        made++;
    if (errno != ENOMEM)
        die("%d of %d PDs: %s", made, device.max_pd, strerror(errno));
    while (made > 0)
        MUST(ibv_dealloc_pd(pds[--made]));
    objects_in_use();
}

int main(void) {
    at = open_endpoint(0);
    objects_in_use();
    handles_that_there_are_not();
    sizes();
    regions();
    changed_regions();
    xrc();
    commands_cut_short();
    too_many();
    printf("as specified\n");
    return 0;
}
