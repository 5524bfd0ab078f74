/*
 * What the shim and the router say to each other. Freeflow.Verbs/Channel/ holds the same in C#; a test
 * compares sizes and offsets. All integers are little-endian (both ends share one machine).
 *
 * Transport: one SOCK_SEQPACKET unix socket per open device (or per look at sysfs), at
 * $FREEFLOW_DIR/run/$FFR_NAME.sock (defaults /freeflow and "default"). One request is in flight per
 * process and socket; every request gets exactly one reply with the same sequence number.
 */
#ifndef FREEFLOW_PROTOCOL_H
#define FREEFLOW_PROTOCOL_H

#include <stdint.h>

#define FF_PROTOCOL_VERSION 1u
#define FF_MAGIC            0x31764646u /* "FFv1" */
#define FF_MAX_MESSAGE      16384u      /* header and payload, bytes; no uverbs command comes near it */
#define FF_MAX_DESCRIPTORS  4u
#define FF_NO_DESCRIPTOR    0xffffffffu

enum ff_type {
	FF_HELLO = 1,   /* first on every socket */
	FF_COMMAND = 2, /* payload: the bytes of one write() to the uverbs descriptor, as they stand */
	FF_MMAP = 3,    /* payload: struct ff_mmap; the reply carries one descriptor to map */
	FF_SHARE = 4,   /* payload: struct ff_share_request, sent ahead of REG_MR; the reply: struct ff_share_reply */
};

/* Starts every message, in both directions. */
struct ff_header {
	uint32_t magic;
	uint16_t type;             /* enum ff_type; a reply repeats the request's */
	uint16_t reserved;
	uint32_t sequence;
	uint32_t length;           /* payload bytes after this header */
	int32_t  error;            /* replies: 0 or a positive errno, as the kernel's call would give */
	uint32_t descriptor_patch; /* replies: payload offset of a u32 that takes the number of the received descriptor, or FF_NO_DESCRIPTOR */
};

enum ff_kind {
	FF_KIND_SYSFS = 1,  /* the reply carries the sysfs tree's directory; the socket is then closed */
	FF_KIND_UVERBS = 2, /* the socket becomes the uverbs descriptor */
};

/*
 * HELLO, request. A uverbs hello carries two descriptors: /proc/self/mem (O_RDWR) and /proc/self/maps (O_RDONLY).
 * A router that does not speak `version` replies EPROTONOSUPPORT with its own version in the payload.
 */
struct ff_hello {
	uint32_t version;
	uint32_t kind; /* enum ff_kind */
};

/*
 * HELLO, reply. Descriptors: sysfs: the directory. uverbs: the doorbell memory, the engine's eventfd, and a socket that
 * hangs up when the router is gone.
 */
struct ff_hello_reply {
	uint32_t version;
	uint32_t doorbell_bytes; /* size of the doorbell memory; 0 for sysfs */
	uint64_t token;          /* this connection's, in the names of its rings; 0 for sysfs */
};

/*
 * Names of the memory files behind a connection's rings, which /proc/self/maps shows: all numbers in hexadecimal, the
 * token in 16 digits. By them the shim finds the rings when the router is gone, and completes what is left in them.
 */
#define FF_CQ_NAME "freeflow-cq-" /* token-handle */
#define FF_SQ_NAME "freeflow-sq-" /* token-handle of the send CQ-QPN */
#define FF_RQ_NAME "freeflow-rq-" /* token-handle of the receive CQ-QPN */

struct ff_mmap {
	uint64_t offset; /* as given to mmap() on the uverbs descriptor */
	uint64_t length;
};

/* The pages of [address, address+length) that could become shared memory. Only sent by a process with one thread. */
struct ff_share_request {
	uint64_t address;
	uint64_t length;
};

#define FF_MAX_SHARES 64u

/* One range to map with MAP_SHARED|MAP_FIXED from the reply's one descriptor. Its contents are in place already. */
struct ff_share {
	uint64_t address;
	uint64_t length;
	uint64_t offset; /* in the descriptor */
	uint32_t protection; /* PROT_* of the pages it replaces */
	uint32_t reserved;
};

struct ff_share_reply {
	uint32_t count; /* 0: nothing to share, no descriptor */
	uint32_t reserved;
	struct ff_share shares[]; /* FF_MAX_SHARES at most */
};

#define FF_MAX_QPS 4096u /* per connection: a QP's handle is its bit in `send` */
#define FF_MAX_CQS 4096u /* per connection: a CQ's handle is its index in `arm` */

enum ff_arm {
	FF_ARM_NONE = 0,
	FF_ARM_SOLICITED = 1,
	FF_ARM_ANY = 2,
};

/*
 * Doorbell memory: one connection's own, written by the application, read by the engine.
 *  POST_SEND:     send[handle/64] |= bit; summary |= bit of that word; then, if exchange(asleep, 0) == 1, write the eventfd.
 *  REQ_NOTIFY_CQ: raise arm[handle] to the asked level (never lower it). No wake: the engine looks after it adds a completion.
 * All operations sequentially consistent. The engine takes bits with exchange(word, 0), and sets asleep = 1, then looks
 * once more, before it sleeps.
 */
struct ff_doorbell {
	uint32_t asleep;
	uint32_t reserved0[15];
	uint64_t summary;
	uint64_t reserved1[7];
	uint64_t send[FF_MAX_QPS / 64];
	uint8_t  reserved2[1024 - 128 - FF_MAX_QPS / 8];
	uint32_t arm[FF_MAX_CQS];
};

#endif
