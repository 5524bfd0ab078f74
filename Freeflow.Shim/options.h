/* Socket options that a connection has because its socket, or its listener, had them. */
#ifndef FREEFLOW_OPTIONS_H
#define FREEFLOW_OPTIONS_H

#include <stdint.h>
#include <sys/socket.h>

#define FF_ALL_OPTIONS UINT64_MAX

/* An option's bit, or -1 for one that is not carried over. */
int ff_option_index(int level, int name);

/* Whether setting this option has a meaning for other sockets, or none for a connection: nothing has to be carried over. */
int ff_option_is_harmless(int level, int name);

/* Whether a listener that has this option must accept its connections itself. */
int ff_option_stays_with_listener(int index);

/*
 * Gives `to` the options of `from` that are named by `touched`; with FF_ALL_OPTIONS those that differ. What the
 * host's kernel refuses stays as it is: they are the same option of the same kernel, so it would have refused it before.
 */
void ff_options_carry(int from, int to, uint64_t touched);

/* Options with their values, to be given to many sockets. */
struct ff_option_set {
	int count;
	struct {
		int index;
		socklen_t length;
		unsigned char value[16];
	} items[44];
};

/*
 * Reads the touched options of a listener that its connections inherit; with FF_ALL_OPTIONS those in which `beside`, a
 * connection of the router's own listener, differs.
 */
void ff_options_read(int from, uint64_t touched, int beside, struct ff_option_set *into);
void ff_options_give(const struct ff_option_set *set, int to);

#endif
