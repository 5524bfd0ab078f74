/* What the programs that write into a peer's memory share: where that is, and the time. */
#ifndef FREEFLOW_BENCH_TARGET_H
#define FREEFLOW_BENCH_TARGET_H

#include "../tests/Programs/endpoint.h"

#include <time.h>

struct target {
    struct address qp;
    uint64_t address;
    uint32_t key, unused;
};

/* Seconds of CLOCK_MONOTONIC. */
static inline double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

#endif
