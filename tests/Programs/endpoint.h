/* What the tests' verbs programs share: the device, QPs and their connection. Every function ends the program when it fails. */
#ifndef FREEFLOW_TESTS_ENDPOINT_H
#define FREEFLOW_TESTS_ENDPOINT_H

#include <infiniband/verbs.h>
#include <stddef.h>
#include <stdint.h>

struct endpoint {
    struct ibv_context *device;
    struct ibv_pd *pd;
    struct ibv_comp_channel *channel; /* NULL: the CQs are polled */
    union ibv_gid gid;
};

/* How a QP names itself to its peer. */
struct address {
    uint32_t qpn;
    union ibv_gid gid;
};

struct patience {
    uint8_t timeout; /* 4.096 us * 2^timeout */
    uint8_t retries;
    uint8_t rnr_retries; /* 7: for ever */
};

extern const struct patience usual_patience;

/* Of the GID that everything uses: 0, or what GID_INDEX says. A kernel's rxe device has its IPv4 address at 1. */
extern uint8_t gid_index;

/*
 * Whether the device is the kernel's own: the programs run there too, to compare. Its rxe driver raises no events of QPs, says
 * each lost completion, and checks less of a window (docs/compatibility.md).
 */
int is_kernels(struct ibv_context *device);
#define KERNELS_WITH_INV 4 /* its own IB_WC_WITH_INVALIDATE, which it passes on as it is */

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct endpoint open_endpoint(int with_events);
struct ibv_qp *make_qp(struct endpoint *at, struct ibv_cq *send, struct ibv_cq *receive, uint32_t depth, uint32_t sges,
                       uint32_t inline_bytes);
struct ibv_qp *make_qp_of(struct endpoint *at, struct ibv_qp_init_attr *wanted);
void to_init(struct ibv_qp *qp);
struct address address_of(struct endpoint *at, struct ibv_qp *qp);
void connect_qp(struct ibv_qp *qp, const struct address *peer, const struct patience *patience);
void to_rtr(struct ibv_qp *qp, const struct address *peer);
void to_rts(struct ibv_qp *qp, const struct patience *patience);
struct ibv_mr *register_memory(struct endpoint *at, void *start, size_t bytes, int access);

/* Seconds of CLOCK_MONOTONIC. */
double now(void);

/* Waits up to `seconds` for one completion; 0: none came. With a channel it sleeps on that. */
int await_completion(struct endpoint *at, struct ibv_cq *cq, struct ibv_wc *found, int seconds);

/* TCP, for what the two programs tell each other. */
int listen_and_accept(int port);
int connect_to(const char *host, int port);
void send_all(int peer, const void *bytes, size_t count);
void receive_all(int peer, void *bytes, size_t count);

/* FNV-1a, continued from `sum`. */
#define CHECKSUM_START 0xcbf29ce484222325u
uint64_t checksum(const void *bytes, size_t count, uint64_t sum);

/* A small generator with its state in the caller's hands, so that a run repeats by its seed (splitmix64). */
uint64_t next_random(uint64_t *state);

#endif
