#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SO_MAX_PACING_RATE
#define SO_MAX_PACING_RATE 47
#endif
#ifndef TCP_NOTSENT_LOWAT
#define TCP_NOTSENT_LOWAT 25
#endif
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif
#ifndef TCP_INQ
#define TCP_INQ 36
#endif
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#define SEND_BUFFER_LOCKED 1
#define RECEIVE_BUFFER_LOCKED 2

/* 44 at most: a mark has no more bits. */
static const struct {
	int level, name;
} options[] = {
	{ SOL_SOCKET, SO_LINGER }, { SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_OOBINLINE }, { SOL_SOCKET, SO_SNDBUF },
	{ SOL_SOCKET, SO_RCVBUF }, { SOL_SOCKET, SO_RCVLOWAT }, { SOL_SOCKET, SO_RCVTIMEO }, { SOL_SOCKET, SO_SNDTIMEO },
	{ SOL_SOCKET, SO_BROADCAST }, { SOL_SOCKET, SO_TIMESTAMP }, { SOL_SOCKET, SO_TIMESTAMPNS }, { SOL_SOCKET, SO_TIMESTAMPING },
	{ SOL_SOCKET, SO_ZEROCOPY }, { SOL_SOCKET, SO_BUSY_POLL }, { SOL_SOCKET, SO_MAX_PACING_RATE }, { SOL_SOCKET, SO_DONTROUTE },
	{ SOL_SOCKET, SO_REUSEADDR }, { SOL_SOCKET, SO_REUSEPORT },
	{ IPPROTO_TCP, TCP_NODELAY }, { IPPROTO_TCP, TCP_MAXSEG }, { IPPROTO_TCP, TCP_CORK }, { IPPROTO_TCP, TCP_KEEPIDLE },
	{ IPPROTO_TCP, TCP_KEEPINTVL }, { IPPROTO_TCP, TCP_KEEPCNT }, { IPPROTO_TCP, TCP_SYNCNT }, { IPPROTO_TCP, TCP_LINGER2 },
	{ IPPROTO_TCP, TCP_WINDOW_CLAMP }, { IPPROTO_TCP, TCP_QUICKACK }, { IPPROTO_TCP, TCP_CONGESTION },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT }, { IPPROTO_TCP, TCP_NOTSENT_LOWAT }, { IPPROTO_TCP, TCP_FASTOPEN_CONNECT },
	{ IPPROTO_TCP, TCP_INQ },
	{ IPPROTO_IP, IP_TOS }, { IPPROTO_IP, IP_TTL }, { IPPROTO_IP, IP_RECVTOS }, { IPPROTO_IP, IP_MTU_DISCOVER },
	{ IPPROTO_IP, IP_RECVERR },
	{ IPPROTO_IPV6, IPV6_TCLASS }, { IPPROTO_IPV6, IPV6_UNICAST_HOPS }, { IPPROTO_IPV6, IPV6_RECVERR },
	{ IPPROTO_IPV6, IPV6_RECVTCLASS }, { IPPROTO_IPV6, IPV6_RECVHOPLIMIT },
	{ SOL_SOCKET, SO_PRIORITY }, /* after IP_TOS, which changes it */
};

#define OPTIONS ((int)(sizeof(options) / sizeof(options[0])))
_Static_assert(sizeof(options) / sizeof(options[0]) <= 44, "a mark has room for 44 options");

#define LEVELS (IPPROTO_IPV6 + 1)
#define NAMES 80

/* An option's place in the table, and 1; 0 for none. Programs set options often. */
static unsigned char places[LEVELS][NAMES];

__attribute__((constructor)) static void index_options(void)
{
	for (int i = 0; i < OPTIONS; i++)
		places[options[i].level][options[i].name] = (unsigned char)(i + 1);
}

int ff_option_index(int level, int name)
{
	return level >= 0 && level < LEVELS && name >= 0 && name < NAMES ? places[level][name] - 1 : -1;
}

int ff_option_stays_with_listener(int index)
{
	/* It takes part in the handshake, which is over when the router accepts. */
	return options[index].level == IPPROTO_TCP && options[index].name == TCP_MAXSEG;
}

int ff_option_is_harmless(int level, int name)
{
	return (level == IPPROTO_IP && name == IP_BIND_ADDRESS_NO_PORT) || (level == IPPROTO_TCP && name == TCP_DEFER_ACCEPT) ||
	       (level == IPPROTO_IPV6 && name == IPV6_V6ONLY) ||
	       (level == IPPROTO_TCP && name == TCP_FASTOPEN) || (level == SOL_SOCKET && name == SO_INCOMING_CPU);
}

static int get(int descriptor, int index, void *value, socklen_t *length)
{
	return (int)ff_kernel(SYS_getsockopt, descriptor, options[index].level, options[index].name, value, length);
}

static void set(int descriptor, int index, const unsigned char *value, socklen_t length)
{
	int size;

	if (options[index].level == SOL_SOCKET && (options[index].name == SO_SNDBUF || options[index].name == SO_RCVBUF)) {
		/* The kernel doubles what it is given. */
		memcpy(&size, value, sizeof(size));
		size /= 2;
		ff_kernel(SYS_setsockopt, descriptor, SOL_SOCKET, options[index].name, &size, sizeof(size));
		return;
	}
	ff_kernel(SYS_setsockopt, descriptor, options[index].level, options[index].name, value, length);
}

/* A buffer's size that nobody has set is the kernel's to choose, connection by connection. */
static int is_chosen(int from, int index)
{
	int locks = 0;
	socklen_t length = sizeof(locks);

	if (options[index].level != SOL_SOCKET || (options[index].name != SO_SNDBUF && options[index].name != SO_RCVBUF))
		return 1;
	if (ff_kernel(SYS_getsockopt, from, SOL_SOCKET, SO_BUF_LOCK, &locks, &length) < 0)
		return 0;
	return locks & (options[index].name == SO_SNDBUF ? SEND_BUFFER_LOCKED : RECEIVE_BUFFER_LOCKED);
}

static void carry_differing(int from, int to, int index)
{
	unsigned char wanted[16], there[16];
	socklen_t length = sizeof(wanted), other = sizeof(there);

	if (get(from, index, wanted, &length) < 0 || !is_chosen(from, index))
		return;
	if (get(to, index, there, &other) == 0 && other == length && memcmp(wanted, there, length) == 0)
		return;
	set(to, index, wanted, length);
}

void ff_options_carry(int from, int to, uint64_t touched)
{
	unsigned char value[16];
	socklen_t length;
	int saved = errno;

	for (int i = 0; i < OPTIONS && touched; i++) {
		if (!(touched >> i & 1))
			continue;
		length = sizeof(value);
		if (touched == FF_ALL_OPTIONS)
			carry_differing(from, to, i);
		else if (get(from, i, value, &length) == 0)
			set(to, i, value, length);
	}
	errno = saved;
}

/* What says something else of a connection than of a listener. */
static int is_of_a_connection(int index)
{
	int name = options[index].name;

	return options[index].level == IPPROTO_TCP && (name == TCP_MAXSEG || name == TCP_WINDOW_CLAMP || name == TCP_QUICKACK);
}

static int differs(int from, int beside, int index)
{
	unsigned char wanted[16], there[16];
	socklen_t length = sizeof(wanted), other = sizeof(there);

	if (!is_chosen(from, index) || get(from, index, wanted, &length) < 0)
		return 0;
	return get(beside, index, there, &other) < 0 || length != other || memcmp(wanted, there, length) != 0;
}

/* A connection's priority is not its listener's but none, whatever IP_TOS has just made of it. */
static void add_priority(struct ff_option_set *into)
{
	int count = into->count, none = 0;

	for (int i = 0; i < count; i++) {
		if (options[into->items[i].index].level != IPPROTO_IP || options[into->items[i].index].name != IP_TOS)
			continue;
		into->items[count].index = ff_option_index(SOL_SOCKET, SO_PRIORITY);
		into->items[count].length = sizeof(none);
		memcpy(into->items[count].value, &none, sizeof(none));
		into->count++;
		return;
	}
}

void ff_options_read(int from, uint64_t touched, int beside, struct ff_option_set *into)
{
	int saved = errno;

	into->count = 0;
	for (int i = 0; i < OPTIONS && into->count < (int)(sizeof(into->items) / sizeof(into->items[0])) - 1; i++) {
		socklen_t length = sizeof(into->items[0].value);

		/* The router's own listener lingers for no time, so that what is never accepted is reset: always set. */
		if (options[i].level == SOL_SOCKET && options[i].name == SO_PRIORITY)
			continue;
		if (!(touched >> i & 1) && (options[i].level != SOL_SOCKET || options[i].name != SO_LINGER))
			continue;
		if (is_of_a_connection(i) ? touched == FF_ALL_OPTIONS : !differs(from, beside, i))
			continue;
		if (get(from, i, into->items[into->count].value, &length) < 0)
			continue;
		into->items[into->count].index = i;
		into->items[into->count++].length = length;
	}
	add_priority(into);
	errno = saved;
}

void ff_options_give(const struct ff_option_set *set_of, int to)
{
	int saved = errno;

	for (int i = 0; i < set_of->count; i++)
		set(to, set_of->items[i].index, set_of->items[i].value, set_of->items[i].length);
	errno = saved;
}
