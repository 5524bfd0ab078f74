#define _GNU_SOURCE
#include "routers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "log.h"

#define SUFFIX ".sock"
#define FOUND  "; the routers here: "

/* As the kernel gives it; libc's readdir() would go through opendir(), which is interposed. */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

/* The name's length without the suffix; 0 for what is no router's: names come from a directory in which others may have written. */
static size_t router_name(const char *name)
{
	size_t length = strlen(name), suffix = sizeof(SUFFIX) - 1;

	if (name[0] == '.' || length <= suffix || strcmp(name + length - suffix, SUFFIX) != 0)
		return 0;
	length -= suffix;
	/* A link to the router that came last. */
	if (length == 7 && memcmp(name, "default", 7) == 0)
		return 0;
	for (size_t i = 0; i < length; i++) {
		char letter = name[i];

		if (!((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
		      letter == '-' || letter == '_' || letter == '.'))
			return 0;
	}
	return length;
}

static void add(const char *name, size_t length, char *text, size_t size)
{
	size_t used = strlen(text);
	const char *before = used == 0 ? FOUND : ", ";

	if (used + strlen(before) + length < size)
		snprintf(text + used, size - used, "%s%.*s", before, (int)length, name);
}

void ff_routers_there(const char *socket_path, char *text, size_t size)
{
	union {
		struct entry first;
		char bytes[2048];
	} some;
	char directory[128];
	const char *end = strrchr(socket_path, '/');
	int saved = errno, descriptor;
	long got;

	text[0] = 0;
	snprintf(directory, sizeof(directory), "%.*s", end ? (int)(end - socket_path) : 0, socket_path);
	descriptor = (int)ff_kernel(SYS_openat, AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (descriptor < 0) {
		snprintf(text, size, "; %s can't be read (%s): is the router's directory mounted here, and has the router run?", directory,
			 strerror(errno));
		errno = saved;
		return;
	}
	while ((got = ff_kernel(SYS_getdents64, descriptor, &some, sizeof(some))) > 0) {
		for (long at = 0; at < got;) {
			const struct entry *entry = (const void *)(some.bytes + at);
			size_t length = router_name(entry->name);

			if (length > 0)
				add(entry->name, length, text, size);
			at += entry->length;
		}
	}
	ff_kernel(SYS_close, descriptor);
	if (!text[0])
		snprintf(text, size, "; no router has its socket in %s", directory);
	errno = saved;
}

/* The original took the container's word for who it is. */
__attribute__((constructor)) static void tell_of_the_id(void)
{
	const char *id = getenv("FFR_ID");

	if (id && *id)
		ff_debug("FFR_ID is not needed, and ignored: the router knows a container by its network namespace");
}
