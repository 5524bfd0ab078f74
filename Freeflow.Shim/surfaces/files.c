/* Every libc name by which a path or a descriptor of ours can reach the kernel: opening, looking, resolving. */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../descriptors.h"
#include "../kernel.h"
#include "../real.h"
#include "rdma_cm.h"
#include "sysfs.h"
#include "uverbs.h"

#define DEVICE_MODE (S_IFCHR | 0666)

/* The devices' paths are absolute: which of them one is, or none. */
static enum ff_kind device_at(const char *path)
{
	if (ff_uverbs_is_device(path))
		return FF_KIND_UVERBS;
	return ff_rdma_cm_is_device(path) ? FF_KIND_RDMA_CM : 0;
}

static int open_device(enum ff_kind kind, int flags)
{
	return kind == FF_KIND_RDMA_CM ? ff_rdma_cm_open(flags) : ff_uverbs_open(flags);
}

static mode_t mode_of(int flags, va_list arguments)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? (mode_t)va_arg(arguments, int) : 0;
}

static int open_at(int (*real)(int, const char *, int, ...), int directory, const char *path, int flags, mode_t mode)
{
	char buffer[FF_PATH_MAX];
	enum ff_kind kind = device_at(path);

	if (kind)
		return open_device(kind, flags);
	return real(directory, ff_sysfs_path(path, buffer), flags, mode);
}

static int open_path(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode)
{
	char buffer[FF_PATH_MAX];
	enum ff_kind kind = device_at(path);

	if (kind)
		return open_device(kind, flags);
	return real(ff_sysfs_path(path, buffer), flags, mode);
}

#define DEFINE_OPEN(name) \
	FF_EXPORT int name(const char *path, int flags, ...) \
	{ \
		va_list arguments; \
		mode_t mode; \
		va_start(arguments, flags); \
		mode = mode_of(flags, arguments); \
		va_end(arguments); \
		return open_path(ff_real()->name, path, flags, mode); \
	}

#define DEFINE_OPENAT(name) \
	FF_EXPORT int name(int directory, const char *path, int flags, ...) \
	{ \
		va_list arguments; \
		mode_t mode; \
		va_start(arguments, flags); \
		mode = mode_of(flags, arguments); \
		va_end(arguments); \
		return open_at(ff_real()->name, directory, path, flags, mode); \
	}

DEFINE_OPEN(open)
DEFINE_OPEN(open64)
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

/* What programs built with _FORTIFY_SOURCE call. */
FF_EXPORT int __open_2(const char *path, int flags)
{
	return open_path(ff_real()->open, path, flags, 0);
}

FF_EXPORT int __open64_2(const char *path, int flags)
{
	return open_path(ff_real()->open, path, flags | O_LARGEFILE, 0);
}

FF_EXPORT int __openat_2(int directory, const char *path, int flags)
{
	return open_at(ff_real()->openat, directory, path, flags, 0);
}

FF_EXPORT int __openat64_2(int directory, const char *path, int flags)
{
	return open_at(ff_real()->openat, directory, path, flags | O_LARGEFILE, 0);
}

FF_EXPORT FILE *fopen(const char *path, const char *mode)
{
	char buffer[FF_PATH_MAX];

	return ff_real()->fopen(ff_sysfs_path(path, buffer), mode);
}

FF_EXPORT FILE *fopen64(const char *path, const char *mode)
{
	char buffer[FF_PATH_MAX];

	return (ff_real()->fopen64 ? ff_real()->fopen64 : ff_real()->fopen)(ff_sysfs_path(path, buffer), mode);
}

FF_EXPORT FILE *freopen(const char *path, const char *mode, FILE *stream)
{
	char buffer[FF_PATH_MAX];

	return ff_real()->freopen(ff_sysfs_path(path, buffer), mode, stream);
}

FF_EXPORT FILE *freopen64(const char *path, const char *mode, FILE *stream)
{
	char buffer[FF_PATH_MAX];

	return (ff_real()->freopen64 ? ff_real()->freopen64 : ff_real()->freopen)(ff_sysfs_path(path, buffer), mode, stream);
}

FF_EXPORT DIR *opendir(const char *path)
{
	char buffer[FF_PATH_MAX];

	return ff_real()->opendir(ff_sysfs_path(path, buffer));
}

FF_EXPORT int scandir(const char *path, struct dirent ***names, int (*select)(const struct dirent *),
		      int (*compare)(const struct dirent **, const struct dirent **))
{
	char buffer[FF_PATH_MAX];

	return ff_real()->scandir(ff_sysfs_path(path, buffer), names, select, compare);
}

FF_EXPORT int scandir64(const char *path, struct dirent64 ***names, int (*select)(const struct dirent64 *),
			int (*compare)(const struct dirent64 **, const struct dirent64 **))
{
	char buffer[FF_PATH_MAX];

	return ff_real()->scandir64(ff_sysfs_path(path, buffer), names, select, compare);
}

/* On 64-bit Linux struct stat64 is struct stat. */
static unsigned int major_of(enum ff_kind kind)
{
	return kind == FF_KIND_UVERBS ? FF_UVERBS_MAJOR : FF_RDMA_CM_MAJOR;
}

static unsigned int minor_of(enum ff_kind kind)
{
	return kind == FF_KIND_UVERBS ? FF_UVERBS_MINOR : FF_RDMA_CM_MINOR;
}

/* The device that a path, or a descriptor with an empty path, stands for. */
static enum ff_kind kind_of(int directory, const char *path, int flags)
{
	enum ff_kind kind = device_at(path);
	struct ff_device *device = NULL;

	if (!kind && path && !*path && (flags & AT_EMPTY_PATH))
		device = ff_device_of(directory);
	return device ? device->kind : kind;
}

static int fill(enum ff_kind kind, void *into)
{
	struct stat status = { .st_mode = DEVICE_MODE, .st_nlink = 1, .st_rdev = makedev(major_of(kind), minor_of(kind)) };

	memcpy(into, &status, sizeof(status));
	return 0;
}

/* The kernel's own layout is glibc's and musl's on x86-64 and arm64; newer glibc has no __xstat, older no stat. */
static int status_at(int directory, const char *path, void *into, int flags)
{
	enum ff_kind kind = kind_of(directory, path, flags);
	char buffer[FF_PATH_MAX];

	if (kind)
		return fill(kind, into);
	return (int)ff_kernel(SYS_newfstatat, directory, ff_sysfs_path(path, buffer), into, flags);
}

static int status_of(int descriptor, void *into)
{
	struct ff_device *device = ff_device_of(descriptor);

	if (device)
		return fill(device->kind, into);
	return (int)ff_kernel(SYS_fstat, descriptor, into);
}

FF_EXPORT int stat(const char *path, struct stat *into)
{
	return status_at(AT_FDCWD, path, into, 0);
}

FF_EXPORT int stat64(const char *path, struct stat64 *into)
{
	return status_at(AT_FDCWD, path, into, 0);
}

FF_EXPORT int lstat(const char *path, struct stat *into)
{
	return status_at(AT_FDCWD, path, into, AT_SYMLINK_NOFOLLOW);
}

FF_EXPORT int lstat64(const char *path, struct stat64 *into)
{
	return status_at(AT_FDCWD, path, into, AT_SYMLINK_NOFOLLOW);
}

FF_EXPORT int fstat(int descriptor, struct stat *into)
{
	return status_of(descriptor, into);
}

FF_EXPORT int fstat64(int descriptor, struct stat64 *into)
{
	return status_of(descriptor, into);
}

FF_EXPORT int fstatat(int directory, const char *path, struct stat *into, int flags)
{
	return status_at(directory, path, into, flags);
}

FF_EXPORT int fstatat64(int directory, const char *path, struct stat64 *into, int flags)
{
	return status_at(directory, path, into, flags);
}

/* The forms of glibc before 2.33; `version` says how struct stat is laid out, and there is only one way. */
FF_EXPORT int __xstat(int version, const char *path, struct stat *into)
{
	(void)version;
	return status_at(AT_FDCWD, path, into, 0);
}

FF_EXPORT int __xstat64(int version, const char *path, struct stat64 *into)
{
	(void)version;
	return status_at(AT_FDCWD, path, into, 0);
}

FF_EXPORT int __lxstat(int version, const char *path, struct stat *into)
{
	(void)version;
	return status_at(AT_FDCWD, path, into, AT_SYMLINK_NOFOLLOW);
}

FF_EXPORT int __lxstat64(int version, const char *path, struct stat64 *into)
{
	(void)version;
	return status_at(AT_FDCWD, path, into, AT_SYMLINK_NOFOLLOW);
}

FF_EXPORT int __fxstat(int version, int descriptor, struct stat *into)
{
	(void)version;
	return status_of(descriptor, into);
}

FF_EXPORT int __fxstat64(int version, int descriptor, struct stat64 *into)
{
	(void)version;
	return status_of(descriptor, into);
}

FF_EXPORT int __fxstatat(int version, int directory, const char *path, struct stat *into, int flags)
{
	(void)version;
	return status_at(directory, path, into, flags);
}

FF_EXPORT int __fxstatat64(int version, int directory, const char *path, struct stat64 *into, int flags)
{
	(void)version;
	return status_at(directory, path, into, flags);
}

FF_EXPORT int statx(int directory, const char *path, int flags, unsigned int mask, struct statx *into)
{
	enum ff_kind kind = kind_of(directory, path, flags);
	char buffer[FF_PATH_MAX];

	if (kind) {
		memset(into, 0, sizeof(*into));
		into->stx_mask = STATX_TYPE | STATX_MODE | STATX_NLINK;
		into->stx_mode = DEVICE_MODE;
		into->stx_nlink = 1;
		into->stx_rdev_major = major_of(kind);
		into->stx_rdev_minor = minor_of(kind);
		return 0;
	}
	return (int)ff_kernel(SYS_statx, directory, ff_sysfs_path(path, buffer), flags, mask, into);
}

FF_EXPORT int access(const char *path, int mode)
{
	char buffer[FF_PATH_MAX];

	if (device_at(path))
		return 0;
	return ff_real()->access(ff_sysfs_path(path, buffer), mode);
}

static int effective_access(const char *path, int mode)
{
	char buffer[FF_PATH_MAX];

	if (device_at(path))
		return 0;
	return ff_real()->euidaccess(ff_sysfs_path(path, buffer), mode);
}

FF_EXPORT int euidaccess(const char *path, int mode)
{
	return effective_access(path, mode);
}

FF_EXPORT int eaccess(const char *path, int mode)
{
	return effective_access(path, mode);
}

FF_EXPORT int faccessat(int directory, const char *path, int mode, int flags)
{
	char buffer[FF_PATH_MAX];

	if (device_at(path))
		return 0;
	return ff_real()->faccessat(directory, ff_sysfs_path(path, buffer), mode, flags);
}

static ssize_t read_link(const char *path, char *into, size_t size)
{
	char buffer[FF_PATH_MAX];

	return ff_real()->readlink(ff_sysfs_path(path, buffer), into, size);
}

static ssize_t read_link_at(int directory, const char *path, char *into, size_t size)
{
	char buffer[FF_PATH_MAX];

	return ff_real()->readlinkat(directory, ff_sysfs_path(path, buffer), into, size);
}

FF_EXPORT ssize_t readlink(const char *path, char *into, size_t size)
{
	return read_link(path, into, size);
}

FF_EXPORT ssize_t readlinkat(int directory, const char *path, char *into, size_t size)
{
	return read_link_at(directory, path, into, size);
}

FF_EXPORT ssize_t __readlink_chk(const char *path, char *into, size_t size, size_t room)
{
	if (size > room)
		abort();
	return read_link(path, into, size);
}

FF_EXPORT ssize_t __readlinkat_chk(int directory, const char *path, char *into, size_t size, size_t room)
{
	if (size > room)
		abort();
	return read_link_at(directory, path, into, size);
}

/* A path in the tree resolves to itself: its real place has no name. */
static char *resolve(const char *path, char *into)
{
	char buffer[FF_PATH_MAX];
	const char *there = ff_sysfs_path(path, buffer);

	if (there == path)
		return ff_real()->realpath(path, into);
	if (ff_real()->access(there, F_OK) < 0)
		return NULL;
	return into ? strcpy(into, path) : strdup(path);
}

FF_EXPORT char *realpath(const char *path, char *into)
{
	return resolve(path, into);
}

FF_EXPORT char *__realpath_chk(const char *path, char *into, size_t room)
{
	char buffer[FF_PATH_MAX];

	if (ff_sysfs_path(path, buffer) == path)
		return ff_real()->__realpath_chk ? ff_real()->__realpath_chk(path, into, room) : ff_real()->realpath(path, into);
	return resolve(path, into);
}

FF_EXPORT char *canonicalize_file_name(const char *path)
{
	return resolve(path, NULL);
}

/* Names found in the tree are given back under /sys, where the application looked. */
static void rename_found(char **names, size_t count, const char *there)
{
	size_t prefix = (size_t)(strstr(there, "/class/") - there);

	for (size_t i = 0; i < count; i++) {
		if (strncmp(names[i], there, prefix) != 0)
			continue;
		memmove(names[i] + 4, names[i] + prefix, strlen(names[i] + prefix) + 1);
		memcpy(names[i], "/sys", 4);
	}
}

FF_EXPORT int glob(const char *pattern, int flags, int (*failed)(const char *, int), glob_t *found)
{
	char buffer[FF_PATH_MAX];
	const char *there = ff_sysfs_path(pattern, buffer);
	int result = ff_real()->glob(there, flags, failed, found);

	if (there != pattern && result == 0)
		rename_found(found->gl_pathv + (flags & GLOB_DOOFFS ? found->gl_offs : 0), found->gl_pathc, there);
	return result;
}

FF_EXPORT int glob64(const char *pattern, int flags, int (*failed)(const char *, int), glob64_t *found)
{
	char buffer[FF_PATH_MAX];
	const char *there = ff_sysfs_path(pattern, buffer);
	/* glob64_t is glob_t on 64-bit Linux, and musl has no other. */
	int result = ff_real()->glob64 ? ff_real()->glob64(there, flags, failed, found) : ff_real()->glob(there, flags, failed, (glob_t *)found);

	if (there != pattern && result == 0)
		rename_found(found->gl_pathv + (flags & GLOB_DOOFFS ? found->gl_offs : 0), found->gl_pathc, there);
	return result;
}
