#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "handovers.h"
#include "kernel.h"
#include "log.h"
#include "real.h"

#define FIRST_PAUSE_MILLISECONDS 500
#define LONGEST_PAUSE_MILLISECONDS 16000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread int is_inside __attribute__((tls_model("initial-exec")));

static int process;                        /* whose session it is; 0: none is open */
static volatile char *owned;                /* a page that is zero in whoever inherits it, and 1 in whose session it is; NULL: the kernel has none */
static int control = -1, notes = -1;       /* protected */
static const _Atomic uint32_t *words;      /* the route memory */
static uint32_t sequence, number;
static long not_before, pause_milliseconds; /* after a failure */

static void close_session(void)
{
	int saved = errno;

	if (control >= 0)
		ff_unprotect_and_close(control);
	if (notes >= 0)
		ff_unprotect_and_close(notes);
	if (words)
		ff_kernel(SYS_munmap, words, sizeof(uint32_t) * FF_MAX_ROUTES);
	control = notes = -1;
	words = NULL;
	process = 0;
	errno = saved;
}

static void lose(const char *what)
{
	ff_debug("TCP stays plain: the router is gone (%s: %s)", what, strerror(errno));
	close_session();
	not_before = ff_milliseconds_coarse() + FIRST_PAUSE_MILLISECONDS;
	pause_milliseconds = FIRST_PAUSE_MILLISECONDS;
}

/* A clone() that runs no fork handlers takes the session's memory along, and must not speak on it. */
static int is_own(void)
{
	return owned ? *owned : process == (int)ff_kernel(SYS_getpid);
}

static void mark_as_own(void)
{
	if (!owned) {
		char *page = (char *)ff_kernel(SYS_mmap, NULL, 4096L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
		if (page == MAP_FAILED)
			return;
		if (ff_kernel(SYS_madvise, page, 4096L, MADV_WIPEONFORK) < 0) { /* before Linux 4.14 */
			ff_kernel(SYS_munmap, page, 4096L);
			return;
		}
		owned = page;
	}
	*owned = 1;
}

static int open_session(void)
{
	struct ff_reply reply;
	int status, channel;
	void *memory;

	status = (int)ff_kernel(SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
	/* Without /proc the router can't see what the process may do, and refuses by itself. */
	channel = ff_channel_open(FF_KIND_TCP, &status, status >= 0, &reply);
	if (status >= 0)
		ff_kernel(SYS_close, status);
	if (channel < 0)
		return -1;
	memory = reply.descriptor_count == 3 && ff_handovers_map(reply.descriptors[2]) == 0
			 ? (void *)ff_kernel(SYS_mmap, NULL, sizeof(uint32_t) * FF_MAX_ROUTES, PROT_READ, MAP_SHARED, reply.descriptors[0], 0L)
			 : MAP_FAILED;
	if (memory == MAP_FAILED) {
		ff_reply_close(&reply, 0);
		ff_kernel(SYS_close, channel);
		return -1;
	}
	ff_kernel(SYS_close, reply.descriptors[0]);
	ff_kernel(SYS_close, reply.descriptors[2]);
	words = memory;
	notes = ff_protect(reply.descriptors[1]);
	control = ff_protect(channel);
	process = (int)ff_kernel(SYS_getpid);
	mark_as_own();
	number++;
	sequence = 0;
	return 0;
}

int ff_session_enter(int wanted)
{
	long now;

	if (is_inside)
		return 0;
	is_inside = 1;
	pthread_mutex_lock(&lock);
	if (process && !is_own())
		close_session();
	if (process || !wanted)
		return 1;
	now = ff_milliseconds_coarse();
	if (now < not_before)
		return 1;
	if (open_session() == 0) {
		pause_milliseconds = 0;
	} else {
		pause_milliseconds = pause_milliseconds ? pause_milliseconds * 2 : FIRST_PAUSE_MILLISECONDS;
		if (pause_milliseconds > LONGEST_PAUSE_MILLISECONDS)
			pause_milliseconds = LONGEST_PAUSE_MILLISECONDS;
		not_before = ff_milliseconds_coarse() + pause_milliseconds;
	}
	return 1;
}

void ff_session_leave(void)
{
	pthread_mutex_unlock(&lock);
	is_inside = 0;
}

int ff_session_is_open(void)
{
	return process != 0;
}

uint32_t ff_session_number(void)
{
	return number;
}

uint32_t ff_session_word(uint32_t route)
{
	return route < FF_MAX_ROUTES && words ? atomic_load_explicit(&words[route], memory_order_acquire) : 0;
}

int ff_session_call(enum ff_type type, const void *payload, size_t length, const int *descriptors, int count, struct ff_reply *reply)
{
	if (!process || ff_channel_call(control, ++sequence, type, payload, length, descriptors, count, reply) == 0)
		return process ? 0 : -1;
	lose("asking");
	return -1;
}

int ff_session_send(const struct ff_note *note)
{
	if (!process)
		return -1;
	while (ff_kernel(SYS_sendto, notes, note, sizeof(*note), MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0) < 0) {
		if (errno == EINTR)
			continue;
		lose("telling");
		return -1;
	}
	return 0;
}

static int take(struct msghdr *message, int *descriptors)
{
	int count = 0;

	for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= head->cmsg_len; at += sizeof(int)) {
			int descriptor;

			memcpy(&descriptor, (char *)head + at, sizeof(descriptor));
			if (count < (int)FF_MAX_SOCKETS)
				descriptors[count++] = descriptor;
			else
				ff_kernel(SYS_close, descriptor);
		}
	}
	return count;
}

int ff_session_receive(struct ff_sockets *lot, int *descriptors, int milliseconds)
{
	union {
		struct cmsghdr head;
		unsigned char bytes[CMSG_SPACE(sizeof(int) * FF_MAX_SOCKETS)];
	} control_bytes;
	struct iovec vector = { .iov_base = lot, .iov_len = sizeof(*lot) };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control_bytes, .msg_controllen = sizeof(control_bytes),
	};
	struct pollfd ready = { .fd = notes, .events = POLLIN };
	long deadline = ff_milliseconds_coarse() + milliseconds;
	ssize_t got;
	int count;

	if (!process)
		return -1;
	while ((got = ff_kernel(SYS_recvmsg, notes, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) < 0) {
		long left = deadline - ff_milliseconds_coarse();

		if (errno == EINTR)
			continue;
		if (errno != EAGAIN) {
			lose("receiving");
			return -1;
		}
		if (milliseconds <= 0 || left < 0)
			return 0;
		(void)ff_wait(&ready, 1, (int)left + 1);
		message.msg_controllen = sizeof(control_bytes);
	}
	count = take(&message, descriptors);
	if (got != (ssize_t)sizeof(*lot) || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || (int)lot->count != count) {
		for (int i = 0; i < count; i++)
			ff_kernel(SYS_close, descriptors[i]);
		errno = got == 0 ? ECONNRESET : EPROTO;
		if (got == 0)
			lose("receiving");
		return got == 0 ? -1 : 0;
	}
	if (count > 0)
		ff_handover_await(lot->handover);
	return count;
}

int *ff_session_holder(int descriptor)
{
	if (!process)
		return NULL;
	return descriptor == control ? &control : descriptor == notes ? &notes : NULL;
}

void ff_session_in_child(void)
{
	static const pthread_mutex_t unlocked = PTHREAD_MUTEX_INITIALIZER;

	/* Another thread of the parent may have held it; here there is only this one. */
	memcpy(&lock, &unlocked, sizeof(lock));
	is_inside = 0;
	not_before = pause_milliseconds = 0;
	if (process)
		close_session();
}
