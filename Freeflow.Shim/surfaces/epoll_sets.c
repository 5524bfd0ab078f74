#define _GNU_SOURCE
#include "epoll_sets.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kernel.h"
#include "../maps.h"
#include "../real.h"

static int is_epoll(const char *number)
{
	char path[64], target[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%.20s", number);
	length = ff_kernel(SYS_readlinkat, -100, path, target, sizeof(target) - 1);
	if (length < 0)
		return 0;
	target[length] = 0;
	return strcmp(target, "anon_inode:[eventpoll]") == 0;
}

/* A line of fdinfo: "tfd:        5 events:       19 data:                5  pos:0 ino:... sdev:..." */
static int read_entry(const char *line, int descriptor, struct epoll_event *event)
{
	const char *events, *data;

	if (strncmp(line, "tfd:", 4) != 0 || atoi(line + 4) != descriptor)
		return 0;
	events = strstr(line, "events:");
	data = strstr(line, "data:");
	if (!events || !data)
		return 0;
	for (events += 7; *events == ' '; events++)
		;
	for (data += 5; *data == ' '; data++)
		;
	event->events = (uint32_t)ff_hexadecimal(&events);
	event->data.u64 = ff_hexadecimal(&data);
	return 1;
}

static void look_into(struct ff_epoll_sets *into, const char *number, int descriptor)
{
	struct ff_lines lines = { 0 };
	char path[64];
	char *line;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%.20s", number);
	lines.file = ff_open_lines(path);
	if (lines.file < 0)
		return;
	while (into->count < FF_MAX_EPOLL_SETS && (line = ff_next_line(&lines)))
		if (read_entry(line, descriptor, &into->items[into->count].event))
			into->items[into->count++].set = atoi(number);
	ff_kernel(SYS_close, lines.file);
}

void ff_epoll_sets_find(struct ff_epoll_sets *into, int descriptor)
{
	int saved = errno;
	struct dirent *entry;
	DIR *directory;

	into->count = 0;
	directory = ff_real()->opendir("/proc/self/fd");
	while (directory && (entry = readdir(directory)))
		if (is_epoll(entry->d_name))
			look_into(into, entry->d_name, descriptor);
	if (directory)
		closedir(directory);
	errno = saved;
}

void ff_epoll_sets_leave(struct ff_epoll_sets *sets, int descriptor)
{
	struct epoll_event nothing = { 0 };

	/* A number in a set may also be left from an earlier descriptor, whose file somebody else has open. */
	for (int i = 0; i < sets->count; i++)
		sets->items[i].is_out = ff_real()->epoll_ctl(sets->items[i].set, EPOLL_CTL_DEL, descriptor, &nothing) == 0;
}

void ff_epoll_sets_enter(const struct ff_epoll_sets *sets, int descriptor)
{
	for (int i = 0; i < sets->count; i++) {
		struct epoll_event event = sets->items[i].event;

		if (sets->items[i].is_out)
			ff_real()->epoll_ctl(sets->items[i].set, EPOLL_CTL_ADD, descriptor, &event);
	}
}
