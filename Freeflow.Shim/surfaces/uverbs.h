/* The uverbs device: /dev/infiniband/uverbs0, which does not exist, and the descriptors that were opened from it. */
#ifndef FREEFLOW_UVERBS_H
#define FREEFLOW_UVERBS_H

#include <sys/types.h>

#define FF_UVERBS_MAJOR 231
#define FF_UVERBS_MINOR 192

/* Whether a path is the device's, and a router is there to serve it. */
int ff_uverbs_is_device(const char *path);

/* Whether a socket must not be had, since it would tell that the kernel has no device. */
int ff_uverbs_hides(int family, int protocol);

/* open() of the device: a descriptor, or -1 with errno. */
int ff_uverbs_open(int flags);

#endif
