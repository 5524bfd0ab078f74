/* Whose ends a connection has: the virtual addresses, wherever the descriptor has come from. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../marks.h"
#include "../prefixes.h"
#include "../protocol.h"
#include "../real.h"

#define LARGEST_FILTER 32

/* Both ends as they are written behind the locked filter of a host socket; 0 when this is none. */
static int ends_of(int descriptor, int is_ipv6, struct ff_address *local, struct ff_address *peer)
{
	struct sock_filter filter[LARGEST_FILTER];
	int locked = 0;
	socklen_t length = sizeof(locked);
	const struct sock_filter *tail;

	if (syscall(SYS_getsockopt, descriptor, SOL_SOCKET, SO_LOCK_FILTER, &locked, &length) < 0 || !locked)
		return 0;
	length = LARGEST_FILTER;
	if (syscall(SYS_getsockopt, descriptor, SOL_SOCKET, SO_GET_FILTER, filter, &length) < 0 || length < FF_FILTER_TAIL ||
	    length > LARGEST_FILTER)
		return 0;
	tail = &filter[length - FF_FILTER_TAIL];
	if (tail[0].k != FF_FILTER_MARK)
		return 0;
	local->address = htonl(tail[1].k);
	peer->address = htonl(tail[2].k);
	local->port = (uint16_t)(tail[3].k >> 16);
	peer->port = (uint16_t)tail[3].k;
	local->is_ipv6 = peer->is_ipv6 = is_ipv6;
	return 1;
}

/* The kernel's answer, with the virtual address in the place of the host's. */
static int answer(int (*real)(int, struct sockaddr *, socklen_t *), int descriptor, struct sockaddr *into, socklen_t *length, int is_peer)
{
	struct ff_address local, peer;
	socklen_t room = 0;
	int saved = errno, result;

	if ((uintptr_t)length >= 4096)
		room = *length;
	result = real(descriptor, into, length);
	if (result < 0 || !ff_prefixes_any() || !into || FF_MARK_KIND(ff_mark(descriptor)) == FF_MARK_FRESH || room < sizeof(into->sa_family) ||
	    (into->sa_family != AF_INET && into->sa_family != AF_INET6))
		return result;
	/* The host's own addresses, which stand in the place of virtual ones, are none of the loopback's. */
	if (ff_address_read(into, *length < room ? *length : room, &local) && ff_address_is_loopback(local.address))
		return result;
	if (ends_of(descriptor, into->sa_family == AF_INET6, &local, &peer)) {
		*length = room;
		ff_address_write(is_peer ? &peer : &local, into, length);
	}
	errno = saved;
	return result;
}

FF_EXPORT int getsockname(int descriptor, struct sockaddr *into, socklen_t *length)
{
	return answer(ff_real()->getsockname, descriptor, into, length, 0);
}

FF_EXPORT int getpeername(int descriptor, struct sockaddr *into, socklen_t *length)
{
	return answer(ff_real()->getpeername, descriptor, into, length, 1);
}
