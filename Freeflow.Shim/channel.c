#define _GNU_SOURCE
#include "channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "kernel.h"
#include "log.h"
#include "real.h"
#include "routers.h"

#define HELLO_MILLISECONDS 2000
#define TCP_MILLISECONDS   1000
#define CALL_MILLISECONDS  30000
#define TURN_MILLISECONDS  250

static int close_descriptor(int descriptor)
{
	return (int)ff_kernel(SYS_close, descriptor);
}

void ff_reply_close(struct ff_reply *reply, int first)
{
	for (int i = first; i < reply->descriptor_count; i++)
		close_descriptor(reply->descriptors[i]);
	if (reply->descriptor_count > first)
		reply->descriptor_count = first;
}

/*
 * The bound is for the time in which the machine runs: one that stands still for seconds, as virtual ones do, stands still for the
 * router as well.
 */
static int await(int socket, short events, long *deadline)
{
	struct pollfd wait = { .fd = socket, .events = events };

	for (;;) {
		long began = ff_milliseconds(), left = *deadline - began, stood_still;
		int turn = left > TURN_MILLISECONDS ? TURN_MILLISECONDS : (int)left, count;

		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		count = ff_wait(&wait, 1, turn);
		if (count > 0)
			return 0;
		if (count < 0 && errno != EINTR)
			return -1;
		stood_still = ff_milliseconds() - began - turn;
		if (stood_still > TURN_MILLISECONDS)
			*deadline += stood_still;
	}
}

static int send_request(int socket, const struct ff_header *header, const void *payload, const int *descriptors, int count,
			long deadline)
{
	union {
		struct cmsghdr head;
		unsigned char bytes[CMSG_SPACE(sizeof(int) * FF_MAX_DESCRIPTORS)];
	} control;
	struct iovec vectors[2] = {
		{ .iov_base = (void *)(uintptr_t)header, .iov_len = sizeof(*header) },
		{ .iov_base = (void *)(uintptr_t)payload, .iov_len = header->length },
	};
	struct msghdr message = { .msg_iov = vectors, .msg_iovlen = 2 };

	if (count > 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
		memcpy(CMSG_DATA(&control.head), descriptors, sizeof(int) * (size_t)count);
	}
	for (;;) {
		if (ff_kernel(SYS_sendmsg, socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || await(socket, POLLOUT, &deadline) < 0)
			return -1;
	}
}

static void take_descriptors(struct msghdr *message, struct ff_reply *reply)
{
	for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
		size_t count;

		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int descriptor;

			memcpy(&descriptor, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
			if (reply->descriptor_count < (int)FF_MAX_DESCRIPTORS)
				reply->descriptors[reply->descriptor_count++] = descriptor;
			else
				close_descriptor(descriptor);
		}
	}
}

/* Receives one message. A reply that breaks the protocol is as bad as none: EPROTO. */
static int receive_reply(int socket, struct ff_header *header, struct ff_reply *reply, long deadline)
{
	union {
		struct cmsghdr head;
		unsigned char bytes[CMSG_SPACE(sizeof(int) * FF_MAX_DESCRIPTORS)];
	} control;
	struct iovec vectors[2] = {
		{ .iov_base = header, .iov_len = sizeof(*header) },
		{ .iov_base = reply->payload, .iov_len = sizeof(reply->payload) },
	};
	struct msghdr message = {
		.msg_iov = vectors, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t got;

	reply->descriptor_count = 0;
	for (;;) {
		got = ff_kernel(SYS_recvmsg, socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (got >= 0)
			break;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || await(socket, POLLIN, &deadline) < 0)
			return -1;
	}
	if (got == 0) {
		errno = ECONNRESET;
		return -1;
	}
	take_descriptors(&message, reply);
	if ((size_t)got < sizeof(*header) || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || header->magic != FF_MAGIC ||
	    header->length != (size_t)got - sizeof(*header) || header->error < 0) {
		ff_reply_close(reply, 0);
		errno = EPROTO;
		return -1;
	}
	return 0;
}

static int call_within(int socket, uint32_t sequence, enum ff_type type, const void *payload, size_t length,
		       const int *descriptors, int count, struct ff_reply *reply, long milliseconds)
{
	struct ff_header header = {
		.magic = FF_MAGIC, .type = (uint16_t)type, .sequence = sequence, .length = (uint32_t)length,
		.descriptor_patch = FF_NO_DESCRIPTOR,
	};
	long deadline = ff_milliseconds() + milliseconds;

	reply->descriptor_count = 0;
	if (length > FF_MAX_MESSAGE - sizeof(header)) {
		reply->error = EINVAL;
		reply->length = 0;
		return 0;
	}
	/* A router that has no room for us says so unasked and closes: its word is there all the same, behind the error. */
	if (send_request(socket, &header, payload, descriptors, count, deadline) < 0 && errno != EPIPE)
		return -1;
	if (receive_reply(socket, &header, reply, deadline) < 0 &&
	    (errno != ECONNRESET || receive_reply(socket, &header, reply, deadline) < 0))
		return -1;
	if (header.sequence != sequence || header.type != type) {
		ff_reply_close(reply, 0);
		errno = EPROTO;
		return -1;
	}
	reply->error = header.error;
	reply->length = header.length;
	reply->descriptor_patch = header.descriptor_patch;
	return 0;
}

int ff_channel_call(int socket, uint32_t sequence, enum ff_type type, const void *payload, size_t length,
		    const int *descriptors, int count, struct ff_reply *reply)
{
	long bound = type == FF_LISTEN || type == FF_RESOLVE ? TCP_MILLISECONDS : CALL_MILLISECONDS;

	return call_within(socket, sequence, type, payload, length, descriptors, count, reply, bound);
}

static int connect_to_router(struct sockaddr_un *address, long milliseconds)
{
	const char *directory = getenv("FREEFLOW_DIR");
	const char *name = getenv("FFR_NAME");
	struct timeval bound = { .tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000 };
	int length, channel, saved;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	length = snprintf(address->sun_path, sizeof(address->sun_path), "%s/run/%s.sock", directory && *directory ? directory : "/freeflow",
			  name && *name ? name : "default");
	if (length < 0 || (size_t)length >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	channel = (int)ff_kernel(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (channel < 0)
		return -1;
	/* It bounds connect() too, which waits while the router's backlog is full. */
	(void)ff_kernel(SYS_setsockopt, channel, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound));
	if (ff_real()->connect(channel, (struct sockaddr *)address, sizeof(*address)) == 0)
		return channel;
	saved = errno;
	close_descriptor(channel);
	errno = saved;
	return -1;
}

int ff_channel_open(enum ff_kind kind, const int *descriptors, int count, struct ff_reply *reply)
{
	struct ff_hello hello = { .version = FF_PROTOCOL_VERSION, .kind = (uint32_t)kind };
	struct ff_hello_reply answer = { 0 };
	const char *what = kind == FF_KIND_TCP ? "TCP stays plain" : "no RDMA device";
	long bound = kind == FF_KIND_TCP ? TCP_MILLISECONDS : HELLO_MILLISECONDS;
	struct sockaddr_un address;
	int channel, saved;

	channel = connect_to_router(&address, bound);
	if (channel < 0) {
		if (ff_debug_is_wanted()) {
			char others[256];

			ff_routers_there(address.sun_path, others, sizeof(others));
			ff_debug("%s: no router at %s (%s)%s", what, address.sun_path, strerror(errno), others);
		}
		return -1;
	}
	if (call_within(channel, 0, FF_HELLO, &hello, sizeof(hello), descriptors, count, reply, bound) < 0) {
		saved = errno;
		ff_debug("%s: the router at %s does not answer (%s)", what, address.sun_path, strerror(saved));
		goto fail;
	}
	memcpy(&answer, reply->payload, reply->length < sizeof(answer) ? reply->length : sizeof(answer));
	if (reply->error || reply->length < sizeof(answer) || answer.version != FF_PROTOCOL_VERSION) {
		saved = reply->error ? reply->error : EPROTONOSUPPORT;
		if (answer.version != FF_PROTOCOL_VERSION)
			ff_debug("%s: the router at %s speaks version %u, this library %u", what, address.sun_path, answer.version,
				 FF_PROTOCOL_VERSION);
		else
			ff_debug("%s: the router at %s refuses (%s)", what, address.sun_path, strerror(saved));
		ff_reply_close(reply, 0);
		goto fail;
	}
	return channel;
fail:
	close_descriptor(channel);
	errno = saved;
	return -1;
}
