/*
 * objects KIND SECONDS
 *
 * Makes and frees objects of one kind over and over: pd, cq, qp, ah, mr (4 KiB) or large-mr (1 GiB, of pages that have been written).
 * Prints how many of them a second, then the median times to make and to free one in microseconds, and the longest to make one.
 */
#define _GNU_SOURCE
#include <infiniband/verbs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { most = 1 << 20 };

static struct ibv_context *device;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static char *memory;
static size_t region_bytes = 4096;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + 1e-3 * (double)time.tv_nsec;
}

static void *need(void *made, const char *what) {
    if (!made) {
        perror(what);
        exit(1);
    }
    return made;
}

static void *make_qp(void) {
    struct ibv_qp_init_attr wanted = {.send_cq = cq, .recv_cq = cq, .qp_type = IBV_QPT_RC,
                                      .cap = {.max_send_wr = 128, .max_recv_wr = 128, .max_send_sge = 1, .max_recv_sge = 1}};
    return ibv_create_qp(pd, &wanted);
}

static int end_qp(void *made) { return ibv_destroy_qp(made); }
static void *make_cq(void) { return ibv_create_cq(device, 256, NULL, NULL, 0); }
static int end_cq(void *made) { return ibv_destroy_cq(made); }
static void *make_mr(void) { return ibv_reg_mr(pd, memory, region_bytes, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE); }
static int end_mr(void *made) { return ibv_dereg_mr(made); }

static void *make_pd(void) { return ibv_alloc_pd(device); }
static int end_pd(void *made) { return ibv_dealloc_pd(made); }

/* The own address: one that is known. */
static void *make_ah(void) {
    struct ibv_ah_attr wanted = {.is_global = 1, .port_num = 1};
    return ibv_query_gid(device, 1, 0, &wanted.grh.dgid) ? NULL : ibv_create_ah(pd, &wanted);
}

static int end_ah(void *made) { return ibv_destroy_ah(made); }

static int by_size(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

int main(int count, char **words) {
    static const struct {
        const char *name;
        void *(*make)(void);
        int (*end)(void *);
        size_t bytes;
    } kinds[] = {{"qp", make_qp, end_qp, 4096}, {"cq", make_cq, end_cq, 4096},          {"mr", make_mr, end_mr, 4096},
                 {"pd", make_pd, end_pd, 4096}, {"ah", make_ah, end_ah, 4096}, {"large-mr", make_mr, end_mr, 1ul << 30}};
    const size_t all = sizeof kinds / sizeof kinds[0];
    size_t kind = 0;
    while (count == 3 && kind < all && strcmp(kinds[kind].name, words[1]) != 0)
        kind++;
    if (count != 3 || kind == all) {
        fprintf(stderr, "usage: objects KIND SECONDS\n");
        return 2;
    }
    struct ibv_device **list = need(ibv_get_device_list(NULL), "ibv_get_device_list");
    device = need(ibv_open_device(need(list[0], "no device")), "ibv_open_device");
    pd = need(ibv_alloc_pd(device), "ibv_alloc_pd");
    cq = need(ibv_create_cq(device, 256, NULL, NULL, 0), "ibv_create_cq");
    region_bytes = kinds[kind].bytes;
    memory = mmap(NULL, region_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        need(NULL, "mmap");
    memset(memory, 1, region_bytes);
    static double making[most], freeing[most];
    double begin = now(), until = begin + 1e6 * atof(words[2]), end = begin;
    int done = 0;
    while (done < most && (done == 0 || end < until)) {
        double from = end;
        void *made = need(kinds[kind].make(), "making one");
        double between = now();
        if (kinds[kind].end(made)) {
            perror("freeing one");
            return 1;
        }
        end = now();
        making[done] = between - from;
        freeing[done++] = end - between;
    }
    qsort(making, (size_t)done, sizeof *making, by_size);
    qsort(freeing, (size_t)done, sizeof *freeing, by_size);
    printf("%f %f %f %f\n", 1e6 * done / (end - begin), making[done / 2], freeing[done / 2], making[done - 1]);
    return 0;
}
