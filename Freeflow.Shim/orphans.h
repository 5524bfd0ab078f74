/*
 * What becomes of posted work when the router dies. An application that polls its CQs makes no call by which it could
 * learn of that, so a thread for each open device sleeps until the router hangs up, and then completes everything that is
 * posted, and whatever is posted later, with IBV_WC_WR_FLUSH_ERR.
 */
#ifndef FREEFLOW_ORPHANS_H
#define FREEFLOW_ORPHANS_H

#include "descriptors.h"

/* Starts the device's watcher. Where threads can't be had the device works without. */
void ff_orphans_watch(struct ff_device *device);

/* Ends it, and waits for that. */
void ff_orphans_unwatch(struct ff_device *device);

/* Threads of this process that are watchers. */
int ff_orphans_watchers(void);

/* A child has its parent's devices, but not their threads. */
void ff_orphans_in_child(void);

#endif
