#define _GNU_SOURCE
#include "handovers.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "kernel.h"
#include "log.h"

#define PAGE 4096L
#define YIELDS 32
#define PAUSE_NANOSECONDS 50000
#define LONGEST_MILLISECONDS 1000

/* A child that inherits a listener inherits it too: it is the container's. */
static _Atomic(const _Atomic uint32_t *) count;

int ff_handovers_map(int descriptor)
{
	const _Atomic uint32_t *before = atomic_load_explicit(&count, memory_order_relaxed);
	void *memory = (void *)ff_kernel(SYS_mmap, before, PAGE, PROT_READ, MAP_SHARED | (before ? MAP_FIXED : 0), descriptor, 0L);

	if (memory == MAP_FAILED)
		return -1;
	atomic_store_explicit(&count, memory, memory_order_release);
	return 0;
}

/* The router hands over one at a time, so what it still holds is the next one that it lets go. */
static int is_held(const _Atomic uint32_t *let_go, uint32_t number)
{
	return number - atomic_load_explicit(let_go, memory_order_acquire) == 1;
}

void ff_handover_await(uint32_t number)
{
	const _Atomic uint32_t *let_go = atomic_load_explicit(&count, memory_order_acquire);
	const struct timespec pause = { .tv_nsec = PAUSE_NANOSECONDS };
	int saved = errno;
	long deadline;

	if (!let_go || !is_held(let_go, number))
		return;
	deadline = ff_milliseconds() + LONGEST_MILLISECONDS;
	for (int i = 0; is_held(let_go, number); i++) {
		if (i < YIELDS) {
			ff_kernel(SYS_sched_yield);
			continue;
		}
		if (ff_milliseconds() >= deadline) {
			ff_debug("the router stands still, and has a socket of this process open too");
			break;
		}
		(void)nanosleep(&pause, NULL);
	}
	errno = saved;
}
