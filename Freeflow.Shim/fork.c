/* What fork() must do for us. Found at run time: glibc and musl call the registration by different names. */
#define _GNU_SOURCE
#include "descriptors.h"
#include "listeners.h"
#include "marks.h"
#include "memory.h"
#include "orphans.h"
#include "real.h"
#include "routes.h"

static void in_child(void)
{
	ff_memory_in_child();
	ff_descriptors_forked();
	ff_orphans_in_child();
	ff_marks_forked();
	ff_routes_in_child();
	ff_listeners_in_child();
}

static void in_parent(void)
{
	ff_memory_in_parent();
	ff_marks_forked();
}

__attribute__((constructor)) static void register_handlers(void)
{
	int (*glibc)(void (*)(void), void (*)(void), void (*)(void), void *) =
		(int (*)(void (*)(void), void (*)(void), void (*)(void), void *))ff_symbol("__register_atfork");
	int (*posix)(void (*)(void), void (*)(void), void (*)(void)) =
		(int (*)(void (*)(void), void (*)(void), void (*)(void)))ff_symbol("pthread_atfork");

	if (glibc)
		(void)glibc(ff_memory_before_fork, in_parent, in_child, 0);
	else if (posix)
		(void)posix(ff_memory_before_fork, in_parent, in_child);
}
