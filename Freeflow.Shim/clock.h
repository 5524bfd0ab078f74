/* Monotonic time in milliseconds. */
#ifndef FREEFLOW_CLOCK_H
#define FREEFLOW_CLOCK_H

#include <time.h>

static inline long ff_milliseconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline long ff_milliseconds(void)
{
	return ff_milliseconds_of(CLOCK_MONOTONIC);
}

/* To the last tick of the kernel's, some milliseconds ago; costs next to nothing. */
static inline long ff_milliseconds_coarse(void)
{
	return ff_milliseconds_of(CLOCK_MONOTONIC_COARSE);
}

#endif
