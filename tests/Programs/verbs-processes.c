/*
 * verbs-processes CASE [NUMBER]
 *
 * Forks, execs, threads and contexts on one container's device: what belongs to whom, and that nothing is left. Data goes
 * between QPs of the container itself. Ends with 0 and "as specified".
 */
#include "objects.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { bytes = 1 << 16, half = bytes / 2, threads = 4, per_thread = 500 };

struct loop { /* two QPs of a process, connected to each other, or each to one of another context */
    struct endpoint at, there;
    unsigned char *memory;
    struct ibv_mr *region, *far_region;
    struct ibv_cq *cq, *far_cq;
    struct ibv_qp *near, *far;
};

static struct loop make_loop(struct endpoint at, struct endpoint there, uint32_t depth) {
    const int access = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ;
    struct loop loop = {.at = at, .there = there, .memory = aligned_alloc(4096, bytes)};
    memset(loop.memory, 1, bytes);
    loop.region = register_memory(&at, loop.memory, bytes, access);
    loop.far_region = register_memory(&there, loop.memory, bytes, access);
    loop.cq = ibv_create_cq(at.device, threads * per_thread, NULL, NULL, 0);
    loop.far_cq = ibv_create_cq(there.device, (int)depth, NULL, NULL, 0);
    loop.near = make_qp(&loop.at, loop.cq, loop.cq, depth, 1, 0);
    loop.far = make_qp(&loop.there, loop.far_cq, loop.far_cq, depth, 1, 0);
    struct address ends[] = {address_of(&loop.at, loop.near), address_of(&loop.there, loop.far)};
    connect_qp(loop.near, &ends[1], &usual_patience);
    connect_qp(loop.far, &ends[0], &usual_patience);
    return loop;
}

static int write_once(struct loop *loop, uint64_t id) {
    struct ibv_sge part = {(uintptr_t)loop->memory, half, loop->region->lkey};
    struct ibv_send_wr request = {.wr_id = id, .sg_list = &part, .num_sge = 1, .opcode = IBV_WR_RDMA_WRITE, .send_flags = IBV_SEND_SIGNALED}, *bad;
    request.wr.rdma.remote_addr = (uintptr_t)loop->memory + half;
    request.wr.rdma.rkey = loop->far_region->rkey;
    return ibv_post_send(loop->near, &request, &bad);
}

static void must_work(struct loop *loop, unsigned char value) {
    struct ibv_wc done;
    memset(loop->memory, value, half);
    MUST(write_once(loop, value));
    if (!await_completion(&loop->at, loop->cq, &done, patience_seconds) || done.status != IBV_WC_SUCCESS || done.wr_id != value)
        die("a write: %s", ibv_wc_status_str(done.status));
    for (size_t i = 0; i < bytes; i++)
        if (loop->memory[i] != value)
            die("byte %zu is %d, where %d was written", i, loop->memory[i], value);
}

static int open_descriptors(void) {
    DIR *all = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(all))
        count++;
    closedir(all);
    return count;
}

static int mappings(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    int count = 0, at;
    while ((at = getc(maps)) != EOF)
        count += at == '\n';
    fclose(maps);
    return count;
}

static void await_child(pid_t child, const char *what) {
    int status;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die("%s: status %x", what, status);
}

/* A child's life beside its parent's traffic. Without ibv_fork_init it has copies of all that the parent registered. */
static void fork_case(int with_init) {
    if (with_init)
        MUST(ibv_fork_init());
    struct endpoint at = open_endpoint(0);
    struct loop loop = make_loop(at, at, 16);
    int ready[2], go[2];
    char word;
    must_work(&loop, 2);
    if (pipe(ready) || pipe(go))
        die("pipe");
    pid_t child = fork();
    if (child == 0) {
        if (!with_init) {
            for (size_t i = 0; i < bytes; i++)
                if (loop.memory[i] != 2)
                    die("the child's copy of byte %zu is %d", i, loop.memory[i]);
            memset(loop.memory, 99, bytes);
        }
        /* The parent's device is not the child's to command. */
        if (!is_kernels(loop.at.device) && (ibv_alloc_pd(loop.at.device) || errno != EIO))
            die("the child makes a PD on its parent's device: %s", strerror(errno));
        struct endpoint own = open_endpoint(0);
        struct loop mine = make_loop(own, own, 16);
        must_work(&mine, 4);
        if (write(ready[1], "r", 1) != 1 || read(go[0], &word, 1) != 1)
            die("the parent is gone");
        must_work(&mine, 5);
        if (!with_init && (loop.memory[0] != 99 || loop.memory[bytes - 1] != 99))
            die("the parent's traffic has changed the child's copy");
        MUST(ibv_close_device(own.device));
        _exit(0);
    }
    if (read(ready[0], &word, 1) != 1)
        die("the child is gone");
    for (unsigned char value = 10; value < 60; value++)
        must_work(&loop, value);
    if (write(go[1], "g", 1) != 1)
        die("the child is gone");
    must_work(&loop, 60);
    await_child(child, "the child");
    must_work(&loop, 61);

    /* A child that only ends, by exit handlers too. */
    if ((child = fork()) == 0)
        exit(0);
    await_child(child, "a child that only ends");
    must_work(&loop, 62);
}

static void with_init(void) {
    fork_case(1);
}

static void without_init(void) {
    fork_case(0);
}

/* What an exec leaves: the standard descriptors, and the one by which they are listed. */
static void executed(void) {
    if (open_descriptors() != 3 + 3)
        die("%d descriptors are open after exec", open_descriptors() - 3);
    struct endpoint at = open_endpoint(0);
    struct loop loop = make_loop(at, at, 16);
    must_work(&loop, 7);
}

static void exec_case(void) {
    struct endpoint at = open_endpoint(1);
    struct loop loop = make_loop(at, at, 16);
    must_work(&loop, 2);
    /* What the test's runner has left open is not our concern. */
    for (int extra = 3; extra < 1024; extra++)
        if (extra != at.device->cmd_fd && extra != at.device->async_fd && extra != at.channel->fd)
            close(extra);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "verbs-processes", "executed", NULL);
        _exit(127);
    }
    must_work(&loop, 3);
    await_child(child, "the new program");
    must_work(&loop, 4);
    execl("/proc/self/exe", "verbs-processes", "executed", NULL);
    die("exec");
}

static struct loop shared;

static void *send_many(void *argument) {
    uint64_t first = (uint64_t)(uintptr_t)argument * per_thread;
    for (uint64_t i = 0; i < per_thread; i++) {
        int error;
        while ((error = write_once(&shared, first + i)) == ENOMEM)
            ;
        if (error)
            die("ibv_post_send: %s", strerror(error));
    }
    return NULL;
}

static void *take_many(void *argument) {
    static int seen[threads * per_thread];
    static int taken;
    (void)argument;
    while (__atomic_load_n(&taken, __ATOMIC_RELAXED) < threads * per_thread) {
        struct ibv_wc done[8];
        int count = ibv_poll_cq(shared.cq, 8, done);
        for (int i = 0; i < count; i++) {
            if (done[i].status != IBV_WC_SUCCESS || done[i].wr_id >= threads * per_thread ||
                __atomic_fetch_add(&seen[done[i].wr_id], 1, __ATOMIC_RELAXED))
                die("completion %lu: %s", (unsigned long)done[i].wr_id, ibv_wc_status_str(done[i].status));
        }
        __atomic_fetch_add(&taken, count, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void *make_and_destroy(void *argument) {
    struct endpoint *at = argument;
    for (int i = 0; i < 100; i++) {
        struct ibv_cq *cq = ibv_create_cq(at->device, 8, NULL, NULL, 0);
        struct ibv_qp *qp = make_qp(at, cq, cq, 8, 1, 0);
        MUST(ibv_destroy_qp(qp));
        MUST(ibv_destroy_cq(cq));
    }
    return NULL;
}

/* Several threads send on one QP, several take from its CQ, several make and destroy objects. */
static void threads_case(void) {
    struct endpoint at = open_endpoint(0);
    pthread_t all[3 * threads];
    shared = make_loop(at, at, 64);
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&all[3 * i], NULL, send_many, (void *)(uintptr_t)i) || pthread_create(&all[3 * i + 1], NULL, take_many, NULL) ||
            pthread_create(&all[3 * i + 2], NULL, make_and_destroy, &at))
            die("pthread_create");
    }
    for (int i = 0; i < 3 * threads; i++)
        pthread_join(all[i], NULL);
    must_work(&shared, 9);
}

/* Contexts of one process talk to each other; one that is closed with all its objects harms no other. */
static void contexts_case(void) {
    struct endpoint all[] = {open_endpoint(0), open_endpoint(0), open_endpoint(0)};
    struct loop first = make_loop(all[0], all[1], 16), second = make_loop(all[1], all[2], 16), third = make_loop(all[2], all[2], 16);
    must_work(&first, 2);
    must_work(&second, 3);
    must_work(&third, 4);
    MUST(ibv_close_device(all[0].device));
    must_work(&second, 5);
    MUST(ibv_close_device(all[1].device));
    must_work(&third, 6);
    struct endpoint again = open_endpoint(0);
    struct loop fourth = make_loop(again, all[2], 16);
    must_work(&fourth, 7);
}

static int rounds = 10000;

/* Contexts that come and go, some of them leaving everything to the device. */
static void many_case(void) {
    int descriptors = 0, maps = 0;
    void *memory = aligned_alloc(4096, bytes);
    for (int i = 0; i < rounds; i++) {
        struct endpoint at = open_endpoint(i % 2);
        if (i % 4 == 0) {
            struct ibv_srq_init_attr wanted = {.attr = {.max_wr = 4, .max_sge = 1}};
            struct ibv_cq *cq = ibv_create_cq(at.device, 4, at.channel, NULL, 0);
            if (!cq || !make_qp(&at, cq, cq, 4, 1, 0) || !ibv_create_srq(at.pd, &wanted) || !ibv_alloc_mw(at.pd, IBV_MW_TYPE_1))
                die("round %d: %s", i, strerror(errno));
            register_memory(&at, memory, bytes, IBV_ACCESS_LOCAL_WRITE);
        }
        if (at.channel)
            MUST(ibv_destroy_comp_channel(at.channel));
        MUST(ibv_close_device(at.device));
        if (i == rounds / 2) {
            descriptors = open_descriptors();
            maps = mappings();
        }
    }
    /* The library forgets the rings of objects that were not destroyed: that is the caller's doing, on any device. */
    if (open_descriptors() > descriptors)
        die("%d descriptors after half the rounds, %d after %d", descriptors, open_descriptors(), rounds);
    if (mappings() > maps + rounds + 100)
        die("%d mappings after half the rounds, %d after %d", maps, mappings(), rounds);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"fork-with-init", with_init}, {"fork-without-init", without_init}, {"exec", exec_case},  {"executed", executed},
    {"threads", threads_case},     {"contexts", contexts_case},         {"many", many_case},
};

int main(int count, char **words) {
    if (count > 2)
        rounds = atoi(words[2]);
    for (size_t i = 0; count > 1 && i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].name, words[1]) != 0)
            continue;
        cases[i].run();
        printf("as specified\n");
        return 0;
    }
    die("usage: verbs-processes fork-with-init|fork-without-init|exec|threads|contexts|many [NUMBER]");
}
