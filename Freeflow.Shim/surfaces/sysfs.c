#define _GNU_SOURCE
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "../channel.h"
#include "../descriptors.h"
#include "../kernel.h"
#include "../log.h"

static const char *const roots[] = {
	"/sys/class/infiniband", "/sys/class/infiniband_verbs", "/sys/class/infiniband_mad", "/sys/class/misc/rdma_cm",
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int tree = -1;
static uint64_t tree_device, tree_inode;
static time_t not_before; /* no router then: looked for again after a second */

static int identify(int descriptor, uint64_t *device, uint64_t *inode)
{
	struct statx status;

	if (ff_kernel(SYS_statx, descriptor, "", AT_EMPTY_PATH, STATX_INO, &status) < 0)
		return -1;
	*device = (uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor;
	*inode = status.stx_ino;
	return 0;
}

/* The application may have closed everything, ours too, and opened something else under the same number. */
static int is_still_ours(void)
{
	uint64_t device, inode;

	return tree >= 0 && identify(tree, &device, &inode) == 0 && device == tree_device && inode == tree_inode;
}

static int ask_router(void)
{
	struct ff_reply reply;
	struct timespec now;
	int channel;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec < not_before)
		return -1;
	channel = ff_channel_open(FF_KIND_SYSFS, NULL, 0, &reply);
	if (channel >= 0)
		ff_kernel(SYS_close, channel);
	if (channel < 0 || reply.descriptor_count < 1 || identify(reply.descriptors[0], &tree_device, &tree_inode) < 0) {
		if (channel >= 0)
			ff_reply_close(&reply, 0);
		not_before = now.tv_sec + 1;
		return -1;
	}
	ff_reply_close(&reply, 1);
	return ff_protect(reply.descriptors[0]);
}

static int tree_descriptor(void)
{
	int saved = errno;
	int descriptor;

	pthread_mutex_lock(&lock);
	if (!is_still_ours())
		tree = ask_router();
	descriptor = tree;
	pthread_mutex_unlock(&lock);
	errno = saved;
	return descriptor;
}

int ff_sysfs_is_available(void)
{
	return tree_descriptor() >= 0;
}

/* Copies a path without doubled slashes and "/./", as far as it fits. */
static int tidy(const char *path, char *into, size_t size)
{
	size_t used = 0;

	while (*path) {
		if (path[0] == '/' && path[1] == '/') {
			path++;
			continue;
		}
		if (path[0] == '/' && path[1] == '.' && (path[2] == '/' || path[2] == 0)) {
			path += 2;
			continue;
		}
		if (used + 1 >= size)
			return -1;
		into[used++] = *path++;
	}
	into[used] = 0;
	return 0;
}

const char *ff_sysfs_path(const char *path, char buffer[FF_PATH_MAX])
{
	char clean[FF_PATH_MAX - 32];
	int descriptor;

	/* Most paths end here. */
	if (!path || path[0] != '/' || !strstr(path, "class/"))
		return path;
	if (tidy(path, clean, sizeof(clean)) < 0)
		return path;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		size_t length = strlen(roots[i]);

		if (strncmp(clean, roots[i], length) != 0 || (clean[length] != '/' && clean[length] != 0))
			continue;
		descriptor = tree_descriptor();
		if (descriptor < 0)
			return path;
		snprintf(buffer, FF_PATH_MAX, "/proc/self/fd/%d%s", descriptor, clean + strlen("/sys"));
		return buffer;
	}
	return path;
}
