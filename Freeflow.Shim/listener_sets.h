/* A listener as listeners.c and listener_sets.c have it, and its places in epoll sets. */
#ifndef FREEFLOW_LISTENER_SETS_H
#define FREEFLOW_LISTENER_SETS_H

#include <limits.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "listeners.h"
#include "options.h"

#define FF_MAX_MEMBERSHIPS 16
#define FF_NEVER LONG_MAX

/* An epoll set that the listener is in. */
struct ff_membership {
	int set;
	uint32_t forks; /* of the process that put it there */
	int inner; /* a set of our own with listener and channel, which is in `set` in their place; -1: both are there */
	struct epoll_event event;
};

struct ff_listener {
	int references;
	int channel;     /* protected; -1: none */
	int is_ipv6;
	int backlog;
	int wanted;      /* somebody has waited for it in a way that a delivery ends */
	int waits;       /* the router has been told */
	long not_before; /* seconds: when the router may be asked again */
	long pause;
	unsigned int turns;
	enum ff_queue last; /* where its last connection was */
	uint64_t touched;
	int options_known;
	struct ff_option_set options;
	int memberships;
	struct ff_membership sets[FF_MAX_MEMBERSHIPS];
};

/* All under the listeners' lock. Puts a new channel into the sets that the listener is in. */
void ff_listener_join_all(struct ff_listener *listener, int descriptor);

/* Takes the channel out of the sets and closes it. */
void ff_listener_drop_channel(struct ff_listener *listener);

/* Leaves all sets: the listener is closed. */
void ff_listener_leave_all(struct ff_listener *listener);

/* epoll_ctl() of the listener. */
int ff_listener_control(struct ff_listener *listener, int descriptor, int set, int operation, struct epoll_event *event);

#endif
