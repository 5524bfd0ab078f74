#define _GNU_SOURCE
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel.h"
#include "listeners.h"
#include "marks.h"
#include "orphans.h"
#include "real.h"
#include "routes.h"
#include "session.h"

#define MAX_DESCRIPTORS 65536
#define HIGH_DESCRIPTOR 700
#define LIMIT_HOLDS 16 /* times that it is needed */

static struct ff_device *_Atomic devices[MAX_DESCRIPTORS];
static struct ff_device protected_mark;
static atomic_int tracked; /* entries that are not NULL: nothing to look up while it is 0 */
static atomic_int owner;   /* the process whose table this is; a vfork child writes into its parent's memory */

static struct ff_device *entry(int descriptor)
{
	if (descriptor < 0 || descriptor >= MAX_DESCRIPTORS)
		return NULL;
	return atomic_load_explicit(&devices[descriptor], memory_order_acquire);
}

static int is_own_table(void)
{
	return atomic_load(&owner) == (int)ff_kernel(SYS_getpid);
}

struct ff_device *ff_device_of(int descriptor)
{
	struct ff_device *device = entry(descriptor);

	return device == &protected_mark ? NULL : device;
}

static int is_protected(int descriptor)
{
	return entry(descriptor) == &protected_mark;
}

static void put(int descriptor, struct ff_device *device)
{
	if (!atomic_exchange(&devices[descriptor], device))
		atomic_fetch_add(&tracked, 1);
	atomic_store(&owner, (int)ff_kernel(SYS_getpid));
}

static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ff_device *spare;

struct ff_device *ff_device_make(void)
{
	struct ff_device *device;

	pthread_mutex_lock(&spare_lock);
	device = spare;
	if (device)
		spare = device->next;
	pthread_mutex_unlock(&spare_lock);
	if (!device)
		device = malloc(sizeof(*device));
	if (!device)
		return NULL;
	memset(device, 0, sizeof(*device));
	for (int i = 0; i < FF_KEPT; i++)
		device->kept[i] = -1;
	device->process = (int)ff_kernel(SYS_getpid);
	pthread_mutex_init(&device->lock, NULL);
	atomic_store(&device->references, 1);
	return device;
}

void ff_device_let_go(struct ff_device *device)
{
	if (atomic_fetch_sub(&device->references, 1) != 1)
		return;
	ff_orphans_unwatch(device);
	if (device->doorbell)
		ff_kernel(SYS_munmap, device->doorbell, device->doorbell_bytes);
	for (int i = 0; i < FF_KEPT; i++)
		if (device->kept[i] >= 0)
			ff_unprotect_and_close(device->kept[i]);
	pthread_mutex_lock(&spare_lock);
	device->next = spare;
	spare = device;
	pthread_mutex_unlock(&spare_lock);
}

struct ff_device *ff_device_hold(int descriptor)
{
	struct ff_device *device = ff_device_of(descriptor);
	int references = device ? atomic_load(&device->references) : 0;

	while (references > 0 && !atomic_compare_exchange_weak(&device->references, &references, references + 1))
		;
	if (references <= 0)
		return NULL;
	if (ff_device_of(descriptor) == device)
		return device;
	ff_device_let_go(device);
	return NULL;
}

/* The descriptor is about to be closed or replaced. */
static void forget(int descriptor)
{
	struct ff_device *device = ff_device_of(descriptor);

	if (!device || !is_own_table())
		return;
	if (atomic_exchange(&devices[descriptor], NULL))
		atomic_fetch_sub(&tracked, 1);
	ff_device_let_go(device);
}

static void copied(int from, int to)
{
	struct ff_device *device = ff_device_of(from);

	if (!device || to < 0 || to >= MAX_DESCRIPTORS || !is_own_table())
		return;
	atomic_fetch_add(&device->references, 1);
	put(to, device);
}

int ff_device_attach(int descriptor, struct ff_device *device)
{
	if (descriptor < 0 || descriptor >= MAX_DESCRIPTORS) {
		errno = EMFILE;
		return -1;
	}
	put(descriptor, device);
	return 0;
}

static int descriptor_limit(void)
{
	struct rlimit limit = { .rlim_cur = RLIM_INFINITY };

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > INT_MAX ? INT_MAX : (int)limit.rlim_cur;
}

int ff_descriptor_limit_lately(void)
{
	static atomic_uint asked;
	static atomic_int known;

	/* Programs change it once, if ever, and connect often. */
	if (atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed) % LIMIT_HOLDS == 0)
		atomic_store_explicit(&known, descriptor_limit(), memory_order_relaxed);
	return atomic_load_explicit(&known, memory_order_relaxed);
}

static int move_up(int descriptor, int limit)
{
	int low = limit > HIGH_DESCRIPTOR ? HIGH_DESCRIPTOR : limit > 64 ? limit - 32 : 3;

	return (int)ff_kernel(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, low);
}

int ff_protect(int descriptor)
{
	int moved = move_up(descriptor, ff_descriptor_limit_lately());

	if (moved < 0)
		moved = move_up(descriptor, descriptor_limit());
	if (moved < 0 || moved >= MAX_DESCRIPTORS)
		return descriptor;
	ff_kernel(SYS_close, descriptor);
	put(moved, &protected_mark);
	return moved;
}

int ff_unprotect(int descriptor)
{
	if (is_protected(descriptor) && atomic_exchange(&devices[descriptor], NULL))
		atomic_fetch_sub(&tracked, 1);
	return descriptor;
}

void ff_unprotect_and_close(int descriptor)
{
	ff_kernel(SYS_close, ff_unprotect(descriptor));
}

int ff_descriptors_are_own(void)
{
	return atomic_load(&owner) == 0 || is_own_table();
}

void ff_descriptors_forked(void)
{
	if (atomic_load(&tracked) > 0)
		atomic_store(&owner, (int)ff_kernel(SYS_getpid));
}

/* In a function of its own, so that close() of a descriptor that nothing is known of saves no registers. */
static __attribute__((noinline)) int close_known(int descriptor)
{
	ff_mark_closing(descriptor);
	if (atomic_load_explicit(&tracked, memory_order_relaxed) > 0) {
		if (is_protected(descriptor) && is_own_table()) {
			/* To the application it was never open. */
			errno = EBADF;
			return -1;
		}
		forget(descriptor);
	}
	return ff_real()->close(descriptor);
}

int ff_close(int descriptor)
{
	return entry(descriptor) || ff_mark(descriptor) ? close_known(descriptor) : ff_real()->close(descriptor);
}

FF_EXPORT int close(int descriptor)
{
	return ff_close(descriptor);
}

/* A stream's descriptor is closed within libc. */
FF_EXPORT int fclose(FILE *stream)
{
	int saved = errno, descriptor = stream ? fileno(stream) : -1;

	if (descriptor >= 0)
		ff_mark_closing(descriptor);
	errno = saved;
	return ff_real()->fclose(stream);
}

/* Closes [first, last] around what is protected. */
static int close_around(unsigned int first, unsigned int last, int flags)
{
	unsigned int end = last < MAX_DESCRIPTORS - 1 ? last : MAX_DESCRIPTORS - 1;
	unsigned int start = first;
	int result = 0;

	for (unsigned int at = first; at <= end && at >= first; at++) {
		if (!is_protected((int)at)) {
			if (!(flags & CLOSE_RANGE_CLOEXEC)) {
				ff_mark_closing((int)at);
				forget((int)at);
			}
			continue;
		}
		if (at > start)
			result |= (int)ff_kernel(SYS_close_range, start, at - 1, flags);
		start = at + 1;
	}
	if (start <= last)
		result |= (int)ff_kernel(SYS_close_range, start, last, flags);
	return result ? -1 : 0;
}

int ff_close_range(unsigned int first, unsigned int last, int flags)
{
	/* With its own copy of the table (CLOSE_RANGE_UNSHARE) or in a vfork child nothing of ours is touched. */
	if (first <= last && atomic_load(&tracked) > 0 && is_own_table())
		return close_around(first, last, flags);
	if (ff_real()->close_range)
		return ff_real()->close_range(first, last, flags);
	return (int)ff_kernel(SYS_close_range, first, last, flags);
}

FF_EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
	return ff_close_range(first, last, flags);
}

FF_EXPORT void closefrom(int first)
{
	if (atomic_load(&tracked) > 0 && is_own_table()) {
		if (close_around(first < 0 ? 0 : (unsigned int)first, UINT_MAX, 0) == 0)
			return;
		/* A kernel without close_range. */
		for (int at = first < 0 ? 0 : first; at < MAX_DESCRIPTORS; at++)
			if (!is_protected(at))
				ff_kernel(SYS_close, at);
		return;
	}
	if (ff_real()->closefrom)
		ff_real()->closefrom(first);
	else
		ff_kernel(SYS_close_range, first < 0 ? 0 : first, UINT_MAX, 0);
}

static __attribute__((noinline)) int dup_known(int descriptor)
{
	int made = ff_real()->dup(descriptor);

	if (made >= 0) {
		copied(descriptor, made);
		ff_mark_copied(descriptor, made);
	}
	return made;
}

FF_EXPORT int dup(int descriptor)
{
	return entry(descriptor) || ff_mark(descriptor) ? dup_known(descriptor) : ff_real()->dup(descriptor);
}

static int *holder_of(int descriptor)
{
	int *holder;

	for (int at = 0; at < MAX_DESCRIPTORS; at++) {
		struct ff_device *device = ff_device_of(at);

		for (int i = 0; device && i < FF_KEPT; i++)
			if (device->kept[i] == descriptor)
				return &device->kept[i];
	}
	holder = ff_session_holder(descriptor);
	holder = holder ? holder : ff_routes_holder(descriptor);
	return holder ? holder : ff_listeners_holder(descriptor);
}

/* Somebody wants the number of a descriptor of ours: it moves out of the way. */
static void make_way(int descriptor)
{
	int *holder, moved;

	if (!is_protected(descriptor) || !is_own_table())
		return;
	holder = holder_of(descriptor);
	moved = holder ? (int)ff_kernel(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, descriptor + 1) : -1;
	if (moved >= 0 && moved < MAX_DESCRIPTORS) {
		put(moved, &protected_mark);
		*holder = moved;
	}
	if (atomic_exchange(&devices[descriptor], NULL))
		atomic_fetch_sub(&tracked, 1);
}

static void replacing(int from, int to)
{
	if (from == to)
		return;
	/* Nothing is replaced when there is nothing to put there. */
	if (ff_mark(to) && ff_kernel(SYS_fcntl, from, F_GETFD, 0) >= 0)
		ff_mark_closing(to);
	if (atomic_load(&tracked) > 0) {
		make_way(to);
		forget(to);
	}
}

static void replaced(int from, int to, int result)
{
	if (result < 0 || from == to)
		return;
	copied(from, to);
	ff_mark_copied(from, to);
}

FF_EXPORT int dup2(int from, int to)
{
	int result;

	replacing(from, to);
	result = ff_real()->dup2(from, to);
	replaced(from, to, result);
	return result;
}

FF_EXPORT int dup3(int from, int to, int flags)
{
	int result;

	replacing(from, to);
	result = ff_real()->dup3(from, to, flags);
	replaced(from, to, result);
	return result;
}

static int after_fcntl(int descriptor, int command, int result)
{
	if (result >= 0 && (command == F_SETOWN || command == F_SETOWN_EX || command == F_SETSIG))
		ff_mark_add(descriptor, FF_MARK_FRESH, FF_MARK_OWNED);
	if (result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC)) {
		copied(descriptor, result);
		ff_mark_copied(descriptor, result);
	}
	return result;
}

/* Every argument of fcntl fits a pointer, and is passed as one. */
FF_EXPORT int fcntl(int descriptor, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return after_fcntl(descriptor, command, ff_real()->fcntl(descriptor, command, argument));
}

FF_EXPORT int fcntl64(int descriptor, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return after_fcntl(descriptor, command,
			   (ff_real()->fcntl64 ? ff_real()->fcntl64 : ff_real()->fcntl)(descriptor, command, argument));
}
