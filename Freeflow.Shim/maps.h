/* The files under /proc/self, read without stdio or malloc: fork handlers and madvise come by here. */
#ifndef FREEFLOW_MAPS_H
#define FREEFLOW_MAPS_H

#include <stddef.h>
#include <stdint.h>

struct ff_lines {
	int file;
	size_t start, end;
	char text[8192];
};

/* A descriptor for struct ff_lines, or -1. */
int ff_open_lines(const char *path);

/* The next line without its end, or NULL. Valid until the next call. */
char *ff_next_line(struct ff_lines *lines);

/* Reads a hexadecimal number and moves behind it. */
uint64_t ff_hexadecimal(const char **text);

/*
 * Calls `each` for every mapping that overlaps [from, to), cut to that, with the rest of its line in /proc/self/maps: a
 * space, the permissions, and so on to the name.
 */
void ff_each_mapping(uint64_t from, uint64_t to, void (*each)(uint64_t, uint64_t, const char *, void *), void *context);

#endif
