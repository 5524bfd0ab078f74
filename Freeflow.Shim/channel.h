/* The socket to the router: connecting, greeting, one request and its reply at a time, descriptors beside them. */
#ifndef FREEFLOW_CHANNEL_H
#define FREEFLOW_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

struct ff_reply {
	int error;                             /* 0 or errno */
	uint32_t length;                       /* bytes in payload */
	uint32_t descriptor_patch;             /* see struct ff_header */
	int descriptor_count;
	int descriptors[FF_MAX_DESCRIPTORS];   /* the caller's to keep or close */
	unsigned char payload[FF_MAX_MESSAGE];
};

/*
 * Connects and says hello, within two seconds (TCP: one second, since a connect() waits). Returns a close-on-exec socket, the reply with its descriptors in *reply,
 * or -1 with errno and the reason logged.
 */
int ff_channel_open(enum ff_kind kind, const int *descriptors, int count, struct ff_reply *reply);

/*
 * Sends a request and takes its reply, within thirty seconds (those of TCP: one). Returns 0, or -1 when the router is gone or misbehaves: the
 * socket is of no use then. The reply's own errno is in reply->error.
 */
int ff_channel_call(int socket, uint32_t sequence, enum ff_type type, const void *payload, size_t length,
		    const int *descriptors, int count, struct ff_reply *reply);

/* Closes descriptors that came with a reply, from `first` on. */
void ff_reply_close(struct ff_reply *reply, int first);

#endif
