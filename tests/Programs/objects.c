#include "objects.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { depth = 64, sges = 2, inline_bytes = 64 };

struct scene open_scene(const char *server, int port, int access) {
    struct scene scene = {.at = open_endpoint(0), .is_server = !server};
    scene.memory = aligned_alloc(4096, region_bytes);
    if (!scene.memory)
        die("no memory");
    for (size_t i = 0; i < region_bytes; i++)
        scene.memory[i] = (unsigned char)(i * 7 + (i >> 8));
    scene.region = register_memory(&scene.at, scene.memory, region_bytes, access);
    scene.peer = server ? connect_to(server, port) : listen_and_accept(port);
    return scene;
}

int play(int count, char **words, int port, int access, const struct scene_case *cases, size_t case_count, struct scene *scene,
         struct ibv_cq **cq) {
    const char *server = count > 2 ? words[2] : NULL;
    for (size_t i = 0; count > 1 && i < case_count; i++) {
        if (strcmp(cases[i].name, words[1]) != 0)
            continue;
        *scene = open_scene(server, port, access);
        *cq = ibv_create_cq(scene->at.device, 300, NULL, NULL, 0);
        if (!*cq)
            die("ibv_create_cq: %s", strerror(errno));
        (server ? cases[i].use : cases[i].serve)();
        meet(scene);
        printf("as specified\n");
        return 0;
    }
    for (size_t i = 0; i < case_count; i++)
        fprintf(stderr, "%s %s [SERVER]\n", words[0], cases[i].name);
    die("none of the cases");
}

void meet(struct scene *scene) {
    char here = 1;
    send_all(scene->peer, &here, 1);
    receive_all(scene->peer, &here, 1);
}

struct ibv_qp *connected_qp(struct scene *scene, struct ibv_cq *cq, struct ibv_srq *srq) {
    struct ibv_qp_init_attr wanted = {
        .send_cq = cq,
        .recv_cq = cq,
        .srq = srq,
        .qp_type = IBV_QPT_RC,
        .cap = {.max_send_wr = depth, .max_recv_wr = depth, .max_send_sge = sges, .max_recv_sge = sges, .max_inline_data = inline_bytes},
    };
    struct ibv_qp *qp = make_qp_of(&scene->at, &wanted);
    struct address mine = address_of(&scene->at, qp), theirs;
    send_all(scene->peer, &mine, sizeof mine);
    receive_all(scene->peer, &theirs, sizeof theirs);
    connect_qp(qp, &theirs, &usual_patience);
    meet(scene);
    return qp;
}

void post(struct scene *scene, struct ibv_qp *qp, enum ibv_wr_opcode opcode, size_t offset, uint32_t bytes, uint64_t remote, uint32_t key,
          uint64_t id) {
    struct ibv_sge part = {(uintptr_t)(scene->memory + offset), bytes, scene->region->lkey};
    struct ibv_send_wr request = {.wr_id = id, .sg_list = &part, .num_sge = bytes ? 1 : 0, .opcode = opcode, .send_flags = IBV_SEND_SIGNALED}, *bad;
    if (opcode == IBV_WR_SEND_WITH_INV || opcode == IBV_WR_LOCAL_INV) {
        request.invalidate_rkey = key;
    } else if (opcode == IBV_WR_ATOMIC_FETCH_AND_ADD) {
        request.wr.atomic.remote_addr = remote;
        request.wr.atomic.rkey = key;
        request.wr.atomic.compare_add = 1;
    } else {
        request.wr.rdma.remote_addr = remote;
        request.wr.rdma.rkey = key;
    }
    MUST(ibv_post_send(qp, &request, &bad));
}

void post_receive(struct scene *scene, struct ibv_qp *qp, size_t offset, uint32_t bytes, uint64_t id) {
    struct ibv_sge part = {(uintptr_t)(scene->memory + offset), bytes, scene->region->lkey};
    struct ibv_recv_wr request = {.wr_id = id, .sg_list = &part, .num_sge = 1}, *bad;
    MUST(ibv_post_recv(qp, &request, &bad));
}

struct ibv_wc expect(struct scene *scene, struct ibv_cq *cq, enum ibv_wc_status status, const char *what) {
    struct ibv_wc done;
    if (!await_completion(&scene->at, cq, &done, patience_seconds))
        die("%s: no completion", what);
    if (done.status != status)
        die("%s: %s, where %s was to come", what, ibv_wc_status_str(done.status), ibv_wc_status_str(status));
    return done;
}

void expect_none(struct ibv_cq *cq, const char *what) {
    struct ibv_wc done;
    poll(NULL, 0, quiet_milliseconds);
    if (ibv_poll_cq(cq, 1, &done))
        die("%s: a completion (%s)", what, ibv_wc_status_str(done.status));
}

static int is_readable(struct scene *scene, int milliseconds) {
    struct pollfd wait = {.fd = scene->at.device->async_fd, .events = POLLIN};
    return poll(&wait, 1, milliseconds) == 1;
}

static struct ibv_async_event next_event(struct scene *scene, const char *what) {
    struct ibv_async_event event;
    if (!is_readable(scene, patience_seconds * 1000))
        die("%s: no event", what);
    if (ibv_get_async_event(scene->at.device, &event))
        die("%s: ibv_get_async_event: %s", what, strerror(errno));
    ibv_ack_async_event(&event);
    return event;
}

static int is_event(const struct ibv_async_event *event, enum ibv_event_type type, const void *element) {
    return event->event_type == type && (!element || event->element.qp == element);
}

static int is_raised(struct scene *scene, enum ibv_event_type type) {
    return !is_kernels(scene->at.device) || type == IBV_EVENT_CQ_ERR || type == IBV_EVENT_SRQ_LIMIT_REACHED || type == IBV_EVENT_SQ_DRAINED;
}

void expect_event(struct scene *scene, enum ibv_event_type type, const void *element, const char *what) {
    if (!is_raised(scene, type))
        return;
    struct ibv_async_event event = next_event(scene, what);
    if (!is_event(&event, type, element))
        die("%s: event \"%s\", where \"%s\" was to come", what, ibv_event_type_str(event.event_type), ibv_event_type_str(type));
}

void expect_events(struct scene *scene, enum ibv_event_type one, const void *its, enum ibv_event_type other, const void *others,
                   const char *what) {
    if (!is_raised(scene, one) || !is_raised(scene, other)) {
        expect_event(scene, is_raised(scene, one) ? one : other, NULL, what);
        return;
    }
    struct ibv_async_event first = next_event(scene, what), second = next_event(scene, what);
    if (!(is_event(&first, one, its) && is_event(&second, other, others)) && !(is_event(&first, other, others) && is_event(&second, one, its)))
        die("%s: events \"%s\" and \"%s\"", what, ibv_event_type_str(first.event_type), ibv_event_type_str(second.event_type));
}

void expect_no_event(struct scene *scene, const char *what) {
    struct ibv_async_event event;
    if (!is_readable(scene, quiet_milliseconds))
        return;
    if (ibv_get_async_event(scene->at.device, &event))
        die("%s: ibv_get_async_event: %s", what, strerror(errno));
    die("%s: event \"%s\"", what, ibv_event_type_str(event.event_type));
}

void refused(int error, int wanted, const char *what) {
    if (error < 0)
        error = errno;
    if (error != wanted)
        die("%s: %s, where \"%s\" was to come", what, error ? strerror(error) : "it succeeded", strerror(wanted));
}
