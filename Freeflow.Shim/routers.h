#ifndef FREEFLOW_ROUTERS_H
#define FREEFLOW_ROUTERS_H

#include <stddef.h>

/* Writes which routers have their sockets beside this one's place: for who has asked for one that is not there. Keeps errno. */
void ff_routers_there(const char *socket_path, char *text, size_t size);

#endif
