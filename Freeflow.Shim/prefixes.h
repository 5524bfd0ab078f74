/* VNET_PREFIX: the virtual networks whose connections Freeflow carries. */
#ifndef FREEFLOW_PREFIXES_H
#define FREEFLOW_PREFIXES_H

#include <stdint.h>
#include <sys/socket.h>

extern int ff_prefixes; /* how many there are */

/* Whether TCP mode is on: VNET_PREFIX names at least one network. */
static inline int ff_prefixes_any(void)
{
	return ff_prefixes > 0;
}

/* Whether an IPv4 address (network order) lies in one of them. */
int ff_prefixes_contain(uint32_t address);

/* An IPv4 or IPv4-mapped address of a socket call. */
struct ff_address {
	uint32_t address; /* network order */
	uint16_t port;    /* host order */
	int is_ipv6;      /* came in an AF_INET6 structure */
};

/* Reads one; 0 when it is of another family, too short, or a true IPv6 address. */
int ff_address_read(const struct sockaddr *from, socklen_t length, struct ff_address *into);

/* Writes one as the kernel does: cut to *length, which becomes its whole length. */
void ff_address_write(const struct ff_address *from, struct sockaddr *into, socklen_t *length);

int ff_address_is_loopback(uint32_t address);

#endif
