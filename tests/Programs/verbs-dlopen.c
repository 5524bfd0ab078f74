/*
 * verbs-dlopen
 *
 * libibverbs as a plugin: not linked, but opened, used for a write of a QP to itself, and closed again, several times. Prints "as specified".
 */
#include <dlfcn.h>
#include <infiniband/verbs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { rounds = 5, patience_seconds = 30, half = 2048 };

static unsigned char memory[2 * half] __attribute__((aligned(4096)));

#define DIE(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))
#define MUST(what) ((what) ? (void)0 : DIE("%s", #what))

static void *library;

static void *symbol(const char *name) {
    void *found = dlsym(library, name);
    if (!found)
        DIE("%s is not in the library", name);
    return found;
}

/* A function of the library's, by the type that its header gives it. */
#define THE(name) ((__typeof__(&(name)))symbol(#name))

static void write_to_itself(struct ibv_context *device, unsigned char value) {
    union ibv_gid gid;
    MUST(THE(ibv_query_gid)(device, 1, 0, &gid) == 0);
    struct ibv_pd *pd = THE(ibv_alloc_pd)(device);
    struct ibv_cq *cq = THE(ibv_create_cq)(device, 4, NULL, NULL, 0);
    MUST(pd && cq);
    struct ibv_mr *(*registering)(struct ibv_pd *, void *, size_t, int) =
        (struct ibv_mr * (*)(struct ibv_pd *, void *, size_t, int)) symbol("ibv_reg_mr"); /* a macro in the header */
    struct ibv_mr *region = registering(pd, memory, sizeof memory, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
    struct ibv_qp_init_attr wanted = {.send_cq = cq, .recv_cq = cq, .qp_type = IBV_QPT_RC,
                                      .cap = {.max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1, .max_recv_sge = 1}};
    struct ibv_qp *qp = THE(ibv_create_qp)(pd, &wanted);
    MUST(region && qp);

    struct ibv_qp_attr init = {.qp_state = IBV_QPS_INIT, .port_num = 1, .qp_access_flags = IBV_ACCESS_REMOTE_WRITE};
    struct ibv_qp_attr rtr = {.qp_state = IBV_QPS_RTR, .path_mtu = IBV_MTU_1024, .dest_qp_num = qp->qp_num, .max_dest_rd_atomic = 1,
                              .min_rnr_timer = 1, .ah_attr = {.is_global = 1, .port_num = 1, .grh = {.dgid = gid}}};
    struct ibv_qp_attr rts = {.qp_state = IBV_QPS_RTS, .timeout = 14, .retry_cnt = 7, .rnr_retry = 7, .max_rd_atomic = 1};
    MUST(THE(ibv_modify_qp)(qp, &init, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS) == 0);
    MUST(THE(ibv_modify_qp)(qp, &rtr, IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
                                          IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER) == 0);
    MUST(THE(ibv_modify_qp)(qp, &rts, IBV_QP_STATE | IBV_QP_SQ_PSN | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
                                          IBV_QP_MAX_QP_RD_ATOMIC) == 0);

    memset(memory, value, half);
    memset(memory + half, 0, half);
    struct ibv_sge part = {(uintptr_t)memory, half, region->lkey};
    struct ibv_send_wr request = {.sg_list = &part, .num_sge = 1, .opcode = IBV_WR_RDMA_WRITE, .send_flags = IBV_SEND_SIGNALED,
                                  .wr.rdma = {.remote_addr = (uintptr_t)memory + half, .rkey = region->rkey}}, *bad;
    struct ibv_wc completion;
    MUST(ibv_post_send(qp, &request, &bad) == 0);
    time_t deadline = time(NULL) + patience_seconds;
    int found;
    while ((found = ibv_poll_cq(cq, 1, &completion)) == 0)
        if (time(NULL) > deadline)
            DIE("no completion within %d s", patience_seconds);
    MUST(found == 1 && completion.status == IBV_WC_SUCCESS);
    MUST(memcmp(memory, memory + half, half) == 0);

    MUST(THE(ibv_destroy_qp)(qp) == 0 && THE(ibv_dereg_mr)(region) == 0);
    MUST(THE(ibv_destroy_cq)(cq) == 0 && THE(ibv_dealloc_pd)(pd) == 0);
}

int main(void) {
    for (int round = 1; round <= rounds; round++) {
        library = dlopen("libibverbs.so.1", RTLD_NOW | RTLD_LOCAL);
        if (!library)
            DIE("%s", dlerror());
        int count;
        struct ibv_device **devices = THE(ibv_get_device_list)(&count);
        MUST(devices && count == 1);
        struct ibv_context *device = THE(ibv_open_device)(devices[0]);
        MUST(device);
        THE(ibv_free_device_list)(devices);
        write_to_itself(device, (unsigned char)round);
        MUST(THE(ibv_close_device)(device) == 0);
        MUST(dlclose(library) == 0);
    }
    printf("as specified\n");
    return 0;
}
