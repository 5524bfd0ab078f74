#define _GNU_SOURCE
#include "listener_sets.h"

#include <errno.h>
#include <unistd.h>

#include "descriptors.h"
#include "real.h"

static int control(int set, int operation, int descriptor, struct epoll_event *event)
{
	return ff_real()->epoll_ctl(set, operation, descriptor, event);
}

/* Puts the channel into a set that the listener is in already. */
static void join(struct ff_listener *listener, int descriptor, struct ff_membership *membership)
{
	struct epoll_event inside = { .events = EPOLLIN };

	if (membership->inner >= 0) {
		control(membership->inner, EPOLL_CTL_ADD, listener->channel, &inside);
		return;
	}
	if (!(membership->event.events & EPOLLONESHOT)) {
		control(membership->set, EPOLL_CTL_ADD, listener->channel, &membership->event);
		return;
	}
	/* One shot is one event for both, so one entry for both. */
	membership->inner = epoll_create1(EPOLL_CLOEXEC);
	if (membership->inner < 0)
		return;
	membership->inner = ff_protect(membership->inner);
	control(membership->inner, EPOLL_CTL_ADD, descriptor, &inside);
	control(membership->inner, EPOLL_CTL_ADD, listener->channel, &inside);
	control(membership->set, EPOLL_CTL_DEL, descriptor, NULL);
	control(membership->set, EPOLL_CTL_ADD, membership->inner, &membership->event);
}

void ff_listener_join_all(struct ff_listener *listener, int descriptor)
{
	for (int i = 0; i < listener->memberships; i++)
		join(listener, descriptor, &listener->sets[i]);
}

void ff_listener_drop_channel(struct ff_listener *listener)
{
	struct epoll_event nothing = { 0 };
	int saved = errno;

	if (listener->channel < 0)
		return;
	/* Closing alone does not take it out of the sets while another process has it too. */
	for (int i = 0; i < listener->memberships; i++)
		control(listener->sets[i].inner >= 0 ? listener->sets[i].inner : listener->sets[i].set, EPOLL_CTL_DEL, listener->channel,
			&nothing);
	ff_unprotect_and_close(listener->channel);
	listener->channel = -1;
	listener->waits = 0;
	errno = saved;
}

static struct ff_membership *membership_of(struct ff_listener *listener, int set)
{
	for (int i = 0; i < listener->memberships; i++)
		if (listener->sets[i].set == set)
			return &listener->sets[i];
	return NULL;
}

/*
 * A set that was there before the last fork is the parent's too: what a child closes leaves the parent's listener in it, so it
 * leaves its channel in it.
 */
static int is_inherited(const struct ff_membership *membership)
{
	return membership->forks != ff_listeners_forks();
}

static void leave(struct ff_listener *listener, struct ff_membership *membership, int takes_channel_out)
{
	struct epoll_event nothing = { 0 };

	if (membership->inner >= 0)
		ff_unprotect_and_close(membership->inner);
	else if (listener->channel >= 0 && takes_channel_out)
		control(membership->set, EPOLL_CTL_DEL, listener->channel, &nothing);
	*membership = listener->sets[--listener->memberships];
}

static int add(struct ff_listener *listener, int descriptor, int set, struct epoll_event *event)
{
	struct ff_membership *membership = membership_of(listener, set);

	if (membership && membership->inner >= 0 && control(set, EPOLL_CTL_MOD, membership->inner, &membership->event) == 0) {
		errno = EEXIST;
		return -1;
	}
	/* The kernel checks everything first. */
	if (control(set, EPOLL_CTL_ADD, descriptor, event) < 0)
		return -1;
	if (membership)
		leave(listener, membership, 1); /* of a set that was closed and made anew under the same number */
	if (listener->memberships == FF_MAX_MEMBERSHIPS) {
		/* A set that the channel is not in would miss deliveries: there must be none. */
		ff_listener_drop_channel(listener);
		listener->not_before = FF_NEVER;
		return 0;
	}
	membership = &listener->sets[listener->memberships++];
	*membership = (struct ff_membership){ .set = set, .forks = ff_listeners_forks(), .inner = -1, .event = *event };
	if (listener->channel >= 0)
		join(listener, descriptor, membership);
	return 0;
}

static int modify(struct ff_listener *listener, int descriptor, struct ff_membership *membership, struct epoll_event *event)
{
	uint32_t before = membership->event.events;
	int set = membership->set;

	if (membership->inner >= 0) {
		if (control(set, EPOLL_CTL_MOD, membership->inner, event) < 0)
			return -1;
		membership->event = *event;
		return 0;
	}
	if (control(set, EPOLL_CTL_MOD, descriptor, event) < 0)
		return -1;
	membership->event = *event;
	if (listener->channel < 0)
		return 0;
	if (event->events & EPOLLONESHOT && !(before & EPOLLONESHOT)) {
		control(set, EPOLL_CTL_DEL, listener->channel, event);
		join(listener, descriptor, membership);
	} else if (control(set, EPOLL_CTL_MOD, listener->channel, event) < 0) {
		join(listener, descriptor, membership);
	}
	return 0;
}

void ff_listener_leave_all(struct ff_listener *listener)
{
	while (listener->memberships > 0)
		leave(listener, &listener->sets[0], !is_inherited(&listener->sets[0]));
}

int ff_listener_control(struct ff_listener *listener, int descriptor, int set, int operation, struct epoll_event *event)
{
	struct ff_membership *membership = membership_of(listener, set);
	int result;

	if (operation == EPOLL_CTL_ADD && event)
		return add(listener, descriptor, set, event);
	if (operation == EPOLL_CTL_MOD && event && membership)
		return modify(listener, descriptor, membership, event);
	if (operation != EPOLL_CTL_DEL || !membership)
		return control(set, operation, descriptor, event);
	result = control(set, EPOLL_CTL_DEL, membership->inner >= 0 ? membership->inner : descriptor, event);
	/* Whoever says so says it for all who have the set. */
	if (result == 0)
		leave(listener, membership, 1);
	return result;
}
