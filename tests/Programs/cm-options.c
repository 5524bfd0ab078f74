/*
 * cm-options CASE ADDRESS, with the container's own address
 *
 * What rdma_cm's options and parameters do, on connections of this program with itself. Prints "as specified", or what was not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <rdma/rdma_cma.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { patience_seconds = 60, resolve_milliseconds = 20000 };

static struct sockaddr_in own;
static const uint8_t refused_by_application = 28;

_Noreturn static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static void must(const char *what, int result) {
    if (result)
        die("%s: %s", what, strerror(errno));
}

static void must_refuse(const char *what, int wanted, int result) {
    if (result == 0 || errno != wanted)
        die("%s: %s, where %s was to come", what, result ? strerror(errno) : "it worked", strerror(wanted));
}

static struct rdma_event_channel *make_channel(void) {
    struct rdma_event_channel *channel = rdma_create_event_channel();
    if (!channel)
        die("rdma_create_event_channel: %s", strerror(errno));
    return channel;
}

static struct rdma_cm_id *make_id(struct rdma_event_channel *channel, enum rdma_port_space space) {
    struct rdma_cm_id *id;
    must("rdma_create_id", rdma_create_id(channel, &id, NULL, space));
    return id;
}

/* The next event, which must be of that kind; the caller acknowledges it. */
static struct rdma_cm_event *await(struct rdma_event_channel *channel, enum rdma_cm_event_type wanted) {
    struct pollfd readable = {.fd = channel->fd, .events = POLLIN};
    struct rdma_cm_event *event;
    if (poll(&readable, 1, patience_seconds * 1000) != 1)
        die("no %s within %d s", rdma_event_str(wanted), patience_seconds);
    must("rdma_get_cm_event", rdma_get_cm_event(channel, &event));
    if (event->event != wanted)
        die("%s, status %d, where %s was to come", rdma_event_str(event->event), event->status, rdma_event_str(wanted));
    return event;
}

static void await_and_take(struct rdma_event_channel *channel, enum rdma_cm_event_type wanted) {
    rdma_ack_cm_event(await(channel, wanted));
}

static void make_qp(struct rdma_cm_id *id) {
    struct ibv_qp_init_attr wanted = {.qp_type = IBV_QPT_RC, .cap = {.max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1}};
    must("rdma_create_qp", rdma_create_qp(id, NULL, &wanted));
}

/* Two ids, each with a channel of its own, and who listens. */
struct pair {
    struct rdma_event_channel *asking_channel, *serving_channel;
    struct rdma_cm_id *listener, *asking, *serving;
};

static struct pair listen_at_once(void) {
    struct pair pair = {.asking_channel = make_channel(), .serving_channel = make_channel()};
    pair.listener = make_id(pair.serving_channel, RDMA_PS_TCP);
    pair.asking = make_id(pair.asking_channel, RDMA_PS_TCP);
    must("rdma_bind_addr", rdma_bind_addr(pair.listener, (struct sockaddr *)&own));
    must("rdma_listen", rdma_listen(pair.listener, 4));
    return pair;
}

/* From there to the request at the listener. */
static struct rdma_cm_event *ask(struct pair *pair, const void *data, uint8_t length) {
    struct sockaddr_in there = own;
    struct rdma_conn_param asked = {.private_data = data, .private_data_len = length, .retry_count = 7, .rnr_retry_count = 7};
    there.sin_port = rdma_get_src_port(pair->listener);
    must("rdma_resolve_addr", rdma_resolve_addr(pair->asking, NULL, (struct sockaddr *)&there, resolve_milliseconds));
    await_and_take(pair->asking_channel, RDMA_CM_EVENT_ADDR_RESOLVED);
    must("rdma_resolve_route", rdma_resolve_route(pair->asking, resolve_milliseconds));
    await_and_take(pair->asking_channel, RDMA_CM_EVENT_ROUTE_RESOLVED);
    make_qp(pair->asking);
    must("rdma_connect", rdma_connect(pair->asking, &asked));
    struct rdma_cm_event *request = await(pair->serving_channel, RDMA_CM_EVENT_CONNECT_REQUEST);
    pair->serving = request->id;
    return request;
}

/* And on to an established connection. */
static void connect_pair(struct pair *pair) {
    struct rdma_conn_param answered = {.retry_count = 7, .rnr_retry_count = 7};
    rdma_ack_cm_event(ask(pair, NULL, 0));
    make_qp(pair->serving);
    must("rdma_accept", rdma_accept(pair->serving, &answered));
    await_and_take(pair->asking_channel, RDMA_CM_EVENT_ESTABLISHED);
    await_and_take(pair->serving_channel, RDMA_CM_EVENT_ESTABLISHED);
}

static struct ibv_qp_attr attributes_of(struct rdma_cm_id *id) {
    struct ibv_qp_attr found;
    struct ibv_qp_init_attr made;
    errno = ibv_query_qp(id->qp, &found, IBV_QP_STATE | IBV_QP_AV | IBV_QP_TIMEOUT, &made);
    must("ibv_query_qp", errno);
    return found;
}

static void forget(struct rdma_cm_id *id) {
    if (id->qp)
        rdma_destroy_qp(id);
    must("rdma_destroy_id", rdma_destroy_id(id));
}

static void end(struct pair *pair) {
    forget(pair->asking);
    if (pair->serving)
        forget(pair->serving);
    forget(pair->listener);
    rdma_destroy_event_channel(pair->asking_channel);
    rdma_destroy_event_channel(pair->serving_channel);
}

/* The type of service is the path's traffic class, and both QPs'. */
static void tos_case(void) {
    uint8_t tos = 0x68;
    struct pair pair = listen_at_once();
    must("RDMA_OPTION_ID_TOS", rdma_set_option(pair.asking, RDMA_OPTION_ID, RDMA_OPTION_ID_TOS, &tos, sizeof tos));
    connect_pair(&pair);
    uint8_t path = pair.asking->route.path_rec->traffic_class;
    uint8_t asking = attributes_of(pair.asking).ah_attr.grh.traffic_class, serving = attributes_of(pair.serving).ah_attr.grh.traffic_class;
    if (path != tos || asking != tos || serving != tos)
        die("a traffic class of %#x on the path, %#x and %#x in the QPs", path, asking, serving);
    must_refuse("a type of service of four bytes", EINVAL, rdma_set_option(pair.asking, RDMA_OPTION_ID, RDMA_OPTION_ID_TOS, &(int){0}, sizeof(int)));
    end(&pair);
}

static void ack_timeout_case(void) {
    uint8_t timeout = 21;
    struct pair pair = listen_at_once();
    must("RDMA_OPTION_ID_ACK_TIMEOUT", rdma_set_option(pair.asking, RDMA_OPTION_ID, RDMA_OPTION_ID_ACK_TIMEOUT, &timeout, sizeof timeout));
    connect_pair(&pair);
    struct ibv_qp_attr found = attributes_of(pair.asking);
    if (found.qp_state != IBV_QPS_RTS || found.timeout != timeout)
        die("a QP in state %d with a timeout of %u", found.qp_state, found.timeout);
    end(&pair);

    struct rdma_event_channel *channel = make_channel();
    struct rdma_cm_id *datagrams = make_id(channel, RDMA_PS_UDP);
    must_refuse("an ack timeout of datagrams", EINVAL, rdma_set_option(datagrams, RDMA_OPTION_ID, RDMA_OPTION_ID_ACK_TIMEOUT, &timeout, sizeof timeout));
    forget(datagrams);
    rdma_destroy_event_channel(channel);
}

static void reuse_case(void) {
    int yes = 1;
    struct rdma_event_channel *channel = make_channel();
    struct rdma_cm_id *first = make_id(channel, RDMA_PS_TCP), *second = make_id(channel, RDMA_PS_TCP);
    struct sockaddr_in same = own;
    must("RDMA_OPTION_ID_REUSEADDR", rdma_set_option(first, RDMA_OPTION_ID, RDMA_OPTION_ID_REUSEADDR, &yes, sizeof yes));
    must("the first rdma_bind_addr", rdma_bind_addr(first, (struct sockaddr *)&own));
    same.sin_port = rdma_get_src_port(first);
    must_refuse("a port that only one wants to share", EADDRINUSE, rdma_bind_addr(second, (struct sockaddr *)&same));
    must("RDMA_OPTION_ID_REUSEADDR", rdma_set_option(second, RDMA_OPTION_ID, RDMA_OPTION_ID_REUSEADDR, &yes, sizeof yes));
    must("a port that both want to share", rdma_bind_addr(second, (struct sockaddr *)&same));
    must_refuse("listening where another is bound", EADDRINUSE, rdma_listen(first, 1));
    forget(second);
    must("listening alone", rdma_listen(first, 1));
    second = make_id(channel, RDMA_PS_TCP);
    must("RDMA_OPTION_ID_REUSEADDR", rdma_set_option(second, RDMA_OPTION_ID, RDMA_OPTION_ID_REUSEADDR, &yes, sizeof yes));
    must_refuse("sharing a listener's port", EADDRINUSE, rdma_bind_addr(second, (struct sockaddr *)&same));
    forget(first);
    forget(second);
    rdma_destroy_event_channel(channel);
}

static void family_only_case(void) {
    int yes = 1;
    struct rdma_event_channel *channel = make_channel();
    struct rdma_cm_id *six = make_id(channel, RDMA_PS_TCP), *four = make_id(channel, RDMA_PS_TCP);
    struct sockaddr_in6 any_six = {.sin6_family = AF_INET6};
    struct sockaddr_in any_four = {.sin_family = AF_INET};
    must("RDMA_OPTION_ID_AFONLY", rdma_set_option(six, RDMA_OPTION_ID, RDMA_OPTION_ID_AFONLY, &yes, sizeof yes));
    must("rdma_bind_addr of IPv6", rdma_bind_addr(six, (struct sockaddr *)&any_six));
    any_four.sin_port = rdma_get_src_port(six);
    must("rdma_bind_addr of IPv4", rdma_bind_addr(four, (struct sockaddr *)&any_four));
    must("rdma_listen of IPv6", rdma_listen(six, 1));
    must("rdma_listen of IPv4", rdma_listen(four, 1));
    forget(six);
    forget(four);
    rdma_destroy_event_channel(channel);
}

static void must_say(struct rdma_cm_event *event, const char *wanted) {
    /* The data ends with zeros up to the message's size. */
    if (event->param.conn.private_data_len < strlen(wanted) || memcmp(event->param.conn.private_data, wanted, strlen(wanted)) != 0)
        die("other private data than \"%s\" in %s", wanted, rdma_event_str(event->event));
    rdma_ack_cm_event(event);
}

static void private_data_case(void) {
    static const char question[] = "question", answer[] = "answer", refusal[] = "refusal";
    struct rdma_conn_param answered = {.private_data = answer, .private_data_len = sizeof answer, .retry_count = 7, .rnr_retry_count = 7};
    struct pair accepted = listen_at_once(), rejected = listen_at_once();
    must_say(ask(&accepted, question, sizeof question), question);
    make_qp(accepted.serving);
    must("rdma_accept", rdma_accept(accepted.serving, &answered));
    must_say(await(accepted.asking_channel, RDMA_CM_EVENT_ESTABLISHED), answer);
    await_and_take(accepted.serving_channel, RDMA_CM_EVENT_ESTABLISHED);
    end(&accepted);

    must_say(ask(&rejected, question, sizeof question), question);
    must("rdma_reject", rdma_reject(rejected.serving, refusal, sizeof refusal));
    struct rdma_cm_event *event = await(rejected.asking_channel, RDMA_CM_EVENT_REJECTED);
    if (event->status != refused_by_application)
        die("rejected with status %d", event->status);
    must_say(event, refusal);
    end(&rejected);
}

/* Who takes leave hears of the other's leave, and then of the end of the time in which late packets may come. */
static void timewait_case(void) {
    struct pair pair = listen_at_once();
    connect_pair(&pair);
    must("rdma_disconnect", rdma_disconnect(pair.asking));
    await_and_take(pair.serving_channel, RDMA_CM_EVENT_DISCONNECTED);
    must("rdma_disconnect of the other", rdma_disconnect(pair.serving));
    await_and_take(pair.asking_channel, RDMA_CM_EVENT_DISCONNECTED);
    await_and_take(pair.asking_channel, RDMA_CM_EVENT_TIMEWAIT_EXIT);
    await_and_take(pair.serving_channel, RDMA_CM_EVENT_TIMEWAIT_EXIT);
    end(&pair);
}

/* A child's commands on its parent's channel are refused, and harm neither the parent's connection nor what it does next. */
static void fork_case(void) {
    struct pair pair = listen_at_once();
    connect_pair(&pair);
    pid_t child = fork();
    if (child < 0)
        die("fork: %s", strerror(errno));
    if (child == 0) {
        struct rdma_cm_id *id;
        must_refuse("a child's rdma_create_id", EIO, rdma_create_id(pair.asking_channel, &id, NULL, RDMA_PS_TCP));
        must_refuse("a child's rdma_disconnect", EIO, rdma_disconnect(pair.asking));
        _exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0)
        die("the child ended with %#x", status);
    struct pollfd quiet[] = {{.fd = pair.asking_channel->fd, .events = POLLIN}, {.fd = pair.serving_channel->fd, .events = POLLIN}};
    if (poll(quiet, 2, 0) != 0)
        die("an event, though only a child has ended");
    must("the parent's rdma_disconnect", rdma_disconnect(pair.asking));
    await_and_take(pair.serving_channel, RDMA_CM_EVENT_DISCONNECTED);
    end(&pair);
}

/* A child that opens the device itself has connections of its own, though its parent has the device open; and so has the parent. */
static void child_case(void) {
    struct ibv_device **devices = ibv_get_device_list(NULL);
    struct ibv_context *context = devices && devices[0] ? ibv_open_device(devices[0]) : NULL;
    struct ibv_pd *domain = context ? ibv_alloc_pd(context) : NULL;
    if (!domain)
        die("no device: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0)
        die("fork: %s", strerror(errno));
    struct pair its = listen_at_once();
    connect_pair(&its);
    end(&its);
    if (child == 0)
        exit(0);
    int status;
    if (waitpid(child, &status, 0) != child || status != 0)
        die("the child ended with %#x", status);
    must("ibv_dealloc_pd", ibv_dealloc_pd(domain));
    must("ibv_close_device", ibv_close_device(context));
    ibv_free_device_list(devices);
}

/* The library opens the device with O_CLOEXEC. */
static void exec_case(void) {
    struct rdma_event_channel *channel = make_channel();
    struct rdma_cm_id *id = make_id(channel, RDMA_PS_TCP);
    char number[16], address[INET_ADDRSTRLEN];
    if (!(fcntl(channel->fd, F_GETFD) & FD_CLOEXEC))
        die("the descriptor outlives an exec");
    snprintf(number, sizeof number, "%d", channel->fd);
    inet_ntop(AF_INET, &own.sin_addr, address, sizeof address);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "cm-options", "executed", address, number, NULL);
        _exit(127);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0)
        die("the new program ended with %#x", status);
    must("the parent's rdma_bind_addr", rdma_bind_addr(id, (struct sockaddr *)&own));
    forget(id);
    rdma_destroy_event_channel(channel);
}

static void executed(int descriptor) {
    if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF)
        die("descriptor %d is open after exec", descriptor);
    struct pair pair = listen_at_once();
    connect_pair(&pair);
    end(&pair);
}

/* Nobody has the address: each id waits as long as it was told to. */
static void resolve_timeout_case(void) {
    struct rdma_event_channel *soon = make_channel(), *late = make_channel();
    struct rdma_cm_id *hasty = make_id(soon, RDMA_PS_TCP), *patient = make_id(late, RDMA_PS_TCP);
    struct sockaddr_in nobody = own;
    nobody.sin_addr.s_addr = (own.sin_addr.s_addr & htonl(0xffffff00)) | htonl(201);
    nobody.sin_port = htons(7471);
    must("rdma_resolve_addr for a long time", rdma_resolve_addr(patient, NULL, (struct sockaddr *)&nobody, 2500));
    must("rdma_resolve_addr for a short one", rdma_resolve_addr(hasty, NULL, (struct sockaddr *)&nobody, 300));
    struct rdma_cm_event *event = await(soon, RDMA_CM_EVENT_ADDR_ERROR);
    if (event->status != -ETIMEDOUT)
        die("the short one ended with status %d", event->status);
    rdma_ack_cm_event(event);
    struct pollfd waits = {.fd = late->fd, .events = POLLIN};
    if (poll(&waits, 1, 0) != 0)
        die("the long wait ended with the short one");
    event = await(late, RDMA_CM_EVENT_ADDR_ERROR);
    if (event->status != -ETIMEDOUT)
        die("the long one ended with status %d", event->status);
    rdma_ack_cm_event(event);
    forget(hasty);
    forget(patient);
    rdma_destroy_event_channel(soon);
    rdma_destroy_event_channel(late);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"tos", tos_case},                   {"ack-timeout", ack_timeout_case}, {"reuse", reuse_case}, {"family-only", family_only_case},
    {"private-data", private_data_case}, {"timewait", timewait_case},       {"fork", fork_case},   {"child", child_case},
    {"exec", exec_case},                 {"resolve-timeout", resolve_timeout_case},
};

int main(int count, char **words) {
    own.sin_family = AF_INET;
    if (count == 4 && strcmp(words[1], "executed") == 0 && inet_pton(AF_INET, words[2], &own.sin_addr) == 1) {
        executed(atoi(words[3]));
        return 0;
    }
    for (size_t i = 0; count == 3 && i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].name, words[1]) != 0 || inet_pton(AF_INET, words[2], &own.sin_addr) != 1)
            continue;
        cases[i].run();
        printf("as specified\n");
        return 0;
    }
    die("usage: cm-options tos|ack-timeout|reuse|family-only|private-data|timewait|fork|child|exec|resolve-timeout ADDRESS");
}
