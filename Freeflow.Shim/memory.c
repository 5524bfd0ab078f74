#define _GNU_SOURCE
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "channel.h"
#include "clock.h"
#include "kernel.h"
#include "log.h"
#include "maps.h"
#include "threads.h"
#include "real.h"

#define SHARED_NAME "/memfd:freeflow-mr"
#define CHILD_MILLISECONDS 10000

static atomic_int shares; /* ranges ever shared: while it is 0 nobody looks anything up */
static int fork_pipe[2] = { -1, -1 };

/* Whether a line of /proc/self/maps, from its permissions on, is of memory that the router shares. */
static int is_shared(const char *line)
{
	return line[0] == ' ' && line[1] && line[2] && line[3] && line[4] == 's' && strstr(line, SHARED_NAME) != NULL;
}

static void map_shares(const struct ff_reply *reply)
{
	const struct ff_share_reply *answer = (const void *)reply->payload;

	if (reply->error || reply->length < sizeof(*answer) || answer->count == 0 || answer->count > FF_MAX_SHARES ||
	    reply->length < sizeof(*answer) + answer->count * sizeof(answer->shares[0]) || reply->descriptor_count != 1)
		return;
	for (uint32_t i = 0; i < answer->count; i++) {
		const struct ff_share *share = &answer->shares[i];
		void *where = (void *)(uintptr_t)share->address;

		/* A range that can't be mapped just stays private: the router looks at what is there. */
		if (ff_kernel(SYS_mmap, where, share->length, (int)share->protection, MAP_SHARED | MAP_FIXED, reply->descriptors[0],
			    share->offset) != -1)
			atomic_fetch_add(&shares, 1);
	}
}

void ff_memory_share(struct ff_device *device, int socket, uint64_t address, uint64_t length)
{
	struct ff_share_request request = { .address = address, .length = length };
	const char *wanted = getenv("FREEFLOW_SHARE");
	struct ff_reply reply;
	unsigned char all[8], before[8]; /* the kernel's signal sets: pthread_sigmask is too new a symbol */

	if (length < 4096 || (wanted && strcmp(wanted, "off") == 0) || !ff_has_one_thread())
		return;
	memset(all, 0xff, sizeof(all));
	if (ff_kernel(SYS_rt_sigprocmask, SIG_SETMASK, all, before, sizeof(all)) < 0)
		return;
	/* From here to the mapping nothing may store into these pages: one thread, no signal handler, the router copies. */
	if (ff_channel_call(socket, ++device->sequence, FF_SHARE, &request, sizeof(request), NULL, 0, &reply) < 0) {
		atomic_store(&device->lost, 1);
	} else {
		map_shares(&reply);
		ff_reply_close(&reply, 0);
	}
	ff_kernel(SYS_rt_sigprocmask, SIG_SETMASK, before, NULL, sizeof(before));
}

struct advice {
	int advice;
	int result;
};

static void advise(uint64_t start, uint64_t end, const char *line, void *context)
{
	struct advice *advice = context;

	/* Private memory reads as zeroes afterwards; shared memory only when its pages are taken out of the file. */
	if (ff_real()->madvise((void *)(uintptr_t)start, end - start, is_shared(line) ? MADV_REMOVE : advice->advice) < 0)
		advice->result = -1;
}

FF_EXPORT int madvise(void *address, size_t length, int advice)
{
	uint64_t start = (uintptr_t)address;
	struct advice each = { .advice = advice };

	if ((advice != MADV_DONTNEED && advice != MADV_FREE) || atomic_load(&shares) == 0 || length == 0)
		return ff_real()->madvise(address, length, advice);
	ff_each_mapping(start, start + length, advise, &each);
	return each.result;
}

void ff_memory_before_fork(void)
{
	fork_pipe[0] = fork_pipe[1] = -1;
	if (atomic_load(&shares) > 0 && pipe2(fork_pipe, O_CLOEXEC) < 0)
		fork_pipe[0] = fork_pipe[1] = -1;
}

void ff_memory_in_parent(void)
{
	struct pollfd child = { .fd = fork_pipe[0], .events = POLLIN };
	int saved = errno;
	long deadline, left;

	if (fork_pipe[0] < 0)
		return;
	/* The child closes its end when it has copied; when it dies before, that is the end as well. */
	ff_kernel(SYS_close, fork_pipe[1]);
	deadline = ff_milliseconds() + CHILD_MILLISECONDS;
	while ((left = deadline - ff_milliseconds()) > 0 && ff_wait(&child, 1, (int)left) < 0 && errno == EINTR)
		;
	ff_kernel(SYS_close, fork_pipe[0]);
	errno = saved;
}

static void make_private(uint64_t start, uint64_t end, const char *line, void *context)
{
	size_t length = end - start;
	void *here = (void *)(uintptr_t)start;
	void *copy;

	(void)context;
	if (!is_shared(line))
		return;
	copy = (void *)ff_kernel(SYS_mmap, NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
	if (copy == MAP_FAILED)
		abort(); /* to go on would be to write into the parent's memory */
	memcpy(copy, here, length);
	if (ff_kernel(SYS_mremap, copy, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, here) == -1)
		abort();
}

void ff_memory_in_child(void)
{
	int saved = errno;

	if (atomic_load(&shares) > 0) {
		ff_each_mapping(0, UINT64_MAX, make_private, NULL);
		atomic_store(&shares, 0);
	}
	if (fork_pipe[0] >= 0) {
		ff_kernel(SYS_close, fork_pipe[0]);
		ff_kernel(SYS_close, fork_pipe[1]);
	}
	errno = saved;
}
