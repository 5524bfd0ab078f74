/* Whose ends a connection has. */
#ifndef FREEFLOW_ADDRESSES_H
#define FREEFLOW_ADDRESSES_H

#include <sys/socket.h>

/* getsockname() of the application's. */
int ff_own_name(int descriptor, struct sockaddr *into, socklen_t *length);

#endif
