#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"

/* Asked for each plain connection: the environment is read once. */
int ff_debug_is_wanted(void)
{
	enum { UNKNOWN, NO, YES };
	static atomic_int known;
	int wanted = atomic_load_explicit(&known, memory_order_relaxed);

	if (wanted == UNKNOWN) {
		const char *level = getenv("FREEFLOW_LOG");

		wanted = level && strcmp(level, "debug") == 0 ? YES : NO;
		atomic_store_explicit(&known, wanted, memory_order_relaxed);
	}
	return wanted == YES;
}

void ff_debug(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int saved = errno;
	int length;

	if (!ff_debug_is_wanted())
		return;
	memcpy(line, "freeflow: ", 10);
	va_start(arguments, format);
	length = vsnprintf(line + 10, sizeof(line) - 12, format, arguments);
	va_end(arguments);
	if (length > (int)sizeof(line) - 13)
		length = (int)sizeof(line) - 13;
	if (length >= 0) {
		line[10 + length] = '\n';
		(void)!ff_kernel(SYS_write, 2, line, (size_t)length + 11);
	}
	errno = saved;
}
