/* Copies from and to where a caller points, as the kernel makes them: a bad address is EFAULT, and no crash. */
#ifndef FREEFLOW_COPIES_H
#define FREEFLOW_COPIES_H

#include <stddef.h>

/* 0, or -1 with EFAULT. Where the process may not even ask the kernel for it (seccomp), a bad address does crash. */
int ff_copy_from(void *into, const void *from, size_t length);
int ff_copy_to(void *into, const void *from, size_t length);

#endif
