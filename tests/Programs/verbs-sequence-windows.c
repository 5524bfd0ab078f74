/* Steps about memory windows. */
#include "verbs-sequence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int allocate(struct step *step, char *answer) {
    struct object *object = step->object;
    errno = 0;
    struct ibv_mw *window = ibv_alloc_mw(object_of(value_of(step, "pd"))->handle, (enum ibv_mw_type)number_of(step, "type"));
    object->handle = window;
    object->is_alive = window != NULL;
    if (window)
        object->fact.rkey = object->fact.former_rkey = window->rkey;
    strcpy(answer, errno_name(window ? 0 : errno));
    return 1;
}

/* Until a revert the key is what it is once the binding is carried out. */
static int bind(struct step *step, char *answer) {
    struct object *object = step->object;
    struct ibv_qp *qp = object_of(value_of(step, "qp"))->handle;
    struct ibv_mw *window = object->handle;
    struct ibv_sge part = part_of(value_of(step, "mr"));
    char name[name_bytes];
    sscanf(value_of(step, "mr"), "%15[^+]", name);
    struct ibv_mw_bind_info info = {object_of(name)->handle, part.addr, part.length, number_of(step, "access")};
    unsigned flags = strchr(value_of(step, "flags"), 's') ? IBV_SEND_SIGNALED : 0;
    uint32_t former = window->rkey;
    int error;
    if (!strcmp(value_of(step, "by"), "call")) {
        struct ibv_mw_bind request = {.wr_id = number_of(step, "id"), .send_flags = flags, .bind_info = info};
        error = ibv_bind_mw(qp, window, &request);
    } else {
        struct ibv_send_wr request = {.wr_id = number_of(step, "id"), .opcode = IBV_WR_BIND_MW, .send_flags = flags}, *bad;
        request.bind_mw.mw = window;
        request.bind_mw.rkey = ibv_inc_rkey(window->rkey);
        request.bind_mw.bind_info = info;
        error = ibv_post_send(qp, &request, &bad);
        if (!error)
            window->rkey = request.bind_mw.rkey;
    }
    if (!error) {
        object->former_start = object->fact.start;
        object->fact.former_rkey = former;
        object->fact.rkey = window->rkey;
        object->fact.start = info.mw_access_flags & IBV_ACCESS_ZERO_BASED ? 0 : part.addr;
    }
    strcpy(answer, errno_name(error));
    return 1;
}

/* The binding failed: the key is what it was. */
static int revert(struct step *step, char *answer) {
    struct object *object = step->object;
    object->fact.rkey = ((struct ibv_mw *)object->handle)->rkey = object->fact.former_rkey;
    object->fact.start = object->former_start;
    strcpy(answer, "ok");
    return 1;
}

int do_window_step(struct step *step, char *answer) {
    const char *verb = step->words[0];
    if (!strcmp(verb, "mw"))
        return allocate(step, answer);
    if (!strcmp(verb, "bind"))
        return bind(step, answer);
    if (!strcmp(verb, "revert"))
        return revert(step, answer);
    return 0;
}
