/* The tree below /sys that the router makes for this container. */
#ifndef FREEFLOW_SYSFS_H
#define FREEFLOW_SYSFS_H

#include <stddef.h>

#define FF_PATH_MAX 512

/* Whether a router is there that has given us its tree. Asks once a process, and again when the tree's descriptor is gone. */
int ff_sysfs_is_available(void);

/* Where to look instead: `path` itself, or `buffer` with the place in the router's tree. Keeps errno. */
const char *ff_sysfs_path(const char *path, char buffer[FF_PATH_MAX]);

#endif
