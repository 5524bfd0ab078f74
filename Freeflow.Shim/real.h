/* The functions that stand behind the interposed ones: what the next library in line calls open(), close() and so on. */
#ifndef FREEFLOW_REAL_H
#define FREEFLOW_REAL_H

#include <dirent.h>
#include <glob.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

struct statx;
struct stat64;
struct dirent64;
struct iovec;

/* NAME(result, name, parameters): one line an interposed function. Missing ones stay NULL (older or other C libraries). */
#define FF_REAL_FUNCTIONS(NAME) \
	NAME(int, open, (const char *, int, ...)) \
	NAME(int, open64, (const char *, int, ...)) \
	NAME(int, openat, (int, const char *, int, ...)) \
	NAME(int, openat64, (int, const char *, int, ...)) \
	NAME(int, __open_2, (const char *, int)) \
	NAME(int, __open64_2, (const char *, int)) \
	NAME(int, __openat_2, (int, const char *, int)) \
	NAME(int, __openat64_2, (int, const char *, int)) \
	NAME(FILE *, fopen, (const char *, const char *)) \
	NAME(FILE *, fopen64, (const char *, const char *)) \
	NAME(FILE *, freopen, (const char *, const char *, FILE *)) \
	NAME(FILE *, freopen64, (const char *, const char *, FILE *)) \
	NAME(DIR *, opendir, (const char *)) \
	NAME(int, scandir, (const char *, struct dirent ***, int (*)(const struct dirent *), \
			    int (*)(const struct dirent **, const struct dirent **))) \
	NAME(int, scandir64, (const char *, struct dirent64 ***, int (*)(const struct dirent64 *), \
			      int (*)(const struct dirent64 **, const struct dirent64 **))) \
	NAME(int, stat, (const char *, struct stat *)) \
	NAME(int, stat64, (const char *, struct stat64 *)) \
	NAME(int, lstat, (const char *, struct stat *)) \
	NAME(int, lstat64, (const char *, struct stat64 *)) \
	NAME(int, fstat, (int, struct stat *)) \
	NAME(int, fstat64, (int, struct stat64 *)) \
	NAME(int, fstatat, (int, const char *, struct stat *, int)) \
	NAME(int, fstatat64, (int, const char *, struct stat64 *, int)) \
	NAME(int, __xstat, (int, const char *, struct stat *)) \
	NAME(int, __xstat64, (int, const char *, struct stat64 *)) \
	NAME(int, __lxstat, (int, const char *, struct stat *)) \
	NAME(int, __lxstat64, (int, const char *, struct stat64 *)) \
	NAME(int, __fxstat, (int, int, struct stat *)) \
	NAME(int, __fxstat64, (int, int, struct stat64 *)) \
	NAME(int, __fxstatat, (int, int, const char *, struct stat *, int)) \
	NAME(int, __fxstatat64, (int, int, const char *, struct stat64 *, int)) \
	NAME(int, statx, (int, const char *, int, unsigned int, struct statx *)) \
	NAME(int, access, (const char *, int)) \
	NAME(int, euidaccess, (const char *, int)) \
	NAME(int, eaccess, (const char *, int)) \
	NAME(int, faccessat, (int, const char *, int, int)) \
	NAME(ssize_t, readlink, (const char *, char *, size_t)) \
	NAME(ssize_t, readlinkat, (int, const char *, char *, size_t)) \
	NAME(ssize_t, __readlink_chk, (const char *, char *, size_t, size_t)) \
	NAME(ssize_t, __readlinkat_chk, (int, const char *, char *, size_t, size_t)) \
	NAME(char *, realpath, (const char *, char *)) \
	NAME(char *, __realpath_chk, (const char *, char *, size_t)) \
	NAME(char *, canonicalize_file_name, (const char *)) \
	NAME(int, glob, (const char *, int, int (*)(const char *, int), glob_t *)) \
	NAME(int, glob64, (const char *, int, int (*)(const char *, int), glob64_t *)) \
	NAME(int, socket, (int, int, int)) \
	NAME(int, bind, (int, const struct sockaddr *, socklen_t)) \
	NAME(int, connect, (int, const struct sockaddr *, socklen_t)) \
	NAME(int, listen, (int, int)) \
	NAME(int, shutdown, (int, int)) \
	NAME(ssize_t, sendmsg, (int, const struct msghdr *, int)) \
	NAME(int, accept, (int, struct sockaddr *, socklen_t *)) \
	NAME(int, accept4, (int, struct sockaddr *, socklen_t *, int)) \
	NAME(int, getsockname, (int, struct sockaddr *, socklen_t *)) \
	NAME(int, getpeername, (int, struct sockaddr *, socklen_t *)) \
	NAME(int, setsockopt, (int, int, int, const void *, socklen_t)) \
	NAME(int, epoll_ctl, (int, int, int, struct epoll_event *)) \
	NAME(int, poll, (struct pollfd *, nfds_t, int)) \
	NAME(int, ppoll, (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *)) \
	NAME(int, select, (int, fd_set *, fd_set *, fd_set *, struct timeval *)) \
	NAME(int, pselect, (int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *)) \
	NAME(ssize_t, write, (int, const void *, size_t)) \
	NAME(ssize_t, writev, (int, const struct iovec *, int)) \
	NAME(int, ioctl, (int, unsigned long, ...)) \
	NAME(void *, mmap, (void *, size_t, int, int, int, off_t)) \
	NAME(void *, mmap64, (void *, size_t, int, int, int, off_t)) \
	NAME(int, madvise, (void *, size_t, int)) \
	NAME(int, close, (int)) \
	NAME(int, fclose, (FILE *)) \
	NAME(int, close_range, (unsigned int, unsigned int, int)) \
	NAME(void, closefrom, (int)) \
	NAME(int, dup, (int)) \
	NAME(int, dup2, (int, int)) \
	NAME(int, dup3, (int, int, int)) \
	NAME(int, fcntl, (int, int, ...)) \
	NAME(int, fcntl64, (int, int, ...))

struct ff_real {
#define FF_MEMBER(result, name, parameters) result (*name) parameters;
	FF_REAL_FUNCTIONS(FF_MEMBER)
#undef FF_MEMBER
};

extern struct ff_real ff_real_table;
extern atomic_int ff_real_filled;
void ff_real_fill(void);

/* The table, filled on first use: other libraries' constructors may call in before ours has run. */
static inline const struct ff_real *ff_real(void)
{
	if (!atomic_load_explicit(&ff_real_filled, memory_order_acquire))
		ff_real_fill();
	return &ff_real_table;
}

/* A function by name, wherever it is; NULL when there is none. */
void *ff_symbol(const char *name);

/* Exported to the process; everything else is hidden. */
#define FF_EXPORT __attribute__((visibility("default")))

#endif
