/* What the programs that test a device's objects share: connected QPs, requests with what they must come to, async events. */
#ifndef OBJECTS_H
#define OBJECTS_H

#include "endpoint.h"

enum { patience_seconds = 20, quiet_milliseconds = 200, region_bytes = 1 << 16 };

struct scene {
    struct endpoint at;
    int peer;      /* TCP, to the other program */
    int is_server; /* the server owns the objects; the client uses them */
    unsigned char *memory;
    struct ibv_mr *region;
};

/* What a program does at each end, by name. */
struct scene_case {
    const char *name;
    void (*serve)(void), (*use)(void);
};

/*
 * A program's whole life: finds its case by the first word, opens the scene with a region of these rights and a CQ, and plays
 * one end. The second word is the server's address, for the client.
 */
int play(int count, char **words, int port, int access, const struct scene_case *cases, size_t case_count, struct scene *scene,
         struct ibv_cq **cq);

/* Opens the device and meets the other program at `port`: the client of `server`, or the server when that is NULL. */
struct scene open_scene(const char *server, int port, int access);

/* Waits for the other program to come here too. */
void meet(struct scene *scene);

/* Both call it: a QP of each, connected to the other's. `srq` may be NULL. */
struct ibv_qp *connected_qp(struct scene *scene, struct ibv_cq *cq, struct ibv_srq *srq);

/* One numbered request of `bytes` from the scene's memory at `offset`; `key` and `remote` are where a peer's memory is asked for. */
void post(struct scene *scene, struct ibv_qp *qp, enum ibv_wr_opcode opcode, size_t offset, uint32_t bytes, uint64_t remote, uint32_t key,
          uint64_t id);
void post_receive(struct scene *scene, struct ibv_qp *qp, size_t offset, uint32_t bytes, uint64_t id);

/* The next completion, which must have this status. */
struct ibv_wc expect(struct scene *scene, struct ibv_cq *cq, enum ibv_wc_status status, const char *what);
void expect_none(struct ibv_cq *cq, const char *what);

/* The next async event, which must be this one of this object (NULL: any). QPs' own are not waited for on a kernel's device. */
void expect_event(struct scene *scene, enum ibv_event_type type, const void *element, const char *what);
/* Two of them, in either order. */
void expect_events(struct scene *scene, enum ibv_event_type one, const void *its, enum ibv_event_type other, const void *others, const char *what);
void expect_no_event(struct scene *scene, const char *what);

/* A call that must fail with this errno: `result` is what it returned, an errno, or NULL or -1 with errno set. */
void refused(int error, int wanted, const char *what);
#define REFUSED(call, wanted) refused((call), (wanted), #call)
#define REFUSED_NULL(call, wanted) refused((errno = 0, (call)) ? 0 : errno, (wanted), #call)
#define MUST(call)                                                                                                                     \
    do {                                                                                                                               \
        int must_error = (call);                                                                                                       \
        if (must_error)                                                                                                                \
            die("%s: %s", #call, strerror(must_error > 0 ? must_error : errno));                                                       \
    } while (0)

#endif
