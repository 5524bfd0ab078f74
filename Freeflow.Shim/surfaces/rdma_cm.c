/*
 * Applications poll the descriptor that they write commands to. So it is the end of a socket pair, readable exactly while
 * events wait, with the blocking mode that the application has set; the commands go over a socket of their own.
 */
#define _GNU_SOURCE
#include "rdma_cm.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <rdma/rdma_user_cm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../channel.h"
#include "../clock.h"
#include "../copies.h"
#include "../kernel.h"
#include "../log.h"
#include "../threads.h"
#include "sysfs.h"

#define DEVICE_PATH "/dev/infiniband/rdma_cm"

/* No option comes near it: the largest is a handful of path records. */
#define MAX_OPTION 4096u

#define HIGH_DESCRIPTOR 512

/* Milliseconds, for which the end of an id waits for those who read its events. */
#define MAX_PATIENCE 100

int ff_rdma_cm_is_device(const char *path)
{
	return path && strcmp(path, DEVICE_PATH) == 0 && ff_sysfs_is_available();
}

/*
 * librspreload of rdma-core before 63 looks for a socket of its own by a descriptor's number, and finds that of an rdma_cm
 * descriptor instead where that is the lower one: select() then tells of the wrong descriptor. There they get high numbers.
 */
static int out_of_the_way(int visible)
{
	const char *preloads = getenv("LD_PRELOAD");
	int moved;

	if (!preloads || !strstr(preloads, "librspreload"))
		return visible;
	moved = (int)ff_kernel(SYS_fcntl, visible, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
	if (moved < 0)
		return visible;
	ff_kernel(SYS_close, visible);
	return moved;
}

static struct ff_device *make_device(int channel)
{
	struct ff_device *device = ff_device_make();

	if (!device)
		return NULL;
	device->kind = FF_KIND_RDMA_CM;
	device->kept[FF_CHANNEL] = ff_protect(channel);
	return device;
}

int ff_rdma_cm_open(int flags)
{
	struct ff_device *device = NULL;
	struct ff_reply reply;
	int channel, visible, saved;

	channel = ff_channel_open(FF_KIND_RDMA_CM, NULL, 0, &reply);
	if (channel < 0)
		return -1;
	errno = EPROTO;
	if (reply.descriptor_count == 1)
		device = make_device(channel);
	if (!device) {
		saved = errno;
		ff_reply_close(&reply, 0);
		ff_kernel(SYS_close, channel);
		errno = saved;
		return -1;
	}
	visible = out_of_the_way(reply.descriptors[0]);
	if (!(flags & O_CLOEXEC))
		ff_kernel(SYS_fcntl, visible, F_SETFD, 0);
	if (flags & O_NONBLOCK)
		ff_kernel(SYS_fcntl, visible, F_SETFL, O_RDWR | O_NONBLOCK);
	if (ff_device_attach(visible, device) < 0) {
		ff_device_let_go(device);
		ff_kernel(SYS_close, visible);
		errno = EMFILE;
		return -1;
	}
	return visible;
}

/* Where a command says that it wants its response; NULL where it has none. */
static void *response_of(uint32_t command, const unsigned char *body, size_t length)
{
	size_t offset = 0;
	uint64_t address;

	switch (command) {
	case RDMA_USER_CM_CMD_CREATE_ID:
		offset = offsetof(struct rdma_ucm_create_id, response);
		break;
	case RDMA_USER_CM_CMD_DESTROY_ID:
	case RDMA_USER_CM_CMD_QUERY_ROUTE:
	case RDMA_USER_CM_CMD_INIT_QP_ATTR:
	case RDMA_USER_CM_CMD_GET_EVENT:
	case RDMA_USER_CM_CMD_JOIN_IP_MCAST:
	case RDMA_USER_CM_CMD_LEAVE_MCAST:
	case RDMA_USER_CM_CMD_MIGRATE_ID:
	case RDMA_USER_CM_CMD_QUERY:
	case RDMA_USER_CM_CMD_JOIN_MCAST:
		break;
	default:
		return NULL;
	}
	if (length < offset + sizeof(address))
		return NULL;
	memcpy(&address, body + offset, sizeof(address));
	return (void *)(uintptr_t)address;
}

/* What a command only points to goes along: an option's value behind it, the descriptor that an id leaves beside it. */
static int complete(unsigned char *message, size_t *length, int *other)
{
	struct rdma_ucm_cmd_hdr header;
	unsigned char *body = message + sizeof(header);

	*other = -1;
	memcpy(&header, message, sizeof(header));
	if (header.cmd == RDMA_USER_CM_CMD_SET_OPTION && header.in >= sizeof(struct rdma_ucm_set_option)) {
		struct rdma_ucm_set_option option;

		memcpy(&option, body, sizeof(option));
		if (option.optlen > MAX_OPTION) {
			errno = EINVAL;
			return -1;
		}
		if (ff_copy_from(message + *length, (void *)(uintptr_t)option.optval, option.optlen) < 0)
			return -1;
		*length += option.optlen;
	} else if (header.cmd == RDMA_USER_CM_CMD_MIGRATE_ID && header.in >= sizeof(struct rdma_ucm_migrate_id)) {
		struct rdma_ucm_migrate_id migrate;

		memcpy(&migrate, body, sizeof(migrate));
		if (ff_kernel(SYS_fcntl, (int)migrate.fd, F_GETFD, 0) < 0) {
			errno = ENOENT; /* as the kernel says here */
			return -1;
		}
		*other = (int)migrate.fd;
	}
	return 0;
}

static int call(struct ff_device *device, const void *message, size_t length, int other, struct ff_reply *reply)
{
	int result = -1;

	if (device->process == (int)ff_kernel(SYS_getpid)) {
		pthread_mutex_lock(&device->lock);
		if (!atomic_load(&device->lost))
			result = ff_channel_call(device->kept[FF_CHANNEL], ++device->sequence, FF_COMMAND, message, length, &other, other >= 0, reply);
		if (result < 0 && !atomic_exchange(&device->lost, 1))
			ff_debug("the router is lost: %s", strerror(errno));
		pthread_mutex_unlock(&device->lock);
	}
	if (result < 0)
		errno = EIO;
	return result;
}

/*
 * Where another thread may be about to read an event that it has been told of, the id's end can wait a moment for that: the
 * event would be withdrawn, and the reader of a blocking descriptor sleep on. In the kernel there are microseconds between the
 * two, here there is a way to the router. `is_patient` is 0 for the last attempt.
 */
static void set_patience(int descriptor, unsigned char *body, int is_patient)
{
	struct rdma_ucm_destroy_id *destroy = (void *)body;
	int flags = (int)ff_kernel(SYS_fcntl, descriptor, F_GETFL, 0);
	uint32_t patience = is_patient && flags >= 0 && !(flags & O_NONBLOCK) ? FF_PATIENT : 0;

	memcpy(&destroy->reserved, &patience, sizeof(patience));
}

/* Leaves the reader time, in all no more than a moment from `since` on. Whether to ask with patience once more. */
static int wait_for_reader(long since)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	if (ff_milliseconds() - since >= MAX_PATIENCE || ff_has_one_thread())
		return 0;
	ff_kernel(SYS_nanosleep, &moment, NULL);
	return 1;
}

/* Waits, where the descriptor blocks, until an event is there. It is a cancellation point, as write() is. */
static int await_event(int descriptor)
{
	char byte;
	ssize_t got = recv(descriptor, &byte, 1, MSG_PEEK);

	if (got == 0)
		errno = EIO; /* the router is gone */
	return got > 0 ? 0 : -1;
}

static ssize_t command(int descriptor, struct ff_device *device, const void *bytes, size_t length)
{
	unsigned char message[FF_MAX_MESSAGE - sizeof(struct ff_header)];
	struct rdma_ucm_cmd_hdr header;
	struct ff_reply reply;
	size_t used, given;
	void *response;
	int other, ends_id, is_patient = 1, again;
	long begun = 0;

	if (length < sizeof(header)) {
		errno = EINVAL;
		return -1;
	}
	if (ff_copy_from(&header, bytes, sizeof(header)) < 0)
		return -1;
	used = sizeof(header) + header.in;
	if (used > length || used > sizeof(message) - MAX_OPTION) {
		errno = EINVAL;
		return -1;
	}
	if (ff_copy_from(message, bytes, used) < 0)
		return -1;
	response = response_of(header.cmd, message + sizeof(header), header.in);
	if (complete(message, &used, &other) < 0)
		return -1;
	ends_id = header.cmd == RDMA_USER_CM_CMD_DESTROY_ID && header.in >= sizeof(struct rdma_ucm_destroy_id);
	do {
		if (header.cmd == RDMA_USER_CM_CMD_GET_EVENT && await_event(descriptor) < 0)
			return -1;
		if (ends_id)
			set_patience(descriptor, message + sizeof(header), is_patient);
		if (call(device, message, used, other, &reply) < 0)
			return -1;
		ff_reply_close(&reply, 0);
		/* Another thread may have been quicker, or be about to read. */
		again = reply.error == EAGAIN && (header.cmd == RDMA_USER_CM_CMD_GET_EVENT || (ends_id && is_patient));
		if (again && ends_id) {
			begun = begun ? begun : ff_milliseconds();
			is_patient = wait_for_reader(begun);
		}
	} while (again);
	if (reply.error) {
		errno = reply.error;
		return -1;
	}
	given = reply.length < header.out ? reply.length : header.out;
	if (given && ff_copy_to(response, reply.payload, given) < 0)
		return -1;
	return (ssize_t)length;
}

ssize_t ff_rdma_cm_write(int descriptor, const void *bytes, size_t length)
{
	struct ff_device *device = ff_device_hold(descriptor);
	ssize_t result;

	if (!device) {
		errno = EBADF;
		return -1;
	}
	result = command(descriptor, device, bytes, length);
	ff_device_let_go(device);
	return result;
}

int ff_rdma_cm_passes_ioctl(const struct ff_device *device, unsigned long request)
{
	return device->kind == FF_KIND_RDMA_CM && (request == FIONBIO || request == FIOCLEX || request == FIONCLEX || request == FIOASYNC);
}
