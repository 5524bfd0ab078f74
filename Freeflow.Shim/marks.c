#define _GNU_SOURCE
#include "marks.h"

#include <stdatomic.h>
#include <stddef.h>

#include "listeners.h"
#include "routes.h"

_Atomic uint64_t ff_marks[FF_MARK_DESCRIPTORS];
static atomic_uint forks;

void ff_mark_set(int descriptor, uint64_t mark)
{
	/* Most are closed as they were opened: the page of a descriptor that nothing is known of stays untouched. */
	if (descriptor >= 0 && descriptor < FF_MARK_DESCRIPTORS && (mark || ff_mark(descriptor)))
		atomic_store_explicit(&ff_marks[descriptor], mark, memory_order_release);
}

void ff_mark_made(int descriptor, uint64_t mark)
{
	if (FF_MARK_KIND(ff_mark(descriptor)) == FF_MARK_LISTENER)
		ff_mark_closing_known(descriptor);
	ff_mark_set(descriptor, mark);
}

void ff_mark_add(int descriptor, enum ff_mark_kind kind, uint64_t bits)
{
	uint64_t mark = ff_mark(descriptor);

	while (FF_MARK_KIND(mark) == kind && (mark & bits) != bits)
		if (atomic_compare_exchange_weak(&ff_marks[descriptor], &mark, mark | bits))
			return;
}

void ff_mark_closing_known(int descriptor)
{
	uint64_t mark = ff_mark(descriptor);

	switch (FF_MARK_KIND(mark)) {
	case FF_MARK_NONE:
		return;
	case FF_MARK_LISTENER:
		/* A vfork child closes in its own table of descriptors, but has its parent's memory. */
		if (!ff_listener_release(FF_MARK_INDEX(mark)))
			return;
		break;
	case FF_MARK_FLOW:
		ff_routes_ended(descriptor, mark);
		break;
	case FF_MARK_FRESH:
	case FF_MARK_OTHER:
		break;
	}
	ff_mark_set(descriptor, FF_MARK_NONE);
}

void ff_mark_copied_known(int from, int to)
{
	uint64_t mark = ff_mark(from);

	switch (FF_MARK_KIND(mark)) {
	case FF_MARK_NONE:
		return;
	case FF_MARK_LISTENER:
		if (!ff_listener_hold(FF_MARK_INDEX(mark)))
			return;
		break;
	case FF_MARK_FRESH:
		mark |= FF_MARK_SHARED;
		ff_mark_add(from, FF_MARK_FRESH, FF_MARK_SHARED);
		break;
	case FF_MARK_FLOW:
	case FF_MARK_OTHER:
		break;
	}
	ff_mark_set(to, mark);
}

uint32_t ff_mark_forks(void)
{
	return atomic_load_explicit(&forks, memory_order_relaxed) & 0xffu;
}

void ff_marks_forked(void)
{
	atomic_fetch_add(&forks, 1);
}
