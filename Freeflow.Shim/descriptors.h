/* What each descriptor of the process is to us: nothing, a uverbs device, an rdma_cm, or one of our own that must stay open. */
#ifndef FREEFLOW_DESCRIPTORS_H
#define FREEFLOW_DESCRIPTORS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

enum ff_kept {
	FF_WAKE,     /* the engine's eventfd */
	FF_LIFELINE, /* hangs up when the router is gone */
	FF_STOP,     /* an eventfd that ends the watcher */
	FF_EVENTS,   /* the writing end of the async descriptor, for the one event that no router can write: that it is gone */
	FF_CHANNEL,  /* the socket for commands, where it is not the descriptor itself */
	FF_KEPT,
};

/* An open device, or an open rdma_cm, which has a channel only. Shared by all descriptors that were duplicated from the first. */
struct ff_device {
	atomic_int references;
	enum ff_kind kind;
	pthread_mutex_t lock;        /* one call at a time on the socket */
	uint32_t sequence;
	atomic_int lost;             /* the router is gone: every call fails with EIO */
	int kept[FF_KEPT];           /* descriptors of ours, protected */
	struct ff_doorbell *doorbell;
	size_t doorbell_bytes;
	int process;                 /* the pid that opened it: a child has no say on its socket */
	uint64_t token;              /* in the names of its rings */
	pthread_t watcher;           /* see orphans.h; meaningful while is_watched */
	int is_watched;
	struct ff_device *next;      /* among those that are not in use */
};

/* The device behind a descriptor, or NULL. One array look-up. */
struct ff_device *ff_device_of(int descriptor);

/*
 * The device of a descriptor, kept until it is let go: another thread may close the descriptor meanwhile, and as in the kernel
 * the device then lives until the call is over. NULL when it is no device's any more.
 */
struct ff_device *ff_device_hold(int descriptor);
void ff_device_let_go(struct ff_device *device);

/* A new device of this process with one reference, or NULL. Its memory is never anything else, so that ff_device_hold() may look at one that is gone. */
struct ff_device *ff_device_make(void);

/* Makes a descriptor the device's; takes over the caller's reference. -1 with EMFILE when its number is too large. */
int ff_device_attach(int descriptor, struct ff_device *device);

/* close() and close_range() of the application's. */
int ff_close(int descriptor);
int ff_close_range(unsigned int first, unsigned int last, int flags);

/* Keeps a descriptor of ours from being closed by the application's own sweeps; moves it to a high number first. */
int ff_protect(int descriptor);

/* RLIMIT_NOFILE, as it was a few questions ago. */
int ff_descriptor_limit_lately(void);

void ff_unprotect_and_close(int descriptor);
int ff_unprotect(int descriptor);

/* Whether this memory is the process's own: a vfork child writes into its parent's. */
int ff_descriptors_are_own(void);

/* In a child after fork: devices belong to the parent. */
void ff_descriptors_forked(void);

#endif
