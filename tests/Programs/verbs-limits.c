/*
 * verbs-limits KIND NUMBER [FILE]
 *
 * Makes objects of one kind with two open devices by turns, up to what their container may have together: NUMBER of them (0: as
 * many the first time as ever after), then the kernel's errno for "no more" on either device, while everything else goes on.
 * What is given back can be had again, as often as one likes. NUMBER -1: it is the router that runs out, so that nothing is
 * exact and nothing else works either. With FILE it makes that when it has them all, and keeps them until it is killed. Ends
 * with 0 and "as specified".
 */
#include "objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { most = 4096, rounds = 3, piece = 1 << 20, long_queue = 4096, long_pair = 1000 };

static struct endpoint at[2];
static struct ibv_cq *queues[2];
static struct ibv_qp *members[2];
static unsigned char *memory;

static void *make_pd(int on) { return ibv_alloc_pd(at[on].device); }
static int end_pd(void *made) { return ibv_dealloc_pd(made); }
static void *make_cq(int on) { return ibv_create_cq(at[on].device, 1, NULL, NULL, 0); }
static void *make_long_cq(int on) { return ibv_create_cq(at[on].device, long_queue, NULL, NULL, 0); }
static int end_cq(void *made) { return ibv_destroy_cq(made); }
static void *make_mr(int on) { return ibv_reg_mr(at[on].pd, memory, 4096, IBV_ACCESS_LOCAL_WRITE); }
static void *make_large_mr(int on) { return ibv_reg_mr(at[on].pd, memory, piece, IBV_ACCESS_LOCAL_WRITE); }
static int end_mr(void *made) { return ibv_dereg_mr(made); }
static void *make_mw(int on) { return ibv_alloc_mw(at[on].pd, IBV_MW_TYPE_2); }
static int end_mw(void *made) { return ibv_dealloc_mw(made); }
static void *make_channel(int on) { return ibv_create_comp_channel(at[on].device); }
static int end_channel(void *made) { return ibv_destroy_comp_channel(made); }
static int end_ah(void *made) { return ibv_destroy_ah(made); }
static int end_qp(void *made) { return ibv_destroy_qp(made); }
static int end_srq(void *made) { return ibv_destroy_srq(made); }

/* The descriptor itself: the library looks elsewhere for a device that can't be opened, and says what it met there. */
static void *make_device(int on) {
    (void)on;
    int made = open("/dev/infiniband/uverbs0", O_RDWR | O_CLOEXEC);
    return made < 0 ? NULL : (void *)(intptr_t)made;
}

static int end_device(void *made) { return close((int)(intptr_t)made); }

static void *make_srq(int on) {
    struct ibv_srq_init_attr wanted = {.attr = {.max_wr = 1, .max_sge = 1}};
    return ibv_create_srq(at[on].pd, &wanted);
}

static void *make_long_srq(int on) {
    struct ibv_srq_init_attr wanted = {.attr = {.max_wr = long_queue, .max_sge = 1}};
    return ibv_create_srq(at[on].pd, &wanted);
}

static void *make_pair(int on, uint32_t depth) {
    struct ibv_qp_init_attr wanted = {.send_cq = queues[on], .recv_cq = queues[on], .qp_type = IBV_QPT_UD,
                                      .cap = {.max_send_wr = depth, .max_recv_wr = depth, .max_send_sge = 1, .max_recv_sge = 1}};
    return ibv_create_qp(at[on].pd, &wanted);
}

static void *make_short_qp(int on) { return make_pair(on, 1); }
static void *make_long_qp(int on) { return make_pair(on, long_pair); }

static void *make_ah(int on) {
    struct ibv_ah_attr wanted = {.is_global = 1, .port_num = 1, .grh = {.dgid = at[on].gid, .sgid_index = gid_index}};
    return ibv_create_ah(at[on].pd, &wanted);
}

/* A group is known by its number, which counts from 1; the lowest bit says whose it is. */
static uint32_t next_group;

static union ibv_gid group_of(uintptr_t number) {
    union ibv_gid group = {.raw = {[10] = 0xff, [11] = 0xff, [12] = 239, [13] = 1, [14] = (uint8_t)(number >> 8), [15] = (uint8_t)number}};
    return group;
}

static void *make_group(int on) {
    uintptr_t number = ((uintptr_t)++next_group << 1) | (uintptr_t)on;
    union ibv_gid group = group_of(number);
    int error = ibv_attach_mcast(members[on], &group, 0);
    errno = error;
    return error ? NULL : (void *)number;
}

static int end_group(void *made) {
    union ibv_gid group = group_of((uintptr_t)made);
    return ibv_detach_mcast(members[(uintptr_t)made & 1], &group, 0);
}

static const struct kind {
    const char *name;
    void *(*make)(int on);
    int (*end)(void *made);
    int error;
} kinds[] = {
    {"pd", make_pd, end_pd, ENOMEM},
    {"cq", make_cq, end_cq, ENOMEM},
    {"qp", make_short_qp, end_qp, ENOMEM},
    {"srq", make_srq, end_srq, ENOMEM},
    {"mr", make_mr, end_mr, ENOMEM},
    {"mw", make_mw, end_mw, ENOMEM},
    {"ah", make_ah, end_ah, ENOMEM},
    {"group", make_group, end_group, ENOMEM},
    {"channel", make_channel, end_channel, ENOMEM},
    {"device", make_device, end_device, ENOMEM},
    {"registered-bytes", make_large_mr, end_mr, ENOMEM},
    {"queue-bytes-of-cqs", make_long_cq, end_cq, ENOMEM},
    {"queue-bytes-of-qps", make_long_qp, end_qp, ENOMEM},
    {"queue-bytes-of-srqs", make_long_srq, end_srq, ENOMEM},
};

/* What else the device is asked for goes on, unless it is of the kind that there is no more of. */
static void others_work(const struct kind *full) {
    for (size_t i = 0; i < 7; i++) {
        const struct kind *kind = &kinds[i];
        void *made;
        if (kind->end == full->end)
            continue;
        if (!(made = kind->make(0)))
            die("%s, where there is no more of %s: %s", kind->name, full->name, strerror(errno));
        MUST(kind->end(made));
    }
}

static int fill(const struct kind *kind, void **made) {
    int count = 0;
    while (count < most && (made[count] = (errno = 0, kind->make(count % 2))))
        count++;
    if (errno != kind->error)
        die("%s number %d: %s", kind->name, count + 1, strerror(errno));
    return count;
}

int main(int words, char **word) {
    const struct kind *kind = NULL;
    void *made[most + 1];
    for (size_t i = 0; words >= 3 && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, word[1]) == 0)
            kind = &kinds[i];
    if (!kind)
        die("usage: verbs-limits KIND NUMBER [FILE]");
    int wanted = atoi(word[2]);
    const int is_routers = wanted < 0;
    memory = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int on = 0; on < 2; on++) {
        at[on] = open_endpoint(0);
        if (!(queues[on] = make_cq(on)) || !(members[on] = make_short_qp(on)))
            die("what every device has: %s", strerror(errno));
    }
    for (int round = 0; round < rounds; round++) {
        int count = fill(kind, made);
        /* What was given back a moment ago: a device ends after its close() has returned. */
        for (int waited = 0; is_routers && count == 0 && waited < 2000; waited++) {
            usleep(10000);
            count = fill(kind, made);
        }
        if (!is_routers)
            REFUSED_NULL(kind->make((count + 1) % 2), kind->error);
        if (wanted == 0 || is_routers)
            wanted = count;
        if (count != wanted || count < (is_routers ? 1 : 2))
            die("round %d: %d of %s, where %d may be", round, count, kind->name, wanted);
        if (kind->make == make_long_cq)
            REFUSED(ibv_resize_cq(made[0], long_queue + 1), ENOMEM);
        if (words > 3) {
            if (close(open(word[3], O_CREAT | O_WRONLY, 0600)))
                die("%s: %s", word[3], strerror(errno));
            for (;;)
                pause();
        }
        if (!is_routers) {
            others_work(kind);

            /* One that goes makes room for one, whoever wants it. */
            MUST(kind->end(made[0]));
            if (!(made[0] = kind->make(1)))
                die("the place of one that has gone: %s", strerror(errno));
            REFUSED_NULL(kind->make(0), kind->error);
        }
        while (count > 0)
            MUST(kind->end(made[--count]));
    }
    printf("%d of %s, as specified\n", wanted, kind->name);
    return 0;
}
