#define _GNU_SOURCE
#include "listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "descriptors.h"
#include "handovers.h"
#include "kernel.h"
#include "listener_sets.h"
#include "log.h"
#include "marks.h"
#include "options.h"
#include "real.h"
#include "routes.h"

#define MAX_LISTENERS 512
#define OTHERS_TURN 8 /* every so many connections */
#define CLOSE_TO_LIMIT 64
#define UNTIL_LISTEN (LONG_MAX - 1)
#define INHERITED_DESCRIPTORS 1024
#define FIRST_PAUSE_SECONDS 1
#define LONGEST_PAUSE_SECONDS 16

static struct ff_listener listeners[MAX_LISTENERS];
static atomic_int in_use;
static atomic_int last_number; /* of a descriptor that was received */
static uint32_t forks;
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

/* Whether connections over IPv4 that are not the loopback's can reach it. */
static int is_reachable(int descriptor, int *is_ipv6)
{
	struct sockaddr_storage own;
	struct ff_address address;
	socklen_t length = sizeof(own), size = sizeof(int);
	int only_ipv6 = 0;

	if (ff_kernel(SYS_getsockname, descriptor, &own, &length) < 0)
		return 0;
	*is_ipv6 = own.ss_family == AF_INET6;
	if (*is_ipv6 && IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)&own)->sin6_addr)) {
		ff_kernel(SYS_getsockopt, descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, &size);
		return !only_ipv6;
	}
	return ff_address_read((struct sockaddr *)&own, length, &address) && !ff_address_is_loopback(address.address);
}

static int is_tcp(int descriptor)
{
	int protocol = 0;
	socklen_t length = sizeof(protocol);

	return ff_kernel(SYS_getsockopt, descriptor, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == IPPROTO_TCP;
}

static void ask(struct ff_listener *listener, int descriptor)
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
	ff_listener_join_all(listener, descriptor);
}

static const char *cannot_serve(const struct ff_listener *listener)
{
	for (int i = 0; i < 44; i++)
		if (listener->touched != FF_ALL_OPTIONS && listener->touched >> i & 1 && ff_option_stays_with_listener(i))
			return "it has an option that only the kernel's own connections have";
	return NULL;
}

/* Tells the router something of a listener that has a channel. */
static void note(const struct ff_listener *listener, enum ff_listener_note_type type, uint32_t value)
{
	struct ff_listener_note said = { .type = type, .value = value };

	if (listener->channel >= 0)
		(void)ff_kernel(SYS_sendto, listener->channel, &said, sizeof(said), MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
}

static void give_up(struct ff_listener *listener, const char *why)
{
	if (listener->not_before == FF_NEVER)
		return;
	note(listener, FF_LISTENER_ENDS, 0);
	ff_debug("a listener's connections are plain: %s", why);
	ff_listener_drop_channel(listener);
	listener->not_before = FF_NEVER;
}

static int make(int descriptor, int backlog, int is_ipv6, uint64_t touched)
{
	for (int i = 0; i < MAX_LISTENERS; i++) {
		struct ff_listener *listener = &listeners[i];

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

	if (!ff_prefixes_any() || !is_tcp(descriptor) || !is_reachable(descriptor, &is_ipv6)) {
		errno = saved;
		return;
	}
	pthread_mutex_lock(&lock);
	if (index >= 0)
		note(&listeners[index], FF_LISTENER_BACKLOG, (uint32_t)(backlog < 0 ? 0 : backlog));
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

		if (ff_kernel(SYS_getsockopt, at, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) == 0 && accepts && is_tcp(at) &&
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
	struct ff_listener *listener = &listeners[index];
	int saved = errno;

	pthread_mutex_lock(&lock);
	note(listener, FF_LISTENER_ENDS, 0);
	ff_listener_drop_channel(listener);
	/* Until it listens again. */
	if (listener->not_before != FF_NEVER)
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
	struct ff_listener *listener = &listeners[index];
	int saved = errno;

	if (listener->channel >= 0 && listener->waits)
		return listener->channel;
	pthread_mutex_lock(&lock);
	listener->wanted = 1;
	if (listener->channel < 0 && ff_descriptors_are_own())
		ask(listener, descriptor);
	if (listener->channel >= 0 && !listener->waits) {
		listener->waits = 1;
		note(listener, FF_LISTENER_WAITS, 0);
	}
	pthread_mutex_unlock(&lock);
	errno = saved;
	return listener->channel;
}

int ff_listener_channel_if_wanted(int index, int descriptor)
{
	return listeners[index].wanted ? ff_listener_channel(index, descriptor) : listeners[index].channel;
}

void ff_listener_lost(int index)
{
	pthread_mutex_lock(&lock);
	if (listeners[index].channel >= 0)
		ff_debug("a listener's connections are plain until its router is back");
	ff_listener_drop_channel(&listeners[index]);
	if (listeners[index].not_before < UNTIL_LISTEN)
		listeners[index].not_before = now_seconds() + FIRST_PAUSE_SECONDS;
	pthread_mutex_unlock(&lock);
}

int ff_listener_prefers_kernel(int index)
{
	int is_others_turn = ++listeners[index].turns % OTHERS_TURN == 0;

	return listeners[index].last == FF_QUEUE_KERNELS ? !is_others_turn : is_others_turn;
}

void ff_listener_accepted(int index, enum ff_queue from)
{
	if (listeners[index].last != from)
		listeners[index].last = from;
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
static void inherit(struct ff_listener *listener, int descriptor, int connection)
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
	spare = (int)ff_kernel(SYS_fcntl, channel, F_DUPFD_CLOEXEC, 0);
	if (spare < 0)
		return 0;
	ff_kernel(SYS_close, spare);
	return 1;
}

/* Cheaper than to receive, which has to look for room first. What is there may be the router's end, too. */
static int is_empty(int channel)
{
	char nothing;

	return ff_kernel(SYS_recvfrom, channel, &nothing, 0L, MSG_PEEK | MSG_DONTWAIT, NULL, NULL) < 0 && errno == EAGAIN;
}

int ff_listener_accept(int index, int descriptor, int flags, struct ff_address *peer)
{
	struct ff_listener *listener = &listeners[index];
	int channel = listener->channel, connection = -1;
	struct ff_delivery delivery;
	union {
		struct cmsghdr head;
		unsigned char bytes[CMSG_SPACE(sizeof(int))];
	} bytes;
	struct iovec vector = { .iov_base = &delivery, .iov_len = sizeof(delivery) };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &bytes, .msg_controllen = sizeof(bytes) };
	ssize_t got;

	if (channel < 0 || (listener->last == FF_QUEUE_KERNELS && is_empty(channel))) {
		errno = EAGAIN;
		return -1;
	}
	if (!has_room(channel)) {
		errno = EMFILE;
		return -1;
	}
	got = ff_kernel(SYS_recvmsg, channel, &message, MSG_DONTWAIT | (flags & SOCK_CLOEXEC ? MSG_CMSG_CLOEXEC : 0));
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
			ff_kernel(SYS_close, connection);
		errno = ECONNABORTED;
		return -1;
	}
	ff_handover_await(delivery.handover);
	if (flags & SOCK_NONBLOCK)
		ff_kernel(SYS_fcntl, connection, F_SETFL, O_RDWR | O_NONBLOCK);
	inherit(listener, descriptor, connection);
	peer->address = delivery.peer;
	peer->port = delivery.peer_port;
	peer->is_ipv6 = listener->is_ipv6;
	ff_mark_made(connection, FF_MARK_NONE);
	atomic_store_explicit(&last_number, connection, memory_order_relaxed);
	return connection;
}

int ff_listener_epoll(int index, int descriptor, int set, int operation, struct epoll_event *event)
{
	int result;

	if (operation != EPOLL_CTL_DEL && event && event->events & (EPOLLIN | EPOLLRDNORM))
		(void)ff_listener_channel(index, descriptor);
	pthread_mutex_lock(&lock);
	result = ff_listener_control(&listeners[index], descriptor, set, operation, event);
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
	struct ff_listener *listener = &listeners[index];

	if (!ff_descriptors_are_own() && listener->channel >= 0)
		return 0;
	pthread_mutex_lock(&lock);
	if (--listener->references == 0) {
		note(listener, FF_LISTENER_CLOSES, 0);
		ff_listener_leave_all(listener);
		ff_listener_drop_channel(listener);
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
	forks++;
}

uint32_t ff_listeners_forks(void)
{
	return forks;
}
