#define _GNU_SOURCE
#include "orphans.h"

#include <errno.h>
#include <poll.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_user_rxe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel.h"
#include "log.h"
#include "maps.h"
#include "real.h"

#define SWEEP_MILLISECONDS 50
#define FLUSHED 5 /* IBV_WC_WR_FLUSH_ERR */
#define RECEIVED 128 /* IBV_WC_RECV */
#define DEVICE_FATAL 8 /* IBV_EVENT_DEVICE_FATAL */
#define MAX_RINGS 65536

struct ring {
	struct rxe_queue_buf *head;
	uint64_t cq, qpn;
};

struct rings {
	struct ring *items;
	int count, room;
};

static atomic_int watchers;

int ff_orphans_watchers(void)
{
	return atomic_load(&watchers);
}

void ff_orphans_in_child(void)
{
	atomic_store(&watchers, 0);
}

/* Bounds of what the application may have written over: a ring that does not fit its memory is left alone. */
static int is_whole(const struct rxe_queue_buf *head, uint64_t bytes)
{
	return bytes >= sizeof(*head) && head->log2_elem_size < 16 && head->index_mask < 1u << 24 &&
	       sizeof(*head) + (((uint64_t)head->index_mask + 1) << head->log2_elem_size) <= bytes;
}

static void *slot(struct rxe_queue_buf *head, uint32_t index)
{
	return head->data + ((uint64_t)(index & head->index_mask) << head->log2_elem_size);
}

/* One completion; 0 when the application has to take some first. */
static int complete(struct rxe_queue_buf *cq, uint64_t id, uint32_t qpn, int is_receive)
{
	uint32_t at = cq->producer_index & cq->index_mask, next = (at + 1) & cq->index_mask;
	struct ib_uverbs_wc completion = {
		.wr_id = id,
		.status = FLUSHED,
		.opcode = is_receive ? RECEIVED : 0,
		.qp_num = qpn,
		.port_num = 1,
	};

	if (next == (__atomic_load_n(&cq->consumer_index, __ATOMIC_ACQUIRE) & cq->index_mask))
		return 0;
	memcpy(slot(cq, at), &completion, sizeof(completion));
	__atomic_store_n(&cq->producer_index, next, __ATOMIC_RELEASE);
	return 1;
}

/* Everything that lies in a work queue. The number of a request is the first field of both its forms. */
static void flush(struct rxe_queue_buf *queue, struct rxe_queue_buf *cq, uint32_t qpn, int is_receive)
{
	uint32_t at = queue->consumer_index & queue->index_mask;
	uint64_t id;

	while (at != (__atomic_load_n(&queue->producer_index, __ATOMIC_ACQUIRE) & queue->index_mask)) {
		memcpy(&id, slot(queue, at), sizeof(id));
		if (!complete(cq, id, qpn, is_receive))
			return;
		at = (at + 1) & queue->index_mask;
		__atomic_store_n(&queue->consumer_index, at, __ATOMIC_RELEASE);
	}
}

struct search {
	char cqs[64], sqs[64], rqs[64]; /* names, up to the token */
	struct rings cq, sq, rq;
};

static void add(struct rings *rings, uint64_t start, uint64_t end, const char *numbers)
{
	struct rxe_queue_buf *head = (void *)(uintptr_t)start;
	struct ring *larger;

	if (!is_whole(head, end - start) || rings->count == MAX_RINGS)
		return;
	if (rings->count == rings->room) {
		larger = realloc(rings->items, sizeof(*larger) * (size_t)(rings->room * 2 + 16));
		if (!larger)
			return;
		rings->items = larger;
		rings->room = rings->room * 2 + 16;
	}
	rings->items[rings->count].head = head;
	rings->items[rings->count].cq = ff_hexadecimal(&numbers);
	if (*numbers == '-')
		numbers++;
	rings->items[rings->count++].qpn = ff_hexadecimal(&numbers);
}

static void note(uint64_t start, uint64_t end, const char *line, void *context)
{
	struct search *search = context;
	const char *found;

	if ((found = strstr(line, search->cqs)))
		add(&search->cq, start, end, found + strlen(search->cqs));
	else if ((found = strstr(line, search->sqs)))
		add(&search->sq, start, end, found + strlen(search->sqs));
	else if ((found = strstr(line, search->rqs)))
		add(&search->rq, start, end, found + strlen(search->rqs));
}

static void flush_all(const struct rings *queues, const struct rings *cqs, int is_receive)
{
	for (int i = 0; i < queues->count; i++)
		for (int k = 0; k < cqs->count; k++)
			if (cqs->items[k].cq == queues->items[i].cq)
				flush(queues->items[i].head, cqs->items[k].head, (uint32_t)queues->items[i].qpn, is_receive);
}

static void sweep(uint64_t token)
{
	struct search search = { 0 };

	snprintf(search.cqs, sizeof(search.cqs), "/memfd:" FF_CQ_NAME "%016llx-", (unsigned long long)token);
	snprintf(search.sqs, sizeof(search.sqs), "/memfd:" FF_SQ_NAME "%016llx-", (unsigned long long)token);
	snprintf(search.rqs, sizeof(search.rqs), "/memfd:" FF_RQ_NAME "%016llx-", (unsigned long long)token);
	ff_each_mapping(0, UINT64_MAX, note, &search);
	flush_all(&search.sq, &search.cq, 0);
	flush_all(&search.rq, &search.cq, 1);
	free(search.cq.items);
	free(search.sq.items);
	free(search.rq.items);
}

/* Says IBV_EVENT_DEVICE_FATAL on the async descriptor, which ends behind it. */
static void report(struct ff_device *device)
{
	struct ib_uverbs_async_event_desc fatal = { .event_type = DEVICE_FATAL };
	int events = __atomic_load_n(&device->kept[FF_EVENTS], __ATOMIC_ACQUIRE);

	if (events < 0)
		return;
	ff_kernel(SYS_sendto, events, &fatal, sizeof(fatal), MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
	ff_kernel(SYS_shutdown, events, SHUT_WR);
}

static void *watch(void *argument)
{
	struct ff_device *device = argument;
	int is_lost = 0;

	for (;;) {
		struct pollfd waits[2] = {
			{ .fd = device->kept[FF_STOP], .events = POLLIN },
			{ .fd = is_lost ? -1 : device->kept[FF_LIFELINE], .events = POLLIN },
		};

		if (ff_wait(waits, 2, is_lost ? SWEEP_MILLISECONDS : -1) < 0 && errno != EINTR)
			break;
		if (waits[0].revents)
			break;
		if (!is_lost && waits[1].revents & (POLLHUP | POLLERR)) {
			is_lost = 1;
			atomic_store(&device->lost, 1);
			ff_debug("the router is gone: everything posted is flushed");
			report(device);
		}
		if (is_lost)
			sweep(device->token);
	}
	atomic_fetch_sub(&watchers, 1);
	return NULL;
}

void ff_orphans_watch(struct ff_device *device)
{
	/* Not linked: their versions in glibc are younger than the library may ask for. */
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))ff_symbol("pthread_create");
	uint64_t all = ~(7ull << 31), before; /* 32 to 34 are the C library's own, by which it changes ids in every thread */

	if (!create || !ff_symbol("pthread_join"))
		return;
	device->kept[FF_STOP] = eventfd(0, EFD_CLOEXEC);
	if (device->kept[FF_STOP] < 0)
		return;
	device->kept[FF_STOP] = ff_protect(device->kept[FF_STOP]);
	/* The application's signals are not for this thread. */
	ff_kernel(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
	if (create(&device->watcher, NULL, watch, device) == 0) {
		device->is_watched = 1;
		atomic_fetch_add(&watchers, 1);
	}
	ff_kernel(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
}

void ff_orphans_unwatch(struct ff_device *device)
{
	int (*join)(pthread_t, void **) = (int (*)(pthread_t, void **))ff_symbol("pthread_join");
	uint64_t one = 1;

	if (!device->is_watched || device->process != (int)ff_kernel(SYS_getpid))
		return;
	device->is_watched = 0;
	ff_kernel(SYS_write, device->kept[FF_STOP], &one, sizeof(one));
	(void)join(device->watcher, NULL);
}
