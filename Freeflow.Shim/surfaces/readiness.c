/* Waiting: a listener is ready when the kernel or the router has a connection for it. */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../kernel.h"
#include "../listeners.h"
#include "../marks.h"
#include "../real.h"

#define READ_EVENTS (POLLIN | POLLRDNORM)
#define FEW 64

FF_EXPORT int epoll_ctl(int set, int operation, int descriptor, struct epoll_event *event)
{
	uint64_t mark = ff_mark(descriptor);

	if (FF_MARK_KIND(mark) == FF_MARK_LISTENER)
		return ff_listener_epoll((int)FF_MARK_INDEX(mark), descriptor, set, operation, event);
	if (FF_MARK_KIND(mark) == FF_MARK_FRESH && operation == EPOLL_CTL_ADD)
		ff_mark_add(descriptor, FF_MARK_FRESH, FF_MARK_IN_EPOLL);
	return ff_real()->epoll_ctl(set, operation, descriptor, event);
}

struct wait {
	struct pollfd *all; /* the caller's, then the channels */
	nfds_t count, channels;
	nfds_t *owners;     /* for each channel: the caller's entry */
	int *indices;       /* and the listener */
	void *memory;
	size_t bytes;
	struct pollfd few[FEW];
	nfds_t few_owners[FEW];
	int few_indices[FEW];
};

static nfds_t count_listeners(const struct pollfd *entries, nfds_t count)
{
	nfds_t found = 0;

	for (nfds_t i = 0; i < count; i++)
		if (entries[i].events & READ_EVENTS && ff_listener_of(entries[i].fd) >= 0)
			found++;
	return found;
}

/* Room for the caller's entries and one more a listener; -1 when there is none. */
static int make_room(struct wait *wait, nfds_t count, nfds_t channels)
{
	nfds_t total = count + channels;

	wait->memory = NULL;
	if (total <= FEW) {
		wait->all = wait->few;
		wait->owners = wait->few_owners;
		wait->indices = wait->few_indices;
		return 0;
	}
	wait->bytes = total * (sizeof(struct pollfd) + sizeof(nfds_t) + sizeof(int));
	wait->memory = (void *)ff_kernel(SYS_mmap, NULL, wait->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
	if (wait->memory == MAP_FAILED)
		return -1;
	wait->owners = wait->memory;
	wait->all = (void *)(wait->owners + total);
	wait->indices = (void *)(wait->all + total);
	return 0;
}

static void fill(struct wait *wait, const struct pollfd *entries, nfds_t count)
{
	memcpy(wait->all, entries, count * sizeof(*entries));
	wait->count = count;
	wait->channels = 0;
	for (nfds_t i = 0; i < count; i++) {
		int index = entries[i].events & READ_EVENTS ? ff_listener_of(entries[i].fd) : -1;
		int channel = index >= 0 ? ff_listener_channel(index, entries[i].fd) : -1;

		if (channel < 0)
			continue;
		wait->owners[wait->channels] = i;
		wait->indices[wait->channels] = index;
		wait->all[count + wait->channels++] = (struct pollfd){ .fd = channel, .events = POLLIN };
	}
}

/* Whether a channel that is readable has a delivery; at its end it is of no use any more. */
static int has_delivery(int channel, int index)
{
	char byte;
	ssize_t got = ff_kernel(SYS_recvfrom, channel, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT, NULL, NULL);

	if (got == 0)
		ff_listener_lost(index);
	return got > 0;
}

/* The caller's entries, with what the channels say; how many are ready. */
static int merge(struct wait *wait, struct pollfd *entries)
{
	int ready = 0;

	for (nfds_t i = 0; i < wait->channels; i++) {
		const struct pollfd *channel = &wait->all[wait->count + i];

		if (channel->revents && has_delivery(channel->fd, wait->indices[i]))
			wait->all[wait->owners[i]].revents |= (short)(READ_EVENTS & wait->all[wait->owners[i]].events);
	}
	for (nfds_t i = 0; i < wait->count; i++) {
		entries[i].revents = wait->all[i].revents;
		ready += entries[i].revents != 0;
	}
	return ready;
}

static int remaining(struct timespec *left, const struct timespec *deadline)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left->tv_sec = deadline->tv_sec - now.tv_sec;
	left->tv_nsec = deadline->tv_nsec - now.tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_nsec += 1000000000;
		left->tv_sec--;
	}
	return left->tv_sec >= 0;
}

static int poll_both(struct pollfd *entries, nfds_t count, nfds_t channels, const struct timespec *timeout, const sigset_t *signals)
{
	struct timespec deadline, left;
	struct wait wait;
	int result;

	if (timeout) {
		clock_gettime(CLOCK_MONOTONIC, &deadline);
		deadline.tv_sec += timeout->tv_sec;
		deadline.tv_nsec += timeout->tv_nsec;
		if (deadline.tv_nsec >= 1000000000) {
			deadline.tv_nsec -= 1000000000;
			deadline.tv_sec++;
		}
		left = *timeout;
	}
	if (make_room(&wait, count, channels) < 0) {
		errno = ENOMEM;
		return -1;
	}
	do {
		fill(&wait, entries, count);
		result = ff_real()->ppoll(wait.all, wait.count + wait.channels, timeout ? &left : NULL, signals);
		if (result <= 0) {
			for (nfds_t i = 0; result == 0 && i < count; i++)
				entries[i].revents = 0;
			break;
		}
		/* None when all that was ready is a channel at its end. */
		result = merge(&wait, entries);
	} while (result == 0 && (!timeout || remaining(&left, &deadline)));
	if (wait.memory)
		ff_kernel(SYS_munmap, wait.memory, wait.bytes);
	return result;
}

static int poll_any(struct pollfd *entries, nfds_t count, int milliseconds)
{
	nfds_t channels = ff_listeners_any() ? count_listeners(entries, count) : 0;
	struct timespec timeout = { .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L };

	if (channels == 0)
		return ff_real()->poll(entries, count, milliseconds);
	return poll_both(entries, count, channels, milliseconds < 0 ? NULL : &timeout, NULL);
}

static int ppoll_any(struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *signals)
{
	nfds_t channels = ff_listeners_any() ? count_listeners(entries, count) : 0;

	if (channels == 0)
		return ff_real()->ppoll(entries, count, timeout, signals);
	return poll_both(entries, count, channels, timeout, signals);
}

FF_EXPORT int poll(struct pollfd *entries, nfds_t count, int milliseconds)
{
	return poll_any(entries, count, milliseconds);
}

FF_EXPORT int ppoll(struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *signals)
{
	return ppoll_any(entries, count, timeout, signals);
}

/* What programs built with _FORTIFY_SOURCE call. */
FF_EXPORT int __poll_chk(struct pollfd *entries, nfds_t count, int milliseconds, size_t room)
{
	if (room / sizeof(*entries) < count)
		abort();
	return poll_any(entries, count, milliseconds);
}

FF_EXPORT int __ppoll_chk(struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *signals, size_t room)
{
	if (room / sizeof(*entries) < count)
		abort();
	return ppoll_any(entries, count, timeout, signals);
}

static int reads_listener(int count, const fd_set *reads)
{
	for (int i = 0; reads && i < count && i < FD_SETSIZE; i++)
		if (FD_ISSET(i, reads) && ff_listener_of(i) >= 0)
			return 1;
	return 0;
}

/* What select() calls readable, writable and exceptional (select(2)). */
#define SELECT_READS  (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define SELECT_WRITES (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)

static int take_back(const struct pollfd *entries, nfds_t count, fd_set *reads, fd_set *writes, fd_set *exceptions)
{
	int bits = 0;

	for (nfds_t i = 0; i < count; i++) {
		if (entries[i].revents & POLLNVAL) {
			errno = EBADF;
			return -1;
		}
	}
	for (nfds_t i = 0; i < count; i++) {
		int fd = entries[i].fd;
		int read = entries[i].events & POLLIN && entries[i].revents & SELECT_READS;
		int write = entries[i].events & POLLOUT && entries[i].revents & SELECT_WRITES;
		int exception = entries[i].events & POLLPRI && entries[i].revents & POLLPRI;

		if (reads && !read)
			FD_CLR(fd, reads);
		if (writes && !write)
			FD_CLR(fd, writes);
		if (exceptions && !exception)
			FD_CLR(fd, exceptions);
		bits += !!read + !!write + !!exception;
	}
	return bits;
}

/* select() by way of poll(): a channel's number may be too high for a set. */
static int select_both(int count, fd_set *reads, fd_set *writes, fd_set *exceptions, const struct timespec *timeout, const sigset_t *signals)
{
	struct pollfd entries[FD_SETSIZE];
	nfds_t used = 0;
	int result;

	for (int i = 0; i < count && i < FD_SETSIZE; i++) {
		short events = (short)((reads && FD_ISSET(i, reads) ? POLLIN | POLLRDNORM | POLLRDBAND : 0) |
				       (writes && FD_ISSET(i, writes) ? POLLOUT | POLLWRNORM | POLLWRBAND : 0) |
				       (exceptions && FD_ISSET(i, exceptions) ? POLLPRI : 0));

		if (events)
			entries[used++] = (struct pollfd){ .fd = i, .events = events };
	}
	result = poll_both(entries, used, count_listeners(entries, used), timeout, signals);
	return result < 0 ? -1 : take_back(entries, used, reads, writes, exceptions);
}

FF_EXPORT int select(int count, fd_set *reads, fd_set *writes, fd_set *exceptions, struct timeval *timeout)
{
	struct timespec wanted, deadline, left;
	int result;

	if (!ff_listeners_any() || !reads_listener(count, reads))
		return ff_real()->select(count, reads, writes, exceptions, timeout);
	if (!timeout)
		return select_both(count, reads, writes, exceptions, NULL, NULL);
	if (timeout->tv_sec < 0 || timeout->tv_usec < 0) {
		errno = EINVAL;
		return -1;
	}
	wanted = (struct timespec){ .tv_sec = timeout->tv_sec + timeout->tv_usec / 1000000, .tv_nsec = timeout->tv_usec % 1000000 * 1000 };
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += wanted.tv_sec;
	deadline.tv_nsec += wanted.tv_nsec;
	result = select_both(count, reads, writes, exceptions, &wanted, NULL);
	/* Linux says how much time was left. */
	if (!remaining(&left, &deadline))
		left = (struct timespec){ 0 };
	timeout->tv_sec = left.tv_sec + left.tv_nsec / 1000000000;
	timeout->tv_usec = left.tv_nsec % 1000000000 / 1000;
	return result;
}

FF_EXPORT int pselect(int count, fd_set *reads, fd_set *writes, fd_set *exceptions, const struct timespec *timeout, const sigset_t *signals)
{
	if (!ff_listeners_any() || !reads_listener(count, reads))
		return ff_real()->pselect(count, reads, writes, exceptions, timeout, signals);
	return select_both(count, reads, writes, exceptions, timeout, signals);
}
