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
	FF_COMMAND = 2, /* payload: the bytes of one write() to the uverbs or rdma_cm descriptor, as they stand; see below. The reply to
			   uverbs' GET_CONTEXT carries the async descriptor and its writing end */
	FF_MMAP = 3,    /* payload: struct ff_mmap; the reply carries one descriptor to map */
	FF_SHARE = 4,   /* payload: struct ff_share_request, sent ahead of REG_MR; the reply: struct ff_share_reply */
	FF_LISTEN = 5,  /* payload: struct ff_listen, with the listening socket; the reply carries its delivery channel */
	FF_RESOLVE = 6, /* payload: struct ff_resolve; the reply: struct ff_resolved */
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

/*
 * What an rdma_cm command only points to goes along with FF_COMMAND: the value of RDMA_USER_CM_CMD_SET_OPTION behind the
 * command, the descriptor of RDMA_USER_CM_CMD_MIGRATE_ID beside it. GET_EVENT is answered with EAGAIN when no event waits.
 * DESTROY_ID with FF_PATIENT in its reserved field is answered with EAGAIN, and nothing is done, while an event of the id waits
 * of which a reader may have been told just now. Who does not want to wait any longer asks without it.
 */
#define FF_PATIENT 1u

enum ff_kind {
	FF_KIND_SYSFS = 1,  /* the reply carries the sysfs tree's directory; the socket is then closed */
	FF_KIND_UVERBS = 2, /* the socket becomes the uverbs descriptor */
	FF_KIND_TCP = 3,    /* TCP mode of one process */
	FF_KIND_RDMA_CM = 4, /* commands of one rdma_cm descriptor */
};

/*
 * HELLO, request. A uverbs hello carries two descriptors: /proc/self/mem (O_RDWR) and /proc/self/maps (O_RDONLY); one for
 * TCP carries /proc/self/status (O_RDONLY).
 * A router that does not speak `version` replies EPROTONOSUPPORT with its own version in the payload.
 */
struct ff_hello {
	uint32_t version;
	uint32_t kind; /* enum ff_kind */
};

/*
 * HELLO, reply. Descriptors: sysfs: the directory. uverbs: the doorbell memory, the engine's eventfd, and a socket that
 * hangs up when the router is gone. TCP: the route memory (uint32_t[FF_MAX_ROUTES], read-only), the note socket,
 * and the container's count of handovers (uint32_t, read-only; handovers.h).
 * rdma_cm: the application's descriptor, readable exactly while events wait.
 */
struct ff_hello_reply {
	uint32_t version;
	uint32_t doorbell_bytes; /* size of the doorbell or route memory; 0 for sysfs and rdma_cm */
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
 * Doorbell memory: one connection's own, written by the application, read by the engine; but for `sendable`.
 *  POST_SEND:     send[handle/64] |= bit; summary |= bit of that word; then, if exchange(asleep, 0) == 1, write the eventfd.
 *  REQ_NOTIFY_CQ: raise arm[handle] to the asked level (never lower it). No wake: the engine looks after it adds a completion.
 *  sendable:      the QPs that take doorbells, as the engine says: those in RESET, INIT and RTR do not (EINVAL).
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
	uint64_t sendable[FF_MAX_QPS / 64];
};

/*
 * TCP mode. Addresses are IPv4, in network order; ports are numbers, in host order.
 *
 * A process asks once for each destination (FF_RESOLVE) and has a route for it from then on: a word in the route memory,
 * which the router keeps true. A connect() reads the word, takes a host socket of that route from its stock, says so in
 * a note that nobody answers, and connects the socket to the endpoint of the destination's router.
 */
#define FF_MAX_ROUTES 1024u
#define FF_NO_ROUTE   0xffffffffu

enum ff_verdict {
	FF_PLAIN = 1,
	FF_ACCELERATE = 2,
};

/* Why a connection is plain. */
enum ff_reason {
	FF_REASON_NONE = 0,
	FF_REASON_NO_LISTENER = 1,   /* nobody who listens there is known to a router: not Freeflow's, or not listening */
	FF_REASON_NO_OWNER = 2,      /* no router has the address */
	FF_REASON_UNREACHABLE = 3,   /* its router can't be reached at present */
	FF_REASON_OWN_ADDRESS = 4,   /* the container's own: the kernel's loopback is faster */
	FF_REASON_BUSY = 5,          /* the listener's queue is full: the kernel's own backlog decides */
	FF_REASON_SHORT = 6,         /* its connections have been too short to gain from it */
	FF_REASON_CONFIGURED = 7,    /* the operator's settings say so */
	FF_REASON_POLICY = 8,        /* this container may not reach it except by the overlay */
	FF_REASON_PRIVILEGED = 9,    /* the container has CAP_NET_ADMIN over the host's network */
	FF_REASON_SOURCE = 10,       /* the source address is not the container's */
	FF_REASON_NO_PORTS = 11,     /* the host has no local port left for it */
	FF_REASON_LIMIT = 12,        /* this container has all the host sockets that it may have */
	FF_REASON_UNDERLAY = 13,     /* the host's network is IPv6 */
	FF_REASON_DRAINING = 20,     /* the host's router takes nothing new, since it is to end */
	/* The shim's own. */
	FF_REASON_SHARED = 32,       /* the descriptor was duplicated, or inherited by a fork, before connect() */
	FF_REASON_OPTION = 33,       /* an option is set that can't be carried over */
	FF_REASON_SLOW = 34,         /* no socket came from the router in time */
	FF_REASON_REFUSED = 35,      /* the router's endpoint could not be connected to */
	FF_REASON_NESTED = 36,       /* connect() in a signal handler that interrupted another */
};

/* A route's word: verdict, reason and the number of its last change. */
#define FF_ROUTE_VERDICT(word)    ((word) & 0xffu)
#define FF_ROUTE_REASON(word)     ((word) >> 8 & 0xffu)
#define FF_ROUTE_GENERATION(word) ((word) >> 16)

struct ff_resolve {
	uint32_t destination;
	uint32_t port;
	uint32_t source;  /* the address that the kernel would connect from */
	uint32_t replace; /* a route to give up for it, or FF_NO_ROUTE */
};

enum ff_route_flag {
	FF_ROUTE_LEARNS = 1, /* what its connections are like decides of the next ones: FF_NOTE_FLOW */
};

struct ff_resolved {
	uint32_t route;
	uint32_t word;  /* as it is now */
	uint32_t flags; /* enum ff_route_flag */
	uint32_t reserved;
};

struct ff_listen {
	uint32_t backlog; /* as given to listen() */
	uint32_t reserved;
};

enum ff_note_type {
	FF_NOTE_WANT = 1,    /* no socket is left for the route; the answer is a struct ff_sockets */
	FF_NOTE_CONNECT = 2, /* the socket of this number is about to connect */
	FF_NOTE_FLOW = 3,    /* connections of the route have ended: how many, and the most bytes and milliseconds of one */
	FF_NOTE_PLAIN = 4,   /* a connection goes plain for a reason of the shim's own */
	FF_NOTE_DROP = 5,    /* the socket of this number is closed, and has not connected */
};

enum ff_note_flag {
	FF_NOTE_IPV6 = 1,   /* WANT: an AF_INET6 socket */
	FF_NOTE_BOUND = 2,  /* WANT: for an application that has bound itself to address and port */
	FF_NOTE_SAMPLE = 4, /* CONNECT: with what FLOW says of earlier connections of the route */
	FF_NOTE_HERE = 8,   /* struct ff_sockets: the router that they lead to is this one, and needs no CONNECT */
};

/* From the process to the router, on the note socket. */
struct ff_note {
	uint32_t type;    /* enum ff_note_type */
	uint32_t flags;
	uint32_t route;
	uint32_t socket;  /* CONNECT, DROP: its number; PLAIN: enum ff_reason */
	uint32_t address; /* BOUND */
	uint32_t port;    /* BOUND */
	uint64_t bytes;
	uint32_t milliseconds;
	uint32_t connections; /* FLOW, SAMPLE */
};

#define FF_MAX_SOCKETS 8u

/* From the router to the process, with `count` sockets. None: `reason` says why. */
struct ff_sockets {
	uint32_t route;
	uint32_t generation; /* of the route: sockets of an older one are of no use */
	uint32_t flags;      /* enum ff_note_flag, as wanted */
	uint32_t endpoint;   /* what to connect them to */
	uint32_t endpoint_port;
	uint32_t reason;
	uint32_t count;
	uint32_t numbers[FF_MAX_SOCKETS];
	uint32_t handover; /* of the container's */
};

/* A delivery channel, to the process: an accepted connection and who is at its ends. */
struct ff_delivery {
	uint32_t peer;
	uint32_t local;
	uint16_t peer_port;
	uint16_t local_port;
	uint32_t handover; /* of the container's */
};

enum ff_listener_note_type {
	FF_LISTENER_WAITS = 1,   /* somebody waits for connections through the shim: deliver */
	FF_LISTENER_BACKLOG = 2, /* listen() once more; value: its backlog */
	FF_LISTENER_ENDS = 3,    /* it takes no deliveries any more: shutdown(), or it is the kernel's alone from now on */
	FF_LISTENER_CLOSES = 4,  /* this process is about to close it; others may have it */
};

/* A delivery channel, to the router. */
struct ff_listener_note {
	uint32_t type;
	uint32_t value;
};

/*
 * The virtual addresses of a host socket, in an option of its own that any process that has it can read and that TCP uses in
 * listeners only: TCP_FASTOPEN_KEY.
 */
#define FF_ENDS_OPTION 33
#define FF_ENDS_MARK   0x46464c57u

struct ff_ends {
	uint32_t mark;
	uint32_t local; /* network order */
	uint32_t peer;
	uint16_t local_port; /* the machine's order */
	uint16_t peer_port;
};

#endif
