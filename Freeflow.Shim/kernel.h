/*
 * The one door to the kernel. Whatever the library does for itself goes through here: libc's names may be interposed, by ourselves and by
 * others, and some of them are cancellation points.
 */
#ifndef FREEFLOW_KERNEL_H
#define FREEFLOW_KERNEL_H

#include <poll.h>
#include <sys/syscall.h>

/* A system call as syscall(2) makes it: -1 with errno when it fails. Arguments that the kernel takes as long must be long. */
__attribute__((visibility("hidden"))) long ff_kernel(long number, ...);

/* poll(), which is a cancellation point in libc. */
int ff_wait(struct pollfd *entries, nfds_t count, int milliseconds);

#endif
