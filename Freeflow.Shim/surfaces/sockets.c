/* Sockets before they are connected, and connect(): plain, or over a host socket that takes their place. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../kernel.h"
#include "../listeners.h"
#include "../log.h"
#include "../marks.h"
#include "../options.h"
#include "../prefixes.h"
#include "../real.h"
#include "../routes.h"
#include "addresses.h"
#include "epoll_sets.h"
#include "uverbs.h"

#define LATE_SECONDS 1 /* a connect that failed after so long has had its try */

FF_EXPORT int socket(int family, int type, int protocol)
{
	int made;

	if (ff_uverbs_hides(family, protocol)) {
		errno = EPROTONOSUPPORT;
		return -1;
	}
	made = ff_real()->socket(family, type, protocol);
	if (made < 0 || !ff_prefixes_any())
		return made;
	if ((family == AF_INET || family == AF_INET6) && (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM &&
	    (protocol == 0 || protocol == IPPROTO_TCP))
		ff_mark_made(made, FF_MARK_FRESH | (family == AF_INET6 ? FF_MARK_IPV6 : 0) | (uint64_t)ff_mark_forks() << 12);
	else
		ff_mark_made(made, FF_MARK_NONE);
	return made;
}

FF_EXPORT int bind(int descriptor, const struct sockaddr *address, socklen_t length)
{
	struct ff_address read;
	int result;

	if (FF_MARK_KIND(ff_mark(descriptor)) == FF_MARK_FLOW && ff_address_read(address, length, &read)) {
		/* It has an address; the host does not know the one that is asked for. */
		errno = EINVAL;
		return -1;
	}
	result = ff_real()->bind(descriptor, address, length);
	if (result == 0)
		ff_mark_add(descriptor, FF_MARK_FRESH, FF_MARK_BOUND);
	return result;
}

static __attribute__((noinline)) int set_and_remember(int descriptor, int level, int name, const void *value, socklen_t length)
{
	int result = ff_real()->setsockopt(descriptor, level, name, value, length);
	enum ff_mark_kind kind = FF_MARK_KIND(ff_mark(descriptor));
	int index;

	if (result < 0)
		return result;
	index = ff_option_index(level, name);
	if (kind == FF_MARK_LISTENER) {
		if (index >= 0)
			ff_listener_touched((int)FF_MARK_INDEX(ff_mark(descriptor)), index);
		else if (!ff_option_is_harmless(level, name))
			ff_listener_gives_up((int)FF_MARK_INDEX(ff_mark(descriptor)), "it has an option that can't be carried over");
	} else if (index >= 0) {
		ff_mark_add(descriptor, FF_MARK_FRESH, FF_MARK_OPTION(index));
	} else if (!ff_option_is_harmless(level, name)) {
		ff_mark_add(descriptor, FF_MARK_FRESH, FF_MARK_ODD);
	}
	return result;
}

FF_EXPORT int setsockopt(int descriptor, int level, int name, const void *value, socklen_t length)
{
	enum ff_mark_kind kind = FF_MARK_KIND(ff_mark(descriptor));

	if (kind == FF_MARK_FRESH || kind == FF_MARK_LISTENER)
		return set_and_remember(descriptor, level, name, value, length);
	return ff_real()->setsockopt(descriptor, level, name, value, length);
}

static int option(int descriptor, int level, int name)
{
	int value = 0;
	socklen_t length = sizeof(value);

	return ff_kernel(SYS_getsockopt, descriptor, level, name, &value, &length) < 0 ? -1 : value;
}

static int tcp_state(int descriptor)
{
	unsigned char state = 0; /* the first byte of struct tcp_info */
	socklen_t length = sizeof(state);

	return ff_kernel(SYS_getsockopt, descriptor, IPPROTO_TCP, TCP_INFO, &state, &length) < 0 ? -1 : state;
}

/* Puts another socket in a descriptor's place, in the epoll sets too. The other's own number is closed. */
static int put_in_place(int descriptor, int other, struct ff_epoll_sets *sets)
{
	int flags = (int)ff_kernel(SYS_fcntl, descriptor, F_GETFD, 0);

	ff_epoll_sets_leave(sets, descriptor);
	if (ff_kernel(SYS_dup3, other, descriptor, flags & FD_CLOEXEC ? O_CLOEXEC : 0) < 0)
		return -1;
	ff_kernel(SYS_close, other);
	ff_epoll_sets_enter(sets, descriptor);
	return 0;
}

/* A socket of the container's own again: the application reuses the descriptor of a connection for another. */
static int renew(int descriptor)
{
	struct ff_epoll_sets sets;
	int family = option(descriptor, SOL_SOCKET, SO_DOMAIN);
	int flags = (int)ff_kernel(SYS_fcntl, descriptor, F_GETFL, 0);
	int made = (int)ff_kernel(SYS_socket, family, SOCK_STREAM | SOCK_CLOEXEC | (flags & O_NONBLOCK ? SOCK_NONBLOCK : 0), 0);

	if (made < 0)
		return -1;
	ff_options_carry(descriptor, made, FF_ALL_OPTIONS);
	ff_epoll_sets_find(&sets, descriptor);
	ff_mark_closing(descriptor);
	return put_in_place(descriptor, made, &sets);
}

/* connect(AF_UNSPEC): a fresh socket, which keeps its port as the kernel has it. */
static int disconnect(int descriptor, uint64_t mark)
{
	struct sockaddr_storage own;
	struct ff_address any = { .is_ipv6 = !!(mark & FF_MARK_IPV6) }, before;
	socklen_t length = sizeof(own);

	if (ff_own_name(descriptor, (struct sockaddr *)&own, &length) == 0 && ff_address_read((struct sockaddr *)&own, length, &before))
		any.port = before.port;
	if (renew(descriptor) < 0)
		return -1;
	length = sizeof(own);
	ff_address_write(&any, (struct sockaddr *)&own, &length);
	if (any.is_ipv6)
		memset(&((struct sockaddr_in6 *)&own)->sin6_addr, 0, sizeof(struct in6_addr));
	(void)ff_real()->bind(descriptor, (struct sockaddr *)&own, length);
	return 0;
}

/* connect() on a connection of ours: the kernel's answer, unless it would begin anew. */
static int connect_again(int descriptor, uint64_t mark)
{
	/* Nobody can be connected to there; a socket that is connecting or connected does not look at it. */
	struct sockaddr_in nowhere = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xe0000001) };
	struct sockaddr_in6 nowhere_mapped = { .sin6_family = AF_INET6 };
	int result;

	nowhere_mapped.sin6_addr.s6_addr[10] = nowhere_mapped.sin6_addr.s6_addr[11] = 0xff;
	memcpy(nowhere_mapped.sin6_addr.s6_addr + 12, &nowhere.sin_addr, 4);
	nowhere.sin_port = nowhere_mapped.sin6_port = htons(9);
	if (mark & FF_MARK_IPV6)
		result = ff_real()->connect(descriptor, (struct sockaddr *)&nowhere_mapped, sizeof(nowhere_mapped));
	else
		result = ff_real()->connect(descriptor, (struct sockaddr *)&nowhere, sizeof(nowhere));
	if (result < 0 && (errno == ENETUNREACH || errno == EACCES) && tcp_state(descriptor) == TCP_CLOSE)
		return renew(descriptor) < 0 ? -1 : 1;
	return result < 0 ? -1 : 0;
}

/* What the mark does not tell of a socket that this process did not make. */
static uint64_t look_at(int descriptor, int is_ipv6)
{
	if (option(descriptor, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP || option(descriptor, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
	    tcp_state(descriptor) != TCP_CLOSE || option(descriptor, SOL_SOCKET, SO_LOCK_FILTER) != 0)
		return FF_MARK_NONE;
	return FF_MARK_FRESH | FF_MARK_BOUND | FF_MARK_IN_EPOLL | (uint64_t)ff_mark_forks() << 12 | (is_ipv6 ? FF_MARK_IPV6 : 0) |
	       ~0ull << 20;
}

/* The address that a socket is bound to; 0 when to none. */
static int bound_address(int descriptor, uint64_t mark, struct ff_address *into)
{
	struct sockaddr_storage own;
	socklen_t length = sizeof(own);

	if (!(mark & FF_MARK_BOUND) || ff_kernel(SYS_getsockname, descriptor, &own, &length) < 0)
		return 0;
	if (!ff_address_read((struct sockaddr *)&own, length, into)) {
		/* [::], with a port or without. */
		into->address = 0;
		into->port = ntohs(((struct sockaddr_in6 *)&own)->sin6_port);
		into->is_ipv6 = 1;
	}
	return into->address || into->port;
}

static enum ff_reason carrier_for(int descriptor, uint64_t mark, const struct ff_address *to, struct ff_carrier *carrier)
{
	struct ff_address bound;

	if (mark & FF_MARK_SHARED || FF_MARK_FORKS(mark) != ff_mark_forks())
		return FF_REASON_SHARED;
	if (mark & FF_MARK_ODD)
		return FF_REASON_OPTION;
	return ff_routes_take(to, bound_address(descriptor, mark, &bound) ? &bound : NULL, carrier);
}

/* What connect() on a host socket says in the first moment when there is nobody, or no way: the overlay may know better. */
static int is_prompt_failure(int error, time_t began)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec - began <= LATE_SECONDS && error != EINPROGRESS && error != EINTR && error != EALREADY && error != EISCONN;
}

static void carry_owner(int from, int to)
{
	struct f_owner_ex owner;

	if (ff_kernel(SYS_fcntl, from, F_GETOWN_EX, &owner) == 0)
		ff_kernel(SYS_fcntl, to, F_SETOWN_EX, &owner);
	ff_kernel(SYS_fcntl, to, F_SETSIG, ff_kernel(SYS_fcntl, from, F_GETSIG, 0));
}

/*
 * The carrier is connected first and takes the descriptor's place then: what fails at once can still go plain. 1 when it
 * has to.
 */
static int connect_over(int descriptor, uint64_t mark, const struct ff_address *to, struct ff_carrier *carrier)
{
	struct ff_epoll_sets sets = { 0 };
	struct sockaddr_storage endpoint;
	struct timespec began;
	socklen_t length = sizeof(endpoint);
	int flags = (int)ff_kernel(SYS_fcntl, descriptor, F_GETFL, 0), result, saved;
	uint64_t touched = FF_MARK_OPTIONS(mark) == FF_MARK_OPTIONS(~0ull) ? FF_ALL_OPTIONS : FF_MARK_OPTIONS(mark);

	if (mark & FF_MARK_OWNED)
		carry_owner(descriptor, carrier->socket);
	if (flags & (O_NONBLOCK | O_ASYNC))
		ff_kernel(SYS_fcntl, carrier->socket, F_SETFL, flags);
	if (touched)
		ff_options_carry(descriptor, carrier->socket, touched);
	clock_gettime(CLOCK_MONOTONIC_COARSE, &began);
	ff_address_write(&carrier->endpoint, (struct sockaddr *)&endpoint, &length);
	result = ff_real()->connect(carrier->socket, (struct sockaddr *)&endpoint, length);
	saved = errno;
	if (result < 0 && is_prompt_failure(saved, began.tv_sec)) {
		ff_routes_give_back(carrier);
		ff_debug("the endpoint of %u: %s", carrier->endpoint.port, strerror(saved));
		ff_routes_plain(to, FF_REASON_REFUSED);
		return 1;
	}
	if (result == 0 || saved == EINPROGRESS || saved == EINTR) {
		if (mark & FF_MARK_IN_EPOLL)
			ff_epoll_sets_find(&sets, descriptor);
		if (put_in_place(descriptor, carrier->socket, &sets) == 0)
			ff_mark_set(descriptor, ff_routes_flow(carrier));
	} else {
		ff_routes_give_back(carrier);
	}
	errno = saved;
	return result;
}

/*
 * What a socket that connects, or has begun to, does from then on, and in which state that leaves it, is between it and the
 * kernel. After a call that has failed it is as it was.
 */
static int connect_plainly(int descriptor, const struct sockaddr *address, socklen_t length)
{
	int result = ff_real()->connect(descriptor, address, length);

	if (FF_MARK_KIND(ff_mark(descriptor)) == FF_MARK_FRESH && (result == 0 || errno == EINPROGRESS || errno == EINTR))
		ff_mark_set(descriptor, FF_MARK_OTHER);
	return result;
}

FF_EXPORT int connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
	uint64_t mark = ff_mark(descriptor);
	struct ff_carrier carrier;
	struct ff_address to;
	enum ff_reason reason;
	int result;

	if (FF_MARK_KIND(mark) == FF_MARK_FLOW && (uintptr_t)address >= 4096 && length >= sizeof(address->sa_family)) {
		if (address->sa_family == AF_UNSPEC)
			return disconnect(descriptor, mark);
		result = connect_again(descriptor, mark);
		if (result <= 0)
			return result;
		mark = FF_MARK_NONE;
	}
	if (!ff_prefixes_any() || !ff_address_read(address, length, &to) || !ff_prefixes_contain(to.address) || to.port == 0 ||
	    ff_address_is_loopback(to.address))
		return connect_plainly(descriptor, address, length);
	if (FF_MARK_KIND(mark) == FF_MARK_FRESH && (reason = ff_routes_known_plain(&to)) != FF_REASON_NONE) {
		ff_routes_plain(&to, reason);
		return connect_plainly(descriptor, address, length);
	}
	if (FF_MARK_KIND(mark) == FF_MARK_NONE)
		mark = look_at(descriptor, to.is_ipv6);
	/*
	 * An IPv4 address on an AF_INET6 socket, or the reverse, is the kernel's to refuse; and what another library has made look
	 * like a socket is that library's.
	 */
	if (FF_MARK_KIND(mark) != FF_MARK_FRESH || option(descriptor, SOL_SOCKET, SO_TYPE) != SOCK_STREAM || !(mark & FF_MARK_IPV6) != !to.is_ipv6 ||
	    (to.is_ipv6 && option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY) != 0))
		return connect_plainly(descriptor, address, length);
	reason = carrier_for(descriptor, mark, &to, &carrier);
	if (reason == FF_REASON_NONE) {
		result = connect_over(descriptor, mark, &to, &carrier);
		if (result <= 0)
			return result;
	} else {
		ff_routes_plain(&to, reason);
	}
	return connect_plainly(descriptor, address, length);
}
