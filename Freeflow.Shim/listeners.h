/*
 * Listeners whose accelerated connections arrive beside the kernel's own: a delivery channel each, which children inherit
 * with the listener, and the epoll sets that the channel was put into.
 */
#ifndef FREEFLOW_LISTENERS_H
#define FREEFLOW_LISTENERS_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "prefixes.h"

/* Whether this process has any. One load. */
int ff_listeners_any(void);

/* listen() has succeeded: makes the descriptor a listener, and asks the router for its channel. */
void ff_listener_made(int descriptor, int backlog);

/* Listeners among the descriptors that this program was started with. */
void ff_listeners_inherited(void);

/* accept() has succeeded on something that was not known as a listener: inherited over exec, or passed. */
void ff_listener_met(int descriptor);

/* The listener behind a descriptor: its index, or -1. */
int ff_listener_of(int descriptor);

/*
 * Somebody is about to wait for it in a way that a delivery ends (a blocking accept, poll, select, an epoll set): from the first time
 * on the router delivers. Its channel, or -1 for the time being.
 */
int ff_listener_channel(int index, int descriptor);

/* Somebody only looks: nothing begins with that, but it goes on where somebody has waited before. */
int ff_listener_channel_if_wanted(int index, int descriptor);

/*
 * Its connections are the kernel's alone from now on: another process is about to have it that can't have the channel, or it
 * has an option that only the kernel can give to a connection.
 */
void ff_listener_gives_up(int index, const char *why);

/* shutdown() has ended it, for all who have it. */
void ff_listener_shut(int index);

/* The channel has been found at its end: the router is gone. */
void ff_listener_lost(int index);

/*
 * The next delivered connection: its descriptor, -1 with EAGAIN when none waits, -1 with EMFILE when there is no
 * descriptor for it. `flags` as accept4()'s.
 */
int ff_listener_accept(int index, int descriptor, int flags, struct ff_address *peer);

/* Where connections wait to be accepted. */
enum ff_queue {
	FF_QUEUE_ROUTERS, /* the delivery channel */
	FF_QUEUE_KERNELS,
};

/* Whether to look into the kernel's queue first: where the last connection was, but now and then, so that none starves. */
int ff_listener_prefers_kernel(int index);
void ff_listener_accepted(int index, enum ff_queue from);

/* An option was set on it. */
void ff_listener_touched(int index, int option);

/* epoll_ctl() of a listener, in all its forms. */
int ff_listener_epoll(int index, int descriptor, int set, int operation, struct epoll_event *event);

/* References by descriptors of this process; 0 when this is a vfork child, whose doings do not count. */
int ff_listener_hold(uint32_t index);
int ff_listener_release(uint32_t index);

/* Where a descriptor of a listener's is kept, or NULL. */
int *ff_listeners_holder(int descriptor);

void ff_listeners_in_child(void);

/* Forks that this process comes from, since the library was loaded. */
uint32_t ff_listeners_forks(void);

#endif
