/* Where a program may write into its peer's memory. */
#ifndef FREEFLOW_BENCH_TARGET_H
#define FREEFLOW_BENCH_TARGET_H

#include "../tests/Programs/endpoint.h"

struct target {
    struct address qp;
    uint64_t address;
    uint32_t key, unused;
};

#endif
