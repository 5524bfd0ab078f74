/* What TCP mode knows of a descriptor: one word each, so that a look costs a load. */
#ifndef FREEFLOW_MARKS_H
#define FREEFLOW_MARKS_H

#include <stdatomic.h>
#include <stdint.h>

#define FF_MARK_DESCRIPTORS 65536

enum ff_mark_kind {
	FF_MARK_NONE = 0,     /* nothing is known */
	FF_MARK_FRESH = 1,    /* a TCP socket that this process made and has not connected */
	FF_MARK_FLOW = 2,     /* an accelerated connection that this process made */
	FF_MARK_LISTENER = 3, /* a listener, registered or to be */
	FF_MARK_OTHER = 4,    /* looked at, and none of ours */
};

#define FF_MARK_KIND(mark) ((enum ff_mark_kind)((mark) & 0xfu))

/* FRESH: flags, the fork that it was made after, and the options that were set (bits by ff_option_index). */
#define FF_MARK_BOUND    (1ull << 4)
#define FF_MARK_SHARED   (1ull << 5) /* duplicated: others hold the socket too */
#define FF_MARK_IN_EPOLL (1ull << 6)
#define FF_MARK_IPV6     (1ull << 7) /* also of FLOW */
#define FF_MARK_ODD      (1ull << 8) /* an option was set that can't be carried over */
#define FF_MARK_OWNED    (1ull << 9) /* its signals have a receiver (F_SETOWN) */
#define FF_MARK_FORKS(mark)   ((uint32_t)((mark) >> 12) & 0xffu)
#define FF_MARK_OPTIONS(mark) ((mark) >> 20)
#define FF_MARK_OPTION(index) (1ull << (20 + (index)))

/* FLOW: its route and when it was connected. LISTENER: its index. */
#define FF_MARK_INDEX(mark) ((uint32_t)((mark) >> 8) & 0xffffu)
#define FF_MARK_SINCE(mark) ((uint32_t)((mark) >> 32))

extern _Atomic uint64_t ff_marks[FF_MARK_DESCRIPTORS];

static inline uint64_t ff_mark(int descriptor)
{
	if (descriptor < 0 || descriptor >= FF_MARK_DESCRIPTORS)
		return FF_MARK_NONE;
	return atomic_load_explicit(&ff_marks[descriptor], memory_order_acquire);
}

void ff_mark_set(int descriptor, uint64_t mark);

/* A descriptor was made. What had the number before may have been closed by a system call that no library has seen. */
void ff_mark_made(int descriptor, uint64_t mark);

/* Adds bits to a mark, if it is still of this kind. */
void ff_mark_add(int descriptor, enum ff_mark_kind kind, uint64_t bits);

void ff_mark_closing_known(int descriptor);
void ff_mark_copied_known(int from, int to);

/* The descriptor is about to be closed or replaced; has been duplicated. Both cost a load when nothing is known of it. */
static inline void ff_mark_closing(int descriptor)
{
	if (ff_mark(descriptor))
		ff_mark_closing_known(descriptor);
}

static inline void ff_mark_copied(int from, int to)
{
	if (ff_mark(from))
		ff_mark_copied_known(from, to);
}

/* Forks so far: a socket made before one may have another holder. */
uint32_t ff_mark_forks(void);
void ff_marks_forked(void);

#endif
