/* Listening and accepting: what the router delivers, beside what the kernel has. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../clock.h"
#include "../kernel.h"
#include "../listeners.h"
#include "../marks.h"
#include "../prefixes.h"
#include "../real.h"

#define KNOWN_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)
#define SIGNALS 64
#define LOWEST_ADDRESS 4096

FF_EXPORT int listen(int descriptor, int backlog)
{
	int result = ff_real()->listen(descriptor, backlog);

	if (result == 0)
		ff_listener_made(descriptor, backlog);
	return result;
}

FF_EXPORT int shutdown(int descriptor, int how)
{
	int index = ff_listener_of(descriptor), result = ff_real()->shutdown(descriptor, how);

	if (result == 0 && index >= 0 && how != SHUT_WR)
		ff_listener_shut(index);
	return result;
}

/* A listener that is passed to another process: who will accept from it, and how, can't be known. */
FF_EXPORT ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags)
{
	if (ff_listeners_any() && message && message->msg_control) {
		for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR((struct msghdr *)(uintptr_t)message, head)) {
			if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
				continue;
			for (size_t at = CMSG_LEN(0); at + sizeof(int) <= head->cmsg_len; at += sizeof(int)) {
				int passed, index;

				memcpy(&passed, (char *)head + at, sizeof(passed));
				index = ff_listener_of(passed);
				if (index >= 0)
					ff_listener_gives_up(index, "it is passed to another process");
			}
		}
	}
	return ff_real()->sendmsg(descriptor, message, flags);
}

/*
 * accept() goes on after a signal whose handler was installed with SA_RESTART, poll() never does. Which signal it was can't be
 * known: it goes on when all handlers want that.
 */
static int is_restarted(void)
{
	for (int signal = 1; signal <= SIGNALS; signal++) {
		struct sigaction action;

		if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN &&
		    !(action.sa_flags & SA_RESTART))
			return 0;
	}
	return 1;
}

/* The listener's SO_RCVTIMEO, milliseconds; -1 for none. */
static long patience(int descriptor)
{
	struct timeval time = { 0 };
	socklen_t length = sizeof(time);

	if (ff_kernel(SYS_getsockopt, descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, &length) < 0 || (!time.tv_sec && !time.tv_usec))
		return -1;
	return time.tv_sec * 1000 + (time.tv_usec + 999) / 1000;
}

/*
 * A blocking accept() of the kernel's would not see a delivery. So it is called only for a connection that is there, by one at
 * a time of all who have the listener: threads by the mutex of the record lock's kind, processes by a lock on the channel.
 */
static int accept_present(int descriptor, int channel, struct sockaddr *address, socklen_t *length, int flags)
{
	static atomic_flag threads = ATOMIC_FLAG_INIT;
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct pollfd ready = { .fd = descriptor, .events = POLLIN };
	int result = -1, saved = EAGAIN;

	if (atomic_flag_test_and_set(&threads)) {
		errno = EAGAIN;
		return -1;
	}
	if (channel < 0 || ff_kernel(SYS_fcntl, channel, F_SETLK, &whole) == 0) {
		/* No cancellation in here. */
		if (ff_wait(&ready, 1, 0) > 0) {
			result = (int)ff_kernel(SYS_accept4, descriptor, address, length, flags);
			saved = errno;
		}
		whole.l_type = F_UNLCK;
		if (channel >= 0)
			ff_kernel(SYS_fcntl, channel, F_SETLK, &whole);
	}
	atomic_flag_clear(&threads);
	errno = saved;
	return result;
}

static int deliver(int index, int descriptor, struct sockaddr *address, socklen_t *length, int flags)
{
	struct ff_address peer;
	int connection = ff_listener_accept(index, descriptor, flags, &peer);

	if (connection < 0 || !address)
		return connection;
	/* As in the kernel, the connection is lost on a caller who can't be told whose it is. */
	if ((uintptr_t)length < LOWEST_ADDRESS || (uintptr_t)address < LOWEST_ADDRESS || (int)*length < 0) {
		ff_kernel(SYS_close, connection);
		errno = (uintptr_t)length >= LOWEST_ADDRESS && (int)*length < 0 ? EINVAL : EFAULT;
		return -1;
	}
	ff_address_write(&peer, address, length);
	return connection;
}

/* Whether accept() waits, asked where it matters: most connections come from the router's queue, which is looked into first. */
static int blocks(int descriptor, int *known)
{
	if (*known < 0)
		*known = !(ff_kernel(SYS_fcntl, descriptor, F_GETFL, 0) & O_NONBLOCK);
	return *known;
}

/* One look at both queues. -1 with EAGAIN when both are empty. */
static int try_both(int index, int descriptor, struct sockaddr *address, socklen_t *length, int flags, int *is_blocking)
{
	int connection, kernel_first = ff_listener_prefers_kernel(index), channel;

	for (int turn = 0; turn < 2; turn++) {
		if (turn == kernel_first) {
			connection = deliver(index, descriptor, address, length, flags);
		} else if (blocks(descriptor, is_blocking)) {
			channel = ff_listener_channel(index, descriptor);
			connection = accept_present(descriptor, channel, address, length, flags);
		} else {
			connection = ff_real()->accept4(descriptor, address, length, flags);
		}
		if (connection >= 0)
			ff_listener_accepted(index, turn == kernel_first ? FF_QUEUE_ROUTERS : FF_QUEUE_KERNELS);
		if (connection >= 0 || errno != EAGAIN)
			return connection;
	}
	return -1;
}

/* Until one of both queues has something. -1 with the errno of accept(). */
static int wait_for_both(int index, int descriptor, long deadline)
{
	struct pollfd both[2] = {
		{ .fd = descriptor, .events = POLLIN },
		{ .fd = ff_listener_channel(index, descriptor), .events = POLLIN },
	};
	long left = deadline < 0 ? -1 : deadline - ff_milliseconds();
	int count;

	if (deadline >= 0 && left <= 0) {
		errno = EAGAIN;
		return -1;
	}
	count = ff_real()->poll(both, 2, (int)left);
	if (count < 0 && errno == EINTR && deadline < 0 && is_restarted())
		return 0;
	return count < 0 ? -1 : 0;
}

static int accept_both(int index, int descriptor, struct sockaddr *address, socklen_t *length, int flags)
{
	int is_blocking = -1, connection, saved = errno;
	long bound, deadline;

	if (flags & ~KNOWN_FLAGS)
		return ff_real()->accept4(descriptor, address, length, flags); /* EINVAL */
	(void)ff_listener_channel_if_wanted(index, descriptor);
	connection = try_both(index, descriptor, address, length, flags, &is_blocking);
	if (connection >= 0)
		errno = saved;
	if (connection >= 0 || errno != EAGAIN || !blocks(descriptor, &is_blocking))
		return connection;
	bound = patience(descriptor);
	deadline = bound < 0 ? -1 : ff_milliseconds() + bound;
	for (;;) {
		if (wait_for_both(index, descriptor, deadline) < 0)
			return -1;
		connection = try_both(index, descriptor, address, length, flags, &is_blocking);
		if (connection >= 0 || errno != EAGAIN)
			break;
	}
	if (connection >= 0)
		errno = saved;
	return connection;
}

static int accept_any(int descriptor, struct sockaddr *address, socklen_t *length, int flags)
{
	int index = ff_listener_of(descriptor), connection;

	if (index >= 0)
		return accept_both(index, descriptor, address, length, flags);
	connection = flags ? ff_real()->accept4(descriptor, address, length, flags) : ff_real()->accept(descriptor, address, length);
	if (connection >= 0) {
		ff_mark_made(connection, FF_MARK_NONE);
		if (ff_prefixes_any() && FF_MARK_KIND(ff_mark(descriptor)) == FF_MARK_NONE)
			ff_listener_met(descriptor);
	}
	return connection;
}

FF_EXPORT int accept(int descriptor, struct sockaddr *address, socklen_t *length)
{
	return accept_any(descriptor, address, length, 0);
}

FF_EXPORT int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags)
{
	return accept_any(descriptor, address, length, flags);
}
