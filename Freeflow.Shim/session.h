/* The connection of this process to its router for TCP mode. All of it under one lock, which also the stock is under. */
#ifndef FREEFLOW_SESSION_H
#define FREEFLOW_SESSION_H

#include <stdint.h>
#include <sys/socket.h>

#include "channel.h"

/*
 * Takes the lock; 0 when this thread has it already, because a signal handler has interrupted it. With `wanted` a session
 * is opened when there is none, unless that failed a moment ago.
 */
int ff_session_enter(int wanted);
void ff_session_leave(void);

/* Inside only. Whether there is a session. */
int ff_session_is_open(void);

/* Inside only. What the router says of a route now. */
uint32_t ff_session_word(uint32_t route);

/* Inside only. A request and its reply. -1 when the router is gone; the session is closed then. */
int ff_session_call(enum ff_type type, const void *payload, size_t length, const int *descriptors, int count,
		    struct ff_reply *reply);

/* Inside only. -1 when the router is gone or does not read: the session is closed then. */
int ff_session_send(const struct ff_note *note);

/*
 * Inside only. Takes the next lot of sockets, waiting up to so many milliseconds: their number, 0 when none came, -1 when
 * the router is gone. *lot says what they are; an answer without sockets has count 0 and a reason, and returns 0.
 */
int ff_session_receive(struct ff_sockets *lot, int *descriptors, int milliseconds);

/* Numbers the sessions: what was learnt in an earlier one is void. */
uint32_t ff_session_number(void);

/* Where a descriptor of the session's is kept, or NULL: somebody wants its number. */
int *ff_session_holder(int descriptor);

/* In a child after fork: the session is the parent's. */
void ff_session_in_child(void);

#endif
