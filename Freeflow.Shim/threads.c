#define _GNU_SOURCE
#include "threads.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "maps.h"
#include "orphans.h"

int ff_has_one_thread(void)
{
	struct ff_lines lines = { .file = ff_open_lines("/proc/self/status") };
	char *line;
	int one = 0;

	if (lines.file < 0)
		return 0;
	while ((line = ff_next_line(&lines)))
		if (strncmp(line, "Threads:", 8) == 0)
			one = atoi(line + 8) == 1 + ff_orphans_watchers();
	ff_kernel(SYS_close, lines.file);
	return one;
}
