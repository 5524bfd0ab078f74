#define _GNU_SOURCE
#include "maps.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"

int ff_open_lines(const char *path)
{
	return (int)ff_kernel(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

char *ff_next_line(struct ff_lines *lines)
{
	for (;;) {
		char *line = lines->text + lines->start;
		char *stop = memchr(line, '\n', lines->end - lines->start);
		ssize_t got;

		if (stop) {
			*stop = 0;
			lines->start = (size_t)(stop - lines->text) + 1;
			return line;
		}
		memmove(lines->text, line, lines->end - lines->start);
		lines->end -= lines->start;
		lines->start = 0;
		if (lines->end == sizeof(lines->text))
			lines->end = 0; /* no line of these files is so long; skip it */
		got = ff_kernel(SYS_read, lines->file, lines->text + lines->end, sizeof(lines->text) - lines->end);
		if (got <= 0)
			return NULL;
		lines->end += (size_t)got;
	}
}

uint64_t ff_hexadecimal(const char **text)
{
	uint64_t value = 0;

	for (;; (*text)++) {
		char digit = **text;

		if (digit >= '0' && digit <= '9')
			value = value << 4 | (uint64_t)(digit - '0');
		else if (digit >= 'a' && digit <= 'f')
			value = value << 4 | (uint64_t)(digit - 'a' + 10);
		else
			return value;
	}
}

void ff_each_mapping(uint64_t from, uint64_t to, void (*each)(uint64_t, uint64_t, const char *, void *), void *context)
{
	struct ff_lines lines = { .file = ff_open_lines("/proc/self/maps") };
	char *line;

	if (lines.file < 0)
		return;
	while ((line = ff_next_line(&lines))) {
		const char *at = line;
		uint64_t start = ff_hexadecimal(&at);
		uint64_t end = *at == '-' ? (at++, ff_hexadecimal(&at)) : 0;

		if (start < to && end > from)
			each(start > from ? start : from, end < to ? end : to, at, context);
	}
	ff_kernel(SYS_close, lines.file);
}
