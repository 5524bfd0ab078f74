/* Whose ends a connection has: the virtual addresses, wherever the descriptor has come from. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../marks.h"
#include "../prefixes.h"
#include "../protocol.h"
#include "../real.h"

/* Both ends as the router has written them to a host socket; 0 when this is none. */
static int ends_of(int descriptor, int is_ipv6, struct ff_address *local, struct ff_address *peer)
{
	struct ff_ends ends = { 0 };
	socklen_t length = sizeof(ends);

	if (syscall(SYS_getsockopt, descriptor, IPPROTO_TCP, FF_ENDS_OPTION, &ends, &length) < 0 || length != sizeof(ends) ||
	    ends.mark != FF_ENDS_MARK)
		return 0;
	*local = (struct ff_address){ ends.local, ends.local_port, is_ipv6 };
	*peer = (struct ff_address){ ends.peer, ends.peer_port, is_ipv6 };
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
