/*
 * A recorded sequence of verbs calls, one a line: the call's words, then " -> " and its answer. "settle" waits for the completions
 * that follow it, each a line of its own that begins with "=". Names of objects begin with their side, a or b.
 */
#ifndef VERBS_SEQUENCE_H
#define VERBS_SEQUENCE_H

#include "endpoint.h"

enum { most_words = 32, most_objects = 512, name_bytes = 16, answer_bytes = 256 };

/* What the other side has to know of an object. */
struct fact {
    uint64_t start;          /* of a region's memory, or of what a window opens */
    uint32_t qpn, rkey, lkey;
    uint32_t former_rkey;    /* a window's, before it was bound the last time */
    union ibv_gid gid;
    uint32_t failed;         /* the step had another answer than was recorded */
};

struct object {
    char name[name_bytes];
    int is_alive;
    void *handle;            /* of whatever kind it is; NULL where it is the other side's, or was never made */
    struct fact fact;
    unsigned char *memory;   /* a region's, kept when the region is gone */
    size_t bytes;
    uint64_t former_start;   /* a window's */
};

struct step {
    char *words[most_words];
    int count;
    struct object *object;   /* the one that the step is about */
};

extern struct endpoint device;

/* By its name; made when it is new. */
struct object *object_of(const char *name);
struct object *object_by_qpn(uint32_t qpn);
struct object *object_by_rkey(uint32_t rkey);

/* The value of "key=value" among a step's words; NULL when it is not there. */
const char *value_of(const struct step *step, const char *key);
uint32_t number_of(const struct step *step, const char *key);

/* "REGION+OFFSET/LENGTH", and "!" behind it for a key that nothing has. */
struct ibv_sge part_of(const char *text);

/* "ok", or the name of an errno. */
const char *errno_name(int error);

/* Each carries out its step where it knows it, and writes the answer. */
int do_object_step(struct step *step, char *answer);
int do_state_step(struct step *step, char *answer);
int do_work_step(struct step *step, char *answer);
int do_window_step(struct step *step, char *answer);

/*
 * Waits till as many completions have come as are in `wanted` (lines that begin with "="), and then that there are no more.
 * Returns 0 when they are the same ones; those of one queue of a QP in their order, those of different queues in any.
 */
int settle(char **wanted, int count, int quiet_milliseconds);

#endif
