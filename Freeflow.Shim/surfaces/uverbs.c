#define _GNU_SOURCE
#include "uverbs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <rdma/ib_user_verbs.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../channel.h"
#include "../descriptors.h"
#include "../kernel.h"
#include "../log.h"
#include "../memory.h"
#include "../orphans.h"
#include "../real.h"
#include "rdma_cm.h"
#include "sysfs.h"

#define DEVICE_PATH "/dev/infiniband/uverbs0"
#define NETLINK_RDMA_PROTOCOL 20

int ff_uverbs_is_device(const char *path)
{
	return path && strcmp(path, DEVICE_PATH) == 0 && ff_sysfs_is_available();
}

static struct ff_device *make_device(struct ff_reply *reply)
{
	const struct ff_hello_reply *hello = (const void *)reply->payload;
	struct ff_device *device;

	if (reply->descriptor_count != 3 || hello->doorbell_bytes < sizeof(struct ff_doorbell)) {
		errno = EPROTO;
		return NULL;
	}
	device = ff_device_make();
	if (!device)
		return NULL;
	device->doorbell_bytes = hello->doorbell_bytes;
	device->doorbell = (void *)ff_kernel(SYS_mmap, NULL, device->doorbell_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
					   reply->descriptors[0], 0L);
	if (device->doorbell == MAP_FAILED) {
		device->doorbell = NULL;
		ff_device_let_go(device);
		return NULL;
	}
	device->kind = FF_KIND_UVERBS;
	device->kept[FF_WAKE] = ff_protect(reply->descriptors[1]);
	device->kept[FF_LIFELINE] = ff_protect(reply->descriptors[2]);
	device->token = hello->token;
	return device;
}

int ff_uverbs_open(int flags)
{
	struct ff_device *device;
	struct ff_reply reply;
	int files[2], channel, saved;

	files[0] = (int)ff_kernel(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR | O_CLOEXEC, 0);
	files[1] = (int)ff_kernel(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	if (files[0] < 0 || files[1] < 0) {
		ff_debug("the device can't be opened: /proc/self/mem or maps: %s", strerror(errno));
		channel = -1;
	} else {
		channel = ff_channel_open(FF_KIND_UVERBS, files, 2, &reply);
	}
	saved = errno;
	for (int i = 0; i < 2; i++)
		if (files[i] >= 0)
			ff_kernel(SYS_close, files[i]);
	errno = saved;
	if (channel < 0)
		return -1;
	device = make_device(&reply);
	saved = errno;
	ff_reply_close(&reply, device ? 3 : 0);
	if (device)
		ff_kernel(SYS_close, reply.descriptors[0]);
	if (!device || ff_device_attach(channel, device) < 0) {
		if (device)
			saved = errno;
		ff_kernel(SYS_close, channel);
		errno = saved;
		return -1;
	}
	if (!(flags & O_CLOEXEC))
		ff_kernel(SYS_fcntl, channel, F_SETFD, 0);
	ff_orphans_watch(device);
	return channel;
}

/* One request on the device's socket. Fails with EIO once the router is gone, and in a child, whose parent's it is. */
static int call(int descriptor, struct ff_device *device, enum ff_type type, const void *payload, size_t length, const int *files,
		int count, struct ff_reply *reply)
{
	if (atomic_load(&device->lost) || device->process != (int)ff_kernel(SYS_getpid)) {
		errno = EIO;
		return -1;
	}
	if (ff_channel_call(descriptor, ++device->sequence, type, payload, length, files, count, reply) < 0) {
		ff_debug("the router is lost: %s", strerror(errno));
		atomic_store(&device->lost, 1);
		errno = EIO;
		return -1;
	}
	return 0;
}

static void ring(struct ff_device *device, uint32_t handle)
{
	struct ff_doorbell *doorbell = device->doorbell;
	uint64_t one = 1;

	__atomic_fetch_or(&doorbell->send[handle / 64], 1ull << handle % 64, __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&doorbell->summary, 1ull << handle / 64, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&doorbell->asleep, __ATOMIC_SEQ_CST) && __atomic_exchange_n(&doorbell->asleep, 0, __ATOMIC_SEQ_CST)) {
		int saved = errno;

		ff_kernel(SYS_write, device->kept[FF_WAKE], &one, sizeof(one));
		errno = saved;
	}
}

/*
 * The two commands of the hot path are stores in shared memory. Returns 0 when it was neither, else 1, or -1 with errno.
 */
static int quick(struct ff_device *device, const struct ib_uverbs_cmd_hdr *header, const void *bytes, size_t length)
{
	if (header->command == IB_USER_VERBS_CMD_POST_SEND) {
		struct ib_uverbs_post_send post;

		if (length < sizeof(*header) + sizeof(post))
			return 0;
		memcpy(&post, (const char *)bytes + sizeof(*header), sizeof(post));
		if (post.wr_count != 0)
			return 0;
		if (post.qp_handle >= FF_MAX_QPS) {
			errno = EINVAL;
			return -1;
		}
		if (!(__atomic_load_n(&device->doorbell->sendable[post.qp_handle / 64], __ATOMIC_ACQUIRE) >> post.qp_handle % 64 & 1)) {
			errno = EINVAL;
			return -1;
		}
		/* The request lies in its queue already. With a router it is carried out, without one it is flushed: it never both fails and completes. */
		if (!atomic_load_explicit(&device->lost, memory_order_relaxed)) {
			ring(device, post.qp_handle);
		} else if (!device->is_watched) {
			errno = EIO;
			return -1;
		}
		return 1;
	}
	if (header->command == IB_USER_VERBS_CMD_REQ_NOTIFY_CQ) {
		struct ib_uverbs_req_notify_cq notify;
		uint32_t armed, wanted;

		if (length < sizeof(*header) + sizeof(notify))
			return 0;
		memcpy(&notify, (const char *)bytes + sizeof(*header), sizeof(notify));
		if (notify.cq_handle >= FF_MAX_CQS) {
			errno = EINVAL;
			return -1;
		}
		wanted = notify.solicited_only ? FF_ARM_SOLICITED : FF_ARM_ANY;
		armed = __atomic_load_n(&device->doorbell->arm[notify.cq_handle], __ATOMIC_SEQ_CST);
		while (armed < wanted && !__atomic_compare_exchange_n(&device->doorbell->arm[notify.cq_handle], &armed, wanted, 0,
								       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		return 1;
	}
	return 0;
}

/* Where the caller wants the response, and how much of it. */
static void *response_of(const struct ib_uverbs_cmd_hdr *header, const void *bytes, size_t length, size_t *room)
{
	uint64_t address = 0;

	*room = 0;
	if (header->command & IB_USER_VERBS_CMD_FLAG_EXTENDED) {
		struct ib_uverbs_ex_cmd_hdr extended;

		if (length < sizeof(*header) + sizeof(extended))
			return NULL;
		memcpy(&extended, (const char *)bytes + sizeof(*header), sizeof(extended));
		address = extended.response;
		*room = ((size_t)header->out_words + extended.provider_out_words) * 8;
	} else if (header->out_words && length >= sizeof(*header) + sizeof(address)) {
		memcpy(&address, (const char *)bytes + sizeof(*header), sizeof(address));
		*room = (size_t)header->out_words * 4;
	}
	return (void *)(uintptr_t)address;
}

/* A CQ's completion channel is named by its descriptor, which means something only here: it goes along. */
static int channel_of(const struct ib_uverbs_cmd_hdr *header, const void *bytes, size_t length, int *channel)
{
	size_t offset = sizeof(*header) + offsetof(struct ib_uverbs_create_cq, comp_channel);
	int32_t number;

	*channel = -1;
	if ((header->command & IB_USER_VERBS_CMD_COMMAND_MASK) != IB_USER_VERBS_CMD_CREATE_CQ)
		return 0;
	if (header->command & IB_USER_VERBS_CMD_FLAG_EXTENDED)
		offset = sizeof(*header) + sizeof(struct ib_uverbs_ex_cmd_hdr) + offsetof(struct ib_uverbs_ex_create_cq, comp_channel);
	if (length < offset + sizeof(number))
		return 0;
	memcpy(&number, (const char *)bytes + offset, sizeof(number));
	if (number < 0)
		return 0;
	if (ff_kernel(SYS_fcntl, number, F_GETFD, 0) < 0)
		return -1; /* EBADF, as the kernel says */
	*channel = number;
	return 0;
}

static void share_before_registration(int descriptor, struct ff_device *device, const struct ib_uverbs_cmd_hdr *header, const void *bytes,
				      size_t length)
{
	struct ib_uverbs_reg_mr registration;

	if (header->command != IB_USER_VERBS_CMD_REG_MR || length < sizeof(*header) + sizeof(registration))
		return;
	memcpy(&registration, (const char *)bytes + sizeof(*header), sizeof(registration));
	ff_memory_share(device, descriptor, registration.start, registration.length);
}

/* The descriptor that a reply brings for the application gets its place in the payload; a second one is ours. */
static void place_descriptors(struct ff_device *device, struct ff_reply *reply)
{
	int is_for_application = reply->descriptor_count > 0 && reply->length >= sizeof(uint32_t) &&
				 reply->descriptor_patch <= reply->length - sizeof(uint32_t);

	if (!is_for_application) {
		ff_reply_close(reply, 0);
		return;
	}
	memcpy(reply->payload + reply->descriptor_patch, &reply->descriptors[0], sizeof(uint32_t));
	if (reply->descriptor_count == 2 && device->is_watched && device->kept[FF_EVENTS] < 0) {
		__atomic_store_n(&device->kept[FF_EVENTS], ff_protect(reply->descriptors[1]), __ATOMIC_RELEASE);
		return;
	}
	ff_reply_close(reply, 1);
}

static ssize_t command(int descriptor, struct ff_device *device, const void *bytes, size_t length)
{
	struct ib_uverbs_cmd_hdr header;
	struct ff_reply reply;
	size_t room, given;
	void *response;
	int channel, result;

	if (length < sizeof(header)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(&header, bytes, sizeof(header));
	result = quick(device, &header, bytes, length);
	if (result)
		return result < 0 ? -1 : (ssize_t)length;
	if (channel_of(&header, bytes, length, &channel) < 0)
		return -1;
	response = response_of(&header, bytes, length, &room);

	pthread_mutex_lock(&device->lock);
	if (!atomic_load(&device->lost) && device->process == (int)ff_kernel(SYS_getpid))
		share_before_registration(descriptor, device, &header, bytes, length);
	result = call(descriptor, device, FF_COMMAND, bytes, length, &channel, channel >= 0, &reply);
	pthread_mutex_unlock(&device->lock);
	if (result < 0)
		return -1;
	if (reply.error) {
		ff_reply_close(&reply, 0);
		errno = reply.error;
		return -1;
	}
	place_descriptors(device, &reply);
	given = reply.length < room ? reply.length : room;
	if (response && given)
		memcpy(response, reply.payload, given);
	return (ssize_t)length;
}

static ssize_t write_to(int descriptor, struct ff_device *device, const void *bytes, size_t length)
{
	return device->kind == FF_KIND_RDMA_CM ? ff_rdma_cm_write(descriptor, bytes, length)
					       : command(descriptor, device, bytes, length);
}

FF_EXPORT ssize_t write(int descriptor, const void *bytes, size_t length)
{
	struct ff_device *device = ff_device_of(descriptor);

	return device ? write_to(descriptor, device, bytes, length) : ff_real()->write(descriptor, bytes, length);
}

FF_EXPORT ssize_t writev(int descriptor, const struct iovec *vectors, int count)
{
	struct ff_device *device = ff_device_of(descriptor);
	unsigned char bytes[FF_MAX_MESSAGE];
	size_t length = 0;

	if (!device)
		return ff_real()->writev(descriptor, vectors, count);
	for (int i = 0; i < count; i++) {
		if (vectors[i].iov_len > sizeof(bytes) - length) {
			errno = EINVAL;
			return -1;
		}
		memcpy(bytes + length, vectors[i].iov_base, vectors[i].iov_len);
		length += vectors[i].iov_len;
	}
	return write_to(descriptor, device, bytes, length);
}

FF_EXPORT int ioctl(int descriptor, unsigned long request, ...)
{
	struct ff_device *device = ff_device_of(descriptor);
	va_list arguments;
	void *argument;

	if (device && !ff_rdma_cm_passes_ioctl(device, request)) {
		/* A kernel without the ioctl ABI: the library uses write() from then on. */
		errno = ENOTTY;
		return -1;
	}
	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return ff_real()->ioctl(descriptor, request, argument);
}

static void *map_ring(int descriptor, struct ff_device *device, void *address, size_t length, int protection, int flags, off_t offset)
{
	struct ff_mmap request = { .offset = (uint64_t)offset, .length = length };
	struct ff_reply reply;
	void *mapped = MAP_FAILED;
	int result;

	pthread_mutex_lock(&device->lock);
	result = call(descriptor, device, FF_MMAP, &request, sizeof(request), NULL, 0, &reply);
	pthread_mutex_unlock(&device->lock);
	if (result < 0)
		return MAP_FAILED;
	if (reply.error || reply.descriptor_count != 1) {
		result = reply.error ? reply.error : EIO;
	} else {
		mapped = (void *)ff_kernel(SYS_mmap, address, length, protection, flags, reply.descriptors[0], 0L);
		result = errno;
	}
	ff_reply_close(&reply, 0);
	if (mapped == MAP_FAILED)
		errno = result;
	return mapped;
}

static void *map(void *address, size_t length, int protection, int flags, int descriptor, off_t offset)
{
	struct ff_device *device = flags & MAP_ANONYMOUS ? NULL : ff_device_of(descriptor);

	if (device && device->kind == FF_KIND_RDMA_CM) {
		errno = ENODEV;
		return MAP_FAILED;
	}
	if (device)
		return map_ring(descriptor, device, address, length, protection, flags, offset);
	/* malloc's own may come before libc has set up dlsym. */
	return (void *)ff_kernel(SYS_mmap, address, length, protection, flags, descriptor, offset);
}

FF_EXPORT void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset)
{
	return map(address, length, protection, flags, descriptor, offset);
}

FF_EXPORT void *mmap64(void *address, size_t length, int protection, int flags, int descriptor, off_t offset)
{
	return map(address, length, protection, flags, descriptor, offset);
}

int ff_uverbs_hides(int family, int protocol)
{
	/* The kernel knows nothing of our device; without netlink the library reads sysfs. */
	return family == AF_NETLINK && protocol == NETLINK_RDMA_PROTOCOL && ff_sysfs_is_available();
}
