#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void ff_debug(const char *format, ...)
{
	const char *level = getenv("FREEFLOW_LOG");
	char line[512];
	va_list arguments;
	int saved = errno;
	int length;

	if (!level || strcmp(level, "debug") != 0)
		return;
	memcpy(line, "freeflow: ", 10);
	va_start(arguments, format);
	length = vsnprintf(line + 10, sizeof(line) - 12, format, arguments);
	va_end(arguments);
	if (length > (int)sizeof(line) - 13)
		length = (int)sizeof(line) - 13;
	if (length >= 0) {
		line[10 + length] = '\n';
		(void)!syscall(SYS_write, 2, line, (size_t)length + 11);
	}
	errno = saved;
}
