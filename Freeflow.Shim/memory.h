/* Memory that becomes shared with the router when it is registered, and keeps what private memory promises. */
#ifndef FREEFLOW_MEMORY_H
#define FREEFLOW_MEMORY_H

#include <stdint.h>

#include "descriptors.h"

/*
 * Offers the pages of [address, address + length) to the router and maps what it makes of them. Does nothing where a
 * store of another thread could get lost. The caller holds the device's lock.
 */
void ff_memory_share(struct ff_device *device, int socket, uint64_t address, uint64_t length);

/* Around fork(): gives the child pages of its own before either side continues. */
void ff_memory_before_fork(void);
void ff_memory_in_parent(void);
void ff_memory_in_child(void);

#endif
