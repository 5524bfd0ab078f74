#define _GNU_SOURCE
#include "prefixes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "listeners.h"
#include "log.h"

#define MAX_PREFIXES 32
#define LOWEST_ADDRESS 4096

static struct {
	uint32_t network, mask; /* host order */
} prefixes[MAX_PREFIXES];
int ff_prefixes;

/* A decimal number of at most three digits; -1 when there is none, or it is above `most`. */
static int number(const char **text, int most)
{
	int value = 0, digits = 0;

	for (; **text >= '0' && **text <= '9' && digits < 4; (*text)++, digits++)
		value = value * 10 + (**text - '0');
	return digits > 0 && digits < 4 && value <= most ? value : -1;
}

static int parse(const char **text, uint32_t *network, uint32_t *mask)
{
	uint32_t address = 0;
	int bits = 32;

	for (int i = 0; i < 4; i++) {
		int part = number(text, 255);

		if (part < 0 || (i < 3 && *(*text)++ != '.'))
			return -1;
		address = address << 8 | (uint32_t)part;
	}
	if (**text == '/') {
		(*text)++;
		bits = number(text, 32);
		if (bits < 0)
			return -1;
	}
	*mask = bits == 0 ? 0 : 0xffffffffu << (32 - bits);
	*network = address & *mask;
	return 0;
}

/* Read when the library is loaded: later the environment may be anything, and getenv() of another thread's. */
__attribute__((constructor)) static void read_prefixes(void)
{
	const char *text = getenv("VNET_PREFIX");

	if (!text || !*text)
		ff_debug("VNET_PREFIX is not set: RDMA only, and TCP connections stay plain");
	while (text && *text) {
		const char *start = text;
		uint32_t network, mask;

		while (*text == ' ' || *text == ',')
			text++;
		if (!*text)
			break;
		start = text;
		if (parse(&text, &network, &mask) == 0 && (*text == 0 || *text == ',' || *text == ' ') && ff_prefixes < MAX_PREFIXES) {
			prefixes[ff_prefixes].network = network;
			prefixes[ff_prefixes++].mask = mask;
			continue;
		}
		ff_debug("VNET_PREFIX: \"%.40s\" is no network such as 10.244.0.0/16, and is left out", start);
		while (*text && *text != ',')
			text++;
	}
	if (ff_prefixes > 0)
		ff_listeners_inherited();
}

int ff_prefixes_contain(uint32_t address)
{
	uint32_t value = ntohl(address);

	for (int i = 0; i < ff_prefixes; i++)
		if ((value & prefixes[i].mask) == prefixes[i].network)
			return 1;
	return 0;
}

int ff_address_is_loopback(uint32_t address)
{
	return ntohl(address) >> 24 == 127;
}

int ff_address_read(const struct sockaddr *from, socklen_t length, struct ff_address *into)
{
	/* What no program can have mapped is left to the kernel, and its EFAULT. */
	if ((uintptr_t)from < LOWEST_ADDRESS || length < sizeof(from->sa_family) || length > sizeof(struct sockaddr_storage))
		return 0;
	if (from->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
		const struct sockaddr_in *four = (const void *)from;

		into->address = four->sin_addr.s_addr;
		into->port = ntohs(four->sin_port);
		into->is_ipv6 = 0;
		return 1;
	}
	if (from->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
		const struct sockaddr_in6 *six = (const void *)from;

		if (!IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
			return 0;
		memcpy(&into->address, six->sin6_addr.s6_addr + 12, sizeof(into->address));
		into->port = ntohs(six->sin6_port);
		into->is_ipv6 = 1;
		return 1;
	}
	return 0;
}

void ff_address_write(const struct ff_address *from, struct sockaddr *into, socklen_t *length)
{
	union {
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} whole;
	socklen_t bytes;

	if (!into || !length)
		return;
	memset(&whole, 0, sizeof(whole));
	if (from->is_ipv6) {
		whole.six.sin6_family = AF_INET6;
		whole.six.sin6_port = htons(from->port);
		whole.six.sin6_addr.s6_addr[10] = whole.six.sin6_addr.s6_addr[11] = 0xff;
		memcpy(whole.six.sin6_addr.s6_addr + 12, &from->address, sizeof(from->address));
		bytes = sizeof(whole.six);
	} else {
		whole.four.sin_family = AF_INET;
		whole.four.sin_port = htons(from->port);
		whole.four.sin_addr.s_addr = from->address;
		bytes = sizeof(whole.four);
	}
	memcpy(into, &whole, *length < bytes ? *length : bytes);
	*length = bytes;
}
