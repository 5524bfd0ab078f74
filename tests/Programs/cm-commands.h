/* Commands of /dev/infiniband/rdma_cm, written without a library; each of these returns 0 or the kernel's errno. */
#ifndef CM_COMMANDS_H
#define CM_COMMANDS_H

#include <netinet/in.h>
#include <rdma/rdma_user_cm.h>
#include <stddef.h>
#include <stdint.h>

#define EVENT_CONNECT_REQUEST 4
#define EVENT_REJECTED 8
#define FIRST_QP 1000 /* each id has another: a kernel takes a QP that asks twice for one that has forgotten its connection */

/* The container's own address. */
extern struct sockaddr_in own;

_Noreturn void die(const char *format, ...);

/* Dies when they are not the same errno. */
void expect(const char *what, int expected, int got);

int open_cm(void);

/* Writes a command as given. */
int command(int cm, uint32_t number, const void *body, size_t in, size_t out, size_t length);

#define COMMAND(cm, number, body, out) command(cm, RDMA_USER_CM_CMD_##number, &(body), sizeof(body), out, sizeof(struct rdma_ucm_cmd_hdr) + sizeof(body))

uint32_t make_id(int cm, uint16_t space);
int destroy(int cm, uint32_t id, uint32_t *events);
int bind_to(int cm, uint32_t id, struct in_addr address, uint16_t port);
int listen_on(int cm, uint32_t id, uint32_t backlog);
int resolve(int cm, uint32_t id, struct in_addr address, uint16_t port);
int resolve_route(int cm, uint32_t id, uint32_t milliseconds);
int start_connecting(int cm, uint32_t id, uint8_t bytes);

/* Whether events wait, or come within that time. */
int is_readable(int cm, int milliseconds);
int get_event(int cm, struct rdma_ucm_event_resp *event);

/* Dies when another event comes, or none. */
#define await_event(cm, wanted, event) await_event_at(__LINE__, cm, wanted, event)
void await_event_at(int line, int cm, uint32_t wanted, struct rdma_ucm_event_resp *event);

/* An id that has its route to a port of this container. */
uint32_t make_route(int cm, uint16_t port);

#endif
