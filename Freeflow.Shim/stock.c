#include "stock.h"

#include <stddef.h>

#include "descriptors.h"

void ff_stock_put(struct ff_stock *stock, int socket, uint32_t number)
{
	int at = (stock->first + stock->count++) % FF_STOCK;

	stock->sockets[at].socket = ff_protect(socket);
	stock->sockets[at].number = number;
}

int ff_stock_take(struct ff_stock *stock, uint32_t *number)
{
	int at = stock->first;

	stock->first = (at + 1) % FF_STOCK;
	stock->count--;
	*number = stock->sockets[at].number;
	return stock->sockets[at].socket;
}

int *ff_stock_holder(struct ff_stock *stock, int descriptor)
{
	for (int i = 0; i < stock->count; i++) {
		int *held = &stock->sockets[(stock->first + i) % FF_STOCK].socket;

		if (*held == descriptor)
			return held;
	}
	return NULL;
}
