/* Host sockets that a process has ahead for one destination: first in, first out, since the router forgets old ones. */
#ifndef FREEFLOW_STOCK_H
#define FREEFLOW_STOCK_H

#include <stdint.h>

#define FF_STOCK 16

struct ff_stock {
	struct {
		int socket; /* protected */
		uint32_t number;
	} sockets[FF_STOCK];
	int first, count;
};

/* Takes a socket over; there has to be room. */
void ff_stock_put(struct ff_stock *stock, int socket, uint32_t number);

/* The oldest, protected still, and its number; there has to be one. */
int ff_stock_take(struct ff_stock *stock, uint32_t *number);

/* Where a descriptor of the stock is kept, or NULL. */
int *ff_stock_holder(struct ff_stock *stock, int descriptor);

#endif
