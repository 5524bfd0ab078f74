/*
 * This process and its router, for TCP mode: the session, the destinations that were asked for, and a small stock of host
 * sockets for each. Opened by the first connect() or listen() that needs it; a child after fork has none.
 */
#ifndef FREEFLOW_ROUTES_H
#define FREEFLOW_ROUTES_H

#include <stdint.h>

#include "channel.h"
#include "prefixes.h"
#include "protocol.h"

/* A host socket, bound and locked to one endpoint, and the way to it. */
struct ff_carrier {
	int socket; /* the caller's to use or close */
	uint32_t route, number;
	int is_here; /* the router that it leads to is this container's own */
	struct ff_address endpoint;
};

/*
 * Why a destination is plain, when it is known and the router's word on it says so; else FF_REASON_NONE. No system call: the
 * first question of a connect(), since nothing else matters then.
 */
enum ff_reason ff_routes_known_plain(const struct ff_address *to);

/*
 * A carrier for a connection to `to`, or the reason why there is none. `bound` is the address that the application has
 * bound itself to, or NULL. The router knows that it is about to connect. Waits a few milliseconds at most, but for the first time a process asks (a second where a
 * router does not answer, and then not again for a while).
 */
enum ff_reason ff_routes_take(const struct ff_address *to, const struct ff_address *bound, struct ff_carrier *into);

/* Closes a carrier that did not come to connect, or was refused at once. */
void ff_routes_give_back(const struct ff_carrier *carrier);

/* Tells the router why a connection goes plain although its route is not, and with FREEFLOW_LOG=debug the user. */
void ff_routes_plain(const struct ff_address *to, enum ff_reason reason);

/* The mark of a connection that begins now. */
uint64_t ff_routes_flow(const struct ff_carrier *carrier);

/* Such a connection is about to be closed: what it was like is kept for the router. */
void ff_routes_ended(int descriptor, uint64_t mark);

/* A request of the session's, with its bound; -1 when there is no router. */
int ff_routes_call(enum ff_type type, const void *payload, size_t length, const int *descriptors, int count, struct ff_reply *reply);

const char *ff_reason_text(enum ff_reason reason);

/* Where a descriptor of the stock is kept, or NULL. */
int *ff_routes_holder(int descriptor);

void ff_routes_in_child(void);

#endif
