/*
 * What the router has sent is the process's alone once the router has closed its own descriptor. Closed before that, a socket
 * would stay in the process's epoll sets, where events for freed memory come of it, and its peer would not see the end.
 */
#ifndef FREEFLOW_HANDOVERS_H
#define FREEFLOW_HANDOVERS_H

#include <stdint.h>

/* The container's count: how many times its router has let go. In place of an older one, under the readers' eyes. 0 or -1. */
int ff_handovers_map(int descriptor);

/* Until the router has let go of what came under this number: most often it has. Bounded, as a router may stand still. */
void ff_handover_await(uint32_t number);

#endif
