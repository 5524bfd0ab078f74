/* The epoll sets that a descriptor is in, when another socket is about to take its place. */
#ifndef FREEFLOW_EPOLL_SETS_H
#define FREEFLOW_EPOLL_SETS_H

#include <sys/epoll.h>

#define FF_MAX_EPOLL_SETS 16

struct ff_epoll_sets {
	int count;
	struct {
		int set;
		struct epoll_event event;
		int is_out; /* left, and to be entered again */
	} items[FF_MAX_EPOLL_SETS];
};

/* Asks the kernel (/proc/self/fdinfo), since sets may be shared, inherited and filled from anywhere. */
void ff_epoll_sets_find(struct ff_epoll_sets *into, int descriptor);

void ff_epoll_sets_leave(struct ff_epoll_sets *sets, int descriptor);
void ff_epoll_sets_enter(const struct ff_epoll_sets *sets, int descriptor);

#endif
