/* Whose ends a connection has: the virtual addresses, wherever the descriptor has come from. */
#define _GNU_SOURCE
#include "addresses.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../kernel.h"
#include "../marks.h"
#include "../prefixes.h"
#include "../protocol.h"
#include "../real.h"

/* Both ends as the router has written them to a host socket; 0 when this is none. */
static int ends_of(int descriptor, int is_ipv6, struct ff_address *local, struct ff_address *peer)
{
	struct ff_ends ends = { 0 };
	socklen_t length = sizeof(ends);

	if (ff_kernel(SYS_getsockopt, descriptor, IPPROTO_TCP, FF_ENDS_OPTION, &ends, &length) < 0 || length != sizeof(ends) ||
	    ends.mark != FF_ENDS_MARK)
		return 0;
	*local = (struct ff_address){ ends.local, ends.local_port, is_ipv6 };
	*peer = (struct ff_address){ ends.peer, ends.peer_port, is_ipv6 };
	return 1;
}

/* Puts the virtual address in the place of the host's, where the kernel's answer is one of a host socket. */
static __attribute__((noinline)) void correct(int descriptor, struct sockaddr *into, socklen_t *length, socklen_t room, int is_peer)
{
	struct ff_address local, peer;
	int saved = errno;

	if (ends_of(descriptor, into->sa_family == AF_INET6, &local, &peer)) {
		*length = room;
		ff_address_write(is_peer ? &peer : &local, into, length);
	}
	errno = saved;
}

/* The host's own addresses, which stand in the place of virtual ones, are of the internet and none of the loopback's. */
static inline int may_be_a_hosts(const struct sockaddr *address, socklen_t room)
{
	if (address->sa_family != AF_INET)
		return address->sa_family == AF_INET6;
	return room < sizeof(struct sockaddr_in) || *(const unsigned char *)&((const struct sockaddr_in *)address)->sin_addr != 127;
}

static inline int answer(int (*real)(int, struct sockaddr *, socklen_t *), int descriptor, struct sockaddr *into, socklen_t *length, int is_peer)
{
	socklen_t room = (uintptr_t)length >= 4096 ? *length : 0;
	int result = real(descriptor, into, length);

	if (result == 0 && room >= sizeof(into->sa_family) && into && may_be_a_hosts(into, room))
		correct(descriptor, into, length, room, is_peer);
	return result;
}

/* Nothing of ours for certain: made here, and not connected, or plainly. */
static inline int is_plain(int descriptor)
{
	enum ff_mark_kind kind = FF_MARK_KIND(ff_mark(descriptor));

	return !ff_prefixes_any() || kind == FF_MARK_FRESH || kind == FF_MARK_OTHER;
}

int ff_own_name(int descriptor, struct sockaddr *into, socklen_t *length)
{
	if (is_plain(descriptor))
		return ff_real()->getsockname(descriptor, into, length);
	return answer(ff_real()->getsockname, descriptor, into, length, 0);
}

FF_EXPORT int getsockname(int descriptor, struct sockaddr *into, socklen_t *length)
{
	return ff_own_name(descriptor, into, length);
}

FF_EXPORT int getpeername(int descriptor, struct sockaddr *into, socklen_t *length)
{
	if (is_plain(descriptor))
		return ff_real()->getpeername(descriptor, into, length);
	return answer(ff_real()->getpeername, descriptor, into, length, 1);
}
