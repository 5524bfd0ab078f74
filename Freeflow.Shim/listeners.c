#define _GNU_SOURCE
#include "listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "descriptors.h"
#include "log.h"
#include "marks.h"
#include "options.h"
#include "real.h"
#include "routes.h"

#define MAX_LISTENERS 512
#define MAX_MEMBERSHIPS 16
#define KERNELS_TURN 8 /* every so many connections */
#define CLOSE_TO_LIMIT 64
#define NEVER LONG_MAX
#define UNTIL_LISTEN (LONG_MAX - 1)
#define INHERITED_DESCRIPTORS 64
#define FIRST_PAUSE_SECONDS 1
#define LONGEST_PAUSE_SECONDS 16

/* An epoll set that the listener is in. */
struct membership {
	int set;
	int inner; /* a set of our own with listener and channel, which is in `set` in their place; -1: both are there */
	struct epoll_event event;
};

struct listener {
	int references;
	int channel;     /* protected; -1: none */
	int is_ipv6;
	int backlog;
	int waits;       /* the router has been told */
	long not_before; /* seconds: when the router may be asked again */
	long pause;
	unsigned int turns;
	uint64_t touched;
	int options_known;
	struct ff_option_set options;
	int memberships;
	struct membership sets[MAX_MEMBERSHIPS];
};

static struct listener listeners[MAX_LISTENERS];
static atomic_int in_use;
static atomic_int last_number; /* of a descriptor that was received */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int ff_listeners_any(void)
{
	return atomic_load_explicit(&in_use, memory_order_relaxed) > 0;
}

int ff_listener_of(int descriptor)
{
	uint64_t mark = ff_listeners_any() ? ff_mark(descriptor) : FF_MARK_NONE;

	return FF_MARK_KIND(mark) == FF_MARK_LISTENER ? (int)FF_MARK_INDEX(mark) : -1;
}

static long now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

static int control(int set, int operation, int descriptor, struct epoll_event *event)
{
	return ff_real()->epoll_ctl(set, operation, descriptor, event);
}

/* Whether connections over IPv4 that are not the loopback's can reach it. */
static int is_reachable(int descriptor, int *is_ipv6)
{
	struct sockaddr_storage own;
	struct ff_address address;
	socklen_t length = sizeof(own), size = sizeof(int);
	int only_ipv6 = 0;

	if (syscall(SYS_getsockname, descriptor, &own, &length) < 0)
		return 0;
	*is_ipv6 = own.ss_family == AF_INET6;
	if (*is_ipv6 && IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)&own)->sin6_addr)) {
		syscall(SYS_getsockopt, descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, &size);
		return !only_ipv6;
	}
	return ff_address_read((struct sockaddr *)&own, length, &address) && !ff_address_is_loopback(address.address);
}

static int is_tcp(int descriptor)
{
	int protocol = 0;
	socklen_t length = sizeof(protocol);

	return syscall(SYS_getsockopt, descriptor, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == IPPROTO_TCP;
}

/* Puts the channel into a set that the listener is in already. */
static void join(struct listener *listener, int descriptor, struct membership *membership)
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

static void drop_channel(struct listener *listener)
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

static void ask(struct listener *listener, int descriptor)
{
	struct ff_listen request = { .backlog = (uint32_t)(listener->backlog < 0 ? 0 : listener->backlog) };
	struct ff_reply reply;
	long now = now_seconds();

	if (now < listener->not_before)
		return;
	if (ff_routes_call(FF_LISTEN, &request, sizeof(request), &descriptor, 1, &reply) < 0 || reply.error || reply.descriptor_count < 1) {
		listener->pause = listener->pause ? listener->pause * 2 : FIRST_PAUSE_SECONDS;
		if (listener->pause > LONGEST_PAUSE_SECONDS)
			listener->pause = LONGEST_PAUSE_SECONDS;
		listener->not_before = now + listener->pause;
		return;
	}
	ff_reply_close(&reply, 1);
	listener->pause = 0;
	listener->channel = ff_protect(reply.descriptors[0]);
	for (int i = 0; i < listener->memberships; i++)
		join(listener, descriptor, &listener->sets[i]);
}

static const char *cannot_serve(const struct listener *listener)
{
	for (int i = 0; i < 44; i++)
		if (listener->touched != FF_ALL_OPTIONS && listener->touched >> i & 1 && ff_option_stays_with_listener(i))
			return "it has an option that only the kernel's own connections have";
	return NULL;
}

static void give_up(struct listener *listener, const char *why)
{
	if (listener->not_before == NEVER)
		return;
	ff_debug("a listener's connections are plain: %s", why);
	drop_channel(listener);
	listener->not_before = NEVER;
}

static int make(int descriptor, int backlog, int is_ipv6, uint64_t touched)
{
	for (int i = 0; i < MAX_LISTENERS; i++) {
		struct listener *listener = &listeners[i];

		if (listener->references)
			continue;
		memset(listener, 0, sizeof(*listener));
		listener->references = 1;
		listener->channel = -1;
		listener->is_ipv6 = is_ipv6;
		listener->backlog = backlog;
		listener->touched = touched;
		if (cannot_serve(listener))
			give_up(listener, cannot_serve(listener));
		atomic_fetch_add(&in_use, 1);
		ff_mark_set(descriptor, FF_MARK_LISTENER | (uint64_t)i << 8);
		return i;
	}
	return -1;
}

void ff_listener_made(int descriptor, int backlog)
{
	uint64_t mark = ff_mark(descriptor);
	int index = ff_listener_of(descriptor), is_ipv6 = 0, saved = errno;
	struct ff_listener_note note = { .type = FF_LISTENER_BACKLOG, .value = (uint32_t)(backlog < 0 ? 0 : backlog) };

	if (!ff_prefixes_any() || !is_tcp(descriptor) || !is_reachable(descriptor, &is_ipv6)) {
		errno = saved;
		return;
	}
	pthread_mutex_lock(&lock);
	if (index >= 0 && listeners[index].channel >= 0)
		(void)syscall(SYS_sendto, listeners[index].channel, &note, sizeof(note), MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
	if (index >= 0) {
		listeners[index].backlog = backlog;
		if (listeners[index].not_before == UNTIL_LISTEN)
			listeners[index].not_before = 0;
	} else {
		index = make(descriptor, backlog, is_ipv6, FF_MARK_KIND(mark) == FF_MARK_FRESH ? FF_MARK_OPTIONS(mark) : FF_ALL_OPTIONS);
	}
	if (index >= 0 && FF_MARK_KIND(mark) == FF_MARK_FRESH && mark & FF_MARK_ODD)
		give_up(&listeners[index], "it has an option that can't be carried over");
	if (index >= 0 && listeners[index].channel < 0)
		ask(&listeners[index], descriptor);
	pthread_mutex_unlock(&lock);
	errno = saved;
}

void ff_listeners_inherited(void)
{
	int saved = errno;

	for (int at = 0; at < INHERITED_DESCRIPTORS; at++) {
		int accepts = 0, is_ipv6;
		socklen_t length = sizeof(accepts);

		if (syscall(SYS_getsockopt, at, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) == 0 && accepts && is_tcp(at) &&
		    is_reachable(at, &is_ipv6))
			(void)make(at, SOMAXCONN, is_ipv6, FF_ALL_OPTIONS);
	}
	errno = saved;
}

void ff_listener_gives_up(int index, const char *why)
{
	pthread_mutex_lock(&lock);
	give_up(&listeners[index], why);
	pthread_mutex_unlock(&lock);
}

void ff_listener_shut(int index)
{
	struct ff_listener_note note = { .type = FF_LISTENER_ENDS };
	struct listener *listener = &listeners[index];
	int saved = errno;

	pthread_mutex_lock(&lock);
	if (listener->channel >= 0)
		(void)syscall(SYS_sendto, listener->channel, &note, sizeof(note), MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
	drop_channel(listener);
	/* Until it listens again. */
	if (listener->not_before != NEVER)
		listener->not_before = UNTIL_LISTEN;
	pthread_mutex_unlock(&lock);
	errno = saved;
}

void ff_listener_met(int descriptor)
{
	int is_ipv6, saved = errno;

	if (!is_tcp(descriptor) || !is_reachable(descriptor, &is_ipv6)) {
		ff_mark_set(descriptor, FF_MARK_OTHER);
		errno = saved;
		return;
	}
	/* Who listens with what backlog is the kernel's to say, not ours to ask: the router takes its own largest. */
	ff_listener_made(descriptor, SOMAXCONN);
}

int ff_listener_channel(int index, int descriptor)
{
	struct listener *listener = &listeners[index];
	struct ff_listener_note note = { .type = FF_LISTENER_WAITS };
	int saved = errno;

	if (listener->channel >= 0 && listener->waits)
		return listener->channel;
	pthread_mutex_lock(&lock);
	if (listener->channel < 0 && ff_descriptors_are_own())
		ask(listener, descriptor);
	if (listener->channel >= 0 && !listener->waits) {
		listener->waits = 1;
		(void)syscall(SYS_sendto, listener->channel, &note, sizeof(note), MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
	}
	pthread_mutex_unlock(&lock);
	errno = saved;
	return listener->channel;
}

void ff_listener_lost(int index)
{
	pthread_mutex_lock(&lock);
	if (listeners[index].channel >= 0)
		ff_debug("a listener's connections are plain until its router is back");
	drop_channel(&listeners[index]);
	if (listeners[index].not_before < UNTIL_LISTEN)
		listeners[index].not_before = now_seconds() + FIRST_PAUSE_SECONDS;
	pthread_mutex_unlock(&lock);
}

int ff_listener_prefers_kernel(int index)
{
	return ++listeners[index].turns % KERNELS_TURN == 0;
}

void ff_listener_touched(int index, int option)
{
	pthread_mutex_lock(&lock);
	if (listeners[index].touched != FF_ALL_OPTIONS)
		listeners[index].touched |= 1ull << option;
	listeners[index].options_known = 0;
	if (ff_option_stays_with_listener(option))
		give_up(&listeners[index], "it has an option that only the kernel's own connections have");
	pthread_mutex_unlock(&lock);
}

/* What an accepted connection has of its listener. */
static void inherit(struct listener *listener, int descriptor, int connection)
{
	if (!listener->options_known) {
		pthread_mutex_lock(&lock);
		ff_options_read(descriptor, listener->touched, connection, &listener->options);
		listener->options_known = 1;
		pthread_mutex_unlock(&lock);
	}
	ff_options_give(&listener->options, connection);
}

/*
 * A connection that finds no free descriptor when it is received is lost; accept() would leave it in the queue. So near the
 * limit one is tried out first.
 */
static int has_room(int channel)
{
	int last = atomic_load_explicit(&last_number, memory_order_relaxed), spare;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)last + CLOSE_TO_LIMIT < limit.rlim_cur)
		return 1;
	spare = (int)syscall(SYS_fcntl, channel, F_DUPFD_CLOEXEC, 0);
	if (spare < 0)
		return 0;
	syscall(SYS_close, spare);
	return 1;
}

int ff_listener_accept(int index, int descriptor, int flags, struct ff_address *peer)
{
	struct listener *listener = &listeners[index];
	int channel = listener->channel, connection = -1;
	struct ff_delivery delivery;
	union {
		struct cmsghdr head;
		unsigned char bytes[CMSG_SPACE(sizeof(int))];
	} bytes;
	struct iovec vector = { .iov_base = &delivery, .iov_len = sizeof(delivery) };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &bytes, .msg_controllen = sizeof(bytes) };
	ssize_t got;

	if (channel < 0) {
		errno = EAGAIN;
		return -1;
	}
	if (!has_room(channel)) {
		errno = EMFILE;
		return -1;
	}
	got = syscall(SYS_recvmsg, channel, &message, MSG_DONTWAIT | (flags & SOCK_CLOEXEC ? MSG_CMSG_CLOEXEC : 0));
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		ff_listener_lost(index);
		errno = EAGAIN;
		return -1;
	}
	if (got < 0) {
		errno = EAGAIN;
		return -1;
	}
	if (CMSG_FIRSTHDR(&message) && CMSG_FIRSTHDR(&message)->cmsg_type == SCM_RIGHTS)
		memcpy(&connection, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(connection));
	if (connection < 0 || got != (ssize_t)sizeof(delivery)) {
		if (connection >= 0)
			syscall(SYS_close, connection);
		errno = ECONNABORTED;
		return -1;
	}
	if (flags & SOCK_NONBLOCK)
		syscall(SYS_fcntl, connection, F_SETFL, O_RDWR | O_NONBLOCK);
	inherit(listener, descriptor, connection);
	peer->address = delivery.peer;
	peer->port = delivery.peer_port;
	peer->is_ipv6 = listener->is_ipv6;
	ff_mark_set(connection, FF_MARK_NONE);
	atomic_store_explicit(&last_number, connection, memory_order_relaxed);
	return connection;
}

static struct membership *membership_of(struct listener *listener, int set)
{
	for (int i = 0; i < listener->memberships; i++)
		if (listener->sets[i].set == set)
			return &listener->sets[i];
	return NULL;
}

static void leave(struct listener *listener, struct membership *membership)
{
	struct epoll_event nothing = { 0 };

	if (membership->inner >= 0)
		ff_unprotect_and_close(membership->inner);
	else if (listener->channel >= 0)
		control(membership->set, EPOLL_CTL_DEL, listener->channel, &nothing);
	*membership = listener->sets[--listener->memberships];
}

static int add(struct listener *listener, int descriptor, int set, struct epoll_event *event)
{
	struct membership *membership = membership_of(listener, set);

	if (membership && membership->inner >= 0 && control(set, EPOLL_CTL_MOD, membership->inner, &membership->event) == 0) {
		errno = EEXIST;
		return -1;
	}
	/* The kernel checks everything first. */
	if (control(set, EPOLL_CTL_ADD, descriptor, event) < 0)
		return -1;
	if (membership)
		leave(listener, membership); /* of a set that was closed and made anew under the same number */
	if (listener->memberships == MAX_MEMBERSHIPS) {
		/* A set that the channel is not in would miss deliveries: there must be none. */
		drop_channel(listener);
		listener->not_before = NEVER;
		return 0;
	}
	membership = &listener->sets[listener->memberships++];
	*membership = (struct membership){ .set = set, .inner = -1, .event = *event };
	if (listener->channel >= 0)
		join(listener, descriptor, membership);
	return 0;
}

static int modify(struct listener *listener, int descriptor, struct membership *membership, struct epoll_event *event)
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

int ff_listener_epoll(int index, int descriptor, int set, int operation, struct epoll_event *event)
{
	struct listener *listener = &listeners[index];
	struct membership *membership;
	int result = -1;

	if (operation != EPOLL_CTL_DEL && event && event->events & (EPOLLIN | EPOLLRDNORM))
		(void)ff_listener_channel(index, descriptor);
	pthread_mutex_lock(&lock);
	membership = membership_of(listener, set);
	if (operation == EPOLL_CTL_ADD && event) {
		result = add(listener, descriptor, set, event);
	} else if (operation == EPOLL_CTL_MOD && event && membership) {
		result = modify(listener, descriptor, membership, event);
	} else if (operation == EPOLL_CTL_DEL && membership) {
		result = control(set, EPOLL_CTL_DEL, membership->inner >= 0 ? membership->inner : descriptor, event);
		if (result == 0)
			leave(listener, membership);
	} else {
		result = control(set, operation, descriptor, event);
	}
	pthread_mutex_unlock(&lock);
	return result;
}

int ff_listener_hold(uint32_t index)
{
	if (!ff_descriptors_are_own() && listeners[index].channel >= 0)
		return 0;
	pthread_mutex_lock(&lock);
	listeners[index].references++;
	pthread_mutex_unlock(&lock);
	return 1;
}

int ff_listener_release(uint32_t index)
{
	struct listener *listener = &listeners[index];

	if (!ff_descriptors_are_own() && listener->channel >= 0)
		return 0;
	pthread_mutex_lock(&lock);
	if (--listener->references == 0) {
		drop_channel(listener);
		while (listener->memberships > 0)
			leave(listener, &listener->sets[0]);
		atomic_fetch_sub(&in_use, 1);
	}
	pthread_mutex_unlock(&lock);
	return 1;
}

int *ff_listeners_holder(int descriptor)
{
	for (int i = 0; i < MAX_LISTENERS && ff_listeners_any(); i++) {
		if (!listeners[i].references)
			continue;
		if (listeners[i].channel == descriptor)
			return &listeners[i].channel;
		for (int k = 0; k < listeners[i].memberships; k++)
			if (listeners[i].sets[k].inner == descriptor)
				return &listeners[i].sets[k].inner;
	}
	return NULL;
}

void ff_listeners_in_child(void)
{
	static const pthread_mutex_t unlocked = PTHREAD_MUTEX_INITIALIZER;

	memcpy(&lock, &unlocked, sizeof(lock));
}
