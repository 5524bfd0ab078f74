/* The connection manager's device: /dev/infiniband/rdma_cm, which does not exist, and the descriptors that were opened from it. */
#ifndef FREEFLOW_RDMA_CM_H
#define FREEFLOW_RDMA_CM_H

#include <sys/types.h>

#include "../descriptors.h"

#define FF_RDMA_CM_MAJOR 10
#define FF_RDMA_CM_MINOR 126

/* Whether a path is the device's, and a router is there to serve it. */
int ff_rdma_cm_is_device(const char *path);

/* open() of the device: a descriptor, or -1 with errno. */
int ff_rdma_cm_open(int flags);

/* write() to one of its descriptors. */
ssize_t ff_rdma_cm_write(int descriptor, const void *bytes, size_t length);

/* Whether an ioctl() is one that the kernel itself does for every file, and so for the descriptor. */
int ff_rdma_cm_passes_ioctl(const struct ff_device *device, unsigned long request);

#endif
