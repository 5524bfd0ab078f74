#define _GNU_SOURCE
#include "routes.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "kernel.h"
#include "log.h"
#include "marks.h"
#include "session.h"
#include "stock.h"

#define LARGEST_STOCK 128    /* of the process */
#define WANT_MILLISECONDS 50
#define BUCKETS 2048         /* a power of two, twice the routes */
#define STALE_MILLISECONDS 10000
#define HEARD_MILLISECONDS 50
#define SAMPLES 8            /* that are told together */
#define NOT_LEARNT 0xffffu   /* in a mark, for a route */

struct route {
	uint32_t destination, port, source;
	uint32_t generation;         /* of what is in stock */
	struct ff_address endpoint;
	int is_ipv6, is_here;        /* of what is in stock */
	long filled;                 /* when something was put there last */
	struct ff_stock stock;
	int learns;
	uint64_t sample_bytes;       /* of the connections that have ended and were not yet told of: the most of one */
	uint32_t sample_milliseconds, samples;
};

static struct route routes[FF_MAX_ROUTES];
static uint16_t buckets[BUCKETS]; /* route + 1 */
static int used, in_stock;
static uint32_t next_victim;
static uint32_t session; /* that all of this belongs to */
static long last_heard;  /* that its router is there, milliseconds */

static void tell_dropped(uint32_t number)
{
	struct ff_note note = { .type = FF_NOTE_DROP, .route = FF_NO_ROUTE, .socket = number };

	(void)ff_session_send(&note);
}

/* Throws away what is in stock. The router is told, unless it is another one by now. */
static void empty(struct route *route, int telling)
{
	uint32_t number;

	while (route->stock.count > 0) {
		ff_unprotect_and_close(ff_stock_take(&route->stock, &number));
		in_stock--;
		if (telling)
			tell_dropped(number);
	}
}

static void forget_all(void)
{
	for (int i = 0; i < used; i++)
		empty(&routes[i], 0);
	memset(buckets, 0, sizeof(buckets));
	memset(routes, 0, sizeof(routes[0]) * (size_t)used);
	used = in_stock = 0;
	next_victim = 0;
	last_heard = 0;
}

static uint32_t hash(uint32_t destination, uint32_t port)
{
	return (destination * 2654435761u ^ port * 40503u) >> 8;
}

static struct route *find(uint32_t destination, uint32_t port)
{
	for (uint32_t at = hash(destination, port);; at++) {
		uint16_t entry = buckets[at & (BUCKETS - 1)];

		if (!entry)
			return NULL;
		if (routes[entry - 1].destination == destination && routes[entry - 1].port == port)
			return &routes[entry - 1];
	}
}

static void index_all(void)
{
	memset(buckets, 0, sizeof(buckets));
	for (int i = 0; i < used; i++) {
		uint32_t at = hash(routes[i].destination, routes[i].port);

		while (buckets[at & (BUCKETS - 1)])
			at++;
		buckets[at & (BUCKETS - 1)] = (uint16_t)(i + 1);
	}
}

/* The address that the kernel would connect from; 0 when it would not. */
static uint32_t source_for(uint32_t destination)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = destination }, own = { 0 };
	socklen_t length = sizeof(own);
	int probe = (int)ff_kernel(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (probe < 0)
		return 0;
	if (ff_kernel(SYS_connect, probe, &to, sizeof(to)) < 0 || ff_kernel(SYS_getsockname, probe, &own, &length) < 0)
		own.sin_addr.s_addr = 0;
	ff_kernel(SYS_close, probe);
	return own.sin_addr.s_addr;
}

/* Asks for a destination that is met for the first time. */
static struct route *resolve(const struct ff_address *to, enum ff_reason *reason)
{
	struct ff_resolve request = { .destination = to->address, .port = to->port, .replace = FF_NO_ROUTE };
	struct ff_resolved answer;
	struct ff_reply reply;
	struct route *route;

	request.source = source_for(to->address);
	if (used == (int)FF_MAX_ROUTES) {
		request.replace = next_victim++ % FF_MAX_ROUTES;
		empty(&routes[request.replace], 1);
	}
	*reason = FF_REASON_SLOW;
	if (ff_session_call(FF_RESOLVE, &request, sizeof(request), NULL, 0, &reply) < 0)
		return NULL;
	ff_reply_close(&reply, 0);
	if (reply.error || reply.length != sizeof(answer))
		return NULL;
	memcpy(&answer, reply.payload, sizeof(answer));
	if (answer.route != (request.replace == FF_NO_ROUTE ? (uint32_t)used : request.replace))
		return NULL;
	if (request.replace == FF_NO_ROUTE)
		used++;
	route = &routes[answer.route];
	memset(route, 0, sizeof(*route));
	route->destination = to->address;
	route->port = to->port;
	route->source = request.source;
	route->learns = !!(answer.flags & FF_ROUTE_LEARNS);
	index_all();
	return route;
}

static int stock_limit(void)
{
	int limit = ff_descriptor_limit_lately() / 8;

	return limit < LARGEST_STOCK ? limit : LARGEST_STOCK;
}

static void put_in_stock(const struct ff_sockets *lot, const int *sockets, int count)
{
	struct route *route = lot->route < (uint32_t)used ? &routes[lot->route] : NULL;
	int room = stock_limit() - in_stock;

	if (route && (route->generation != lot->generation || route->is_ipv6 != !!(lot->flags & FF_NOTE_IPV6))) {
		empty(route, 1);
		route->generation = lot->generation;
		route->is_ipv6 = !!(lot->flags & FF_NOTE_IPV6);
	}
	for (int i = 0; i < count; i++) {
		if (!route || route->stock.count == FF_STOCK || room-- <= 0) {
			ff_kernel(SYS_close, sockets[i]);
			tell_dropped(lot->numbers[i]);
			continue;
		}
		route->is_here = !!(lot->flags & FF_NOTE_HERE);
		route->endpoint.address = lot->endpoint;
		route->endpoint.port = (uint16_t)lot->endpoint_port;
		route->endpoint.is_ipv6 = route->is_ipv6;
		route->filled = ff_milliseconds_coarse();
		ff_stock_put(&route->stock, sockets[i], lot->numbers[i]);
		in_stock++;
	}
}

/* One socket that is made for this connection alone. */
static enum ff_reason take_bound(struct route *route, const struct ff_address *bound, struct ff_carrier *into)
{
	uint32_t index = (uint32_t)(route - routes);
	struct ff_note want = {
		.type = FF_NOTE_WANT, .route = index, .flags = FF_NOTE_BOUND | (bound->is_ipv6 ? FF_NOTE_IPV6 : 0),
		.address = bound->address ? bound->address : route->source, .port = bound->port,
	};
	long deadline = ff_milliseconds_coarse() + WANT_MILLISECONDS;
	struct ff_sockets lot;
	int sockets[FF_MAX_SOCKETS], count;

	if (ff_session_send(&want) < 0)
		return FF_REASON_SLOW;
	while (ff_milliseconds_coarse() <= deadline && (count = ff_session_receive(&lot, sockets, WANT_MILLISECONDS)) >= 0) {
		if (!(lot.flags & FF_NOTE_BOUND) || lot.route != index) {
			put_in_stock(&lot, sockets, count);
			continue;
		}
		if (count != 1)
			return lot.reason ? (enum ff_reason)lot.reason : FF_REASON_SLOW;
		into->socket = sockets[0];
		into->number = lot.numbers[0];
		into->is_here = !!(lot.flags & FF_NOTE_HERE);
		into->endpoint = (struct ff_address){ lot.endpoint, (uint16_t)lot.endpoint_port, bound->is_ipv6 };
		return FF_REASON_NONE;
	}
	return FF_REASON_SLOW;
}

static int is_in_stock(struct route *route, uint32_t word, int is_ipv6)
{
	if (route->stock.count > 0 &&
	    (route->generation != FF_ROUTE_GENERATION(word) || route->is_ipv6 != is_ipv6 ||
	     ff_milliseconds_coarse() - route->filled > STALE_MILLISECONDS))
		empty(route, 1);
	return route->stock.count > 0;
}

static enum ff_reason take(struct route *route, int is_ipv6, struct ff_carrier *into)
{
	uint32_t index = (uint32_t)(route - routes);
	struct ff_note want = { .type = FF_NOTE_WANT, .route = index, .flags = is_ipv6 ? FF_NOTE_IPV6 : 0 };
	long deadline = 0;
	struct ff_sockets lot;
	int sockets[FF_MAX_SOCKETS], count;

	while (!is_in_stock(route, ff_session_word(index), is_ipv6)) {
		/* What the router has sent by itself comes first. */
		count = ff_session_receive(&lot, sockets, deadline ? WANT_MILLISECONDS : 0);
		if (count < 0)
			return FF_REASON_SLOW;
		if (count > 0) {
			put_in_stock(&lot, sockets, count);
			continue;
		}
		if (deadline) {
			if (lot.count == 0 && lot.route == index && lot.reason)
				return (enum ff_reason)lot.reason;
			if (ff_milliseconds_coarse() >= deadline)
				return FF_REASON_SLOW;
			continue;
		}
		deadline = ff_milliseconds_coarse() + WANT_MILLISECONDS;
		memset(&lot, 0, sizeof(lot));
		if (ff_session_send(&want) < 0)
			return FF_REASON_SLOW;
	}
	into->socket = ff_unprotect(ff_stock_take(&route->stock, &into->number));
	in_stock--;
	into->is_here = route->is_here;
	into->endpoint = route->endpoint;
	return FF_REASON_NONE;
}

static void add_samples(struct route *route, struct ff_note *note)
{
	note->bytes = route->sample_bytes;
	note->milliseconds = route->sample_milliseconds;
	note->connections = route->samples;
	route->sample_bytes = route->sample_milliseconds = route->samples = 0;
}

/* Tells the router that the carrier is about to connect. -1 when the router is gone. */
static int announce(struct route *route, const struct ff_carrier *carrier)
{
	struct ff_note note = { .type = FF_NOTE_CONNECT, .route = carrier->route, .socket = carrier->number };
	int sockets[FF_MAX_SOCKETS], count;
	struct ff_sockets lot;

	if (carrier->is_here) {
		/* It will see the connection come. Whether it is still there, reading tells; no other takes its place so soon. */
		if (ff_milliseconds_coarse() - last_heard < HEARD_MILLISECONDS)
			return 0;
		count = ff_session_receive(&lot, sockets, 0);
		if (count > 0)
			put_in_stock(&lot, sockets, count);
		if (count >= 0)
			last_heard = ff_milliseconds_coarse();
		return count < 0 ? -1 : 0;
	}
	if (route->samples) {
		note.flags = FF_NOTE_SAMPLE;
		add_samples(route, &note);
	}
	return ff_session_send(&note);
}

/* Why the router says that a route is plain; FF_REASON_NONE: it is not. */
static enum ff_reason refusal(const struct route *route)
{
	uint32_t word = ff_session_word((uint32_t)(route - routes));

	if (FF_ROUTE_VERDICT(word) == FF_ACCELERATE)
		return FF_REASON_NONE;
	return FF_ROUTE_REASON(word) ? (enum ff_reason)FF_ROUTE_REASON(word) : FF_REASON_SLOW;
}

static enum ff_reason take_inside(const struct ff_address *to, const struct ff_address *bound, struct ff_carrier *into)
{
	enum ff_reason reason = FF_REASON_SLOW;
	struct route *route;

	if (!ff_session_is_open())
		return FF_REASON_SLOW;
	if (session != ff_session_number()) {
		forget_all();
		session = ff_session_number();
	}
	route = find(to->address, to->port);
	if (!route && !(route = resolve(to, &reason)))
		return reason;
	into->route = (uint32_t)(route - routes);
	reason = refusal(route);
	if (reason != FF_REASON_NONE)
		return reason;
	if (bound && (bound->port || (bound->address && bound->address != route->source)))
		reason = take_bound(route, bound, into);
	else
		reason = take(route, to->is_ipv6, into);
	if (reason != FF_REASON_NONE || announce(route, into) == 0)
		return reason;
	ff_kernel(SYS_close, into->socket);
	return FF_REASON_SLOW;
}

enum ff_reason ff_routes_known_plain(const struct ff_address *to)
{
	enum ff_reason reason = FF_REASON_NONE;
	struct route *route;

	if (!ff_session_enter(0))
		return FF_REASON_NONE;
	if (ff_session_is_open() && session == ff_session_number() && (route = find(to->address, to->port)))
		reason = refusal(route);
	ff_session_leave();
	return reason;
}

enum ff_reason ff_routes_take(const struct ff_address *to, const struct ff_address *bound, struct ff_carrier *into)
{
	enum ff_reason reason;
	int saved = errno;

	if (!ff_session_enter(1))
		return FF_REASON_NESTED;
	reason = take_inside(to, bound, into);
	ff_session_leave();
	errno = saved;
	return reason;
}

void ff_routes_give_back(const struct ff_carrier *carrier)
{
	int saved = errno;

	ff_kernel(SYS_close, carrier->socket);
	if (carrier->is_here && ff_session_enter(0)) {
		if (session == ff_session_number())
			tell_dropped(carrier->number);
		ff_session_leave();
	}
	errno = saved;
}

void ff_routes_plain(const struct ff_address *to, enum ff_reason reason)
{
	struct ff_note note = { .type = FF_NOTE_PLAIN, .route = FF_NO_ROUTE, .socket = reason };
	const unsigned char *bytes = (const void *)&to->address;
	int saved = errno;

	ff_debug("%u.%u.%u.%u:%u is plain: %s", bytes[0], bytes[1], bytes[2], bytes[3], to->port, ff_reason_text(reason));
	if (reason >= FF_REASON_SHARED && reason != FF_REASON_NESTED && ff_session_enter(0)) {
		(void)ff_session_send(&note);
		ff_session_leave();
	}
	errno = saved;
}

uint64_t ff_routes_flow(const struct ff_carrier *carrier)
{
	uint32_t index = routes[carrier->route].learns ? carrier->route : NOT_LEARNT;

	return FF_MARK_FLOW | (carrier->endpoint.is_ipv6 ? FF_MARK_IPV6 : 0) | (uint64_t)index << 8 |
	       (uint64_t)(uint32_t)ff_milliseconds_coarse() << 32;
}

static void add_sample(struct route *route, uint32_t index, uint64_t bytes, uint32_t milliseconds)
{
	struct ff_note note = { .type = FF_NOTE_FLOW, .route = index };

	if (bytes > route->sample_bytes)
		route->sample_bytes = bytes;
	if (milliseconds > route->sample_milliseconds)
		route->sample_milliseconds = milliseconds;
	/* The next connect() carries it; what is not followed by one, or by one without a word, is told now. */
	if (++route->samples < SAMPLES && route->stock.count > 0)
		return;
	add_samples(route, &note);
	(void)ff_session_send(&note);
}

void ff_routes_ended(int descriptor, uint64_t mark)
{
	uint32_t index = FF_MARK_INDEX(mark);
	struct tcp_info info;
	socklen_t length = sizeof(info);
	int saved = errno;

	if (index >= FF_MAX_ROUTES)
		return;
	memset(&info, 0, sizeof(info));
	if (ff_kernel(SYS_getsockopt, descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 && ff_session_enter(0)) {
		if (ff_session_is_open() && session == ff_session_number() && index < (uint32_t)used)
			add_sample(&routes[index], index, info.tcpi_bytes_acked + info.tcpi_bytes_received,
				   (uint32_t)ff_milliseconds_coarse() - FF_MARK_SINCE(mark));
		ff_session_leave();
	}
	errno = saved;
}

int ff_routes_call(enum ff_type type, const void *payload, size_t length, const int *descriptors, int count, struct ff_reply *reply)
{
	int result = -1;

	if (!ff_session_enter(1))
		return -1;
	if (ff_session_is_open())
		result = ff_session_call(type, payload, length, descriptors, count, reply);
	ff_session_leave();
	return result;
}

int *ff_routes_holder(int descriptor)
{
	int *holder = NULL;

	for (int i = 0; i < used && !holder; i++)
		holder = ff_stock_holder(&routes[i].stock, descriptor);
	return holder;
}

void ff_routes_in_child(void)
{
	/* The parent's stock: an open copy here would keep its connections from ending. */
	forget_all();
	ff_session_in_child();
}
