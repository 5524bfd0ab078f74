/*
 * What a hostile container tries with a host socket that it was given, by bare system calls on the descriptor.
 *   tcp-hostile connect ADDRESS PORT HOSTPORT LISTENPORT HOST...  with the socket of a connection that it makes
 *   tcp-hostile accept PORT HOSTPORT LISTENPORT HOST...           with that of one that it accepts
 * Services listen on HOSTPORT of every HOST (and of the loopback); nothing may be reached. Then it listens itself, on LISTENPORT or
 * where the socket is bound already, for five seconds, says "listening PORT", and must be reached by nobody. Ends with "contained" and 0, or says what got through.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static int failures;

static void must(int holds, const char *what)
{
	if (holds)
		return;
	printf("NOT CONTAINED: %s (errno %d)\n", what, errno);
	failures++;
}

static struct sockaddr_in at(const char *address, const char *port)
{
	struct sockaddr_in into = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	inet_pton(AF_INET, address, &into.sin_addr);
	return into;
}

static void must_be_locked(int socket)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
	struct sock_fprog all = { .len = 1, .filter = &pass };
	int locked = 0, zero = 0;
	socklen_t length = sizeof(locked);

	syscall(SYS_getsockopt, socket, SOL_SOCKET, SO_LOCK_FILTER, &locked, &length);
	must(locked == 1, "the socket is not a locked one: was it accelerated?");
	must(syscall(SYS_setsockopt, socket, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof(zero)) < 0 && errno == EPERM, "the filter came off");
	must(syscall(SYS_setsockopt, socket, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof(all)) < 0 && errno == EPERM, "another filter was taken");
	must(syscall(SYS_setsockopt, socket, SOL_SOCKET, SO_LOCK_FILTER, &zero, sizeof(zero)) < 0 && errno == EPERM, "the lock came off");
}

static void turn_round(int socket)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	must(syscall(SYS_connect, socket, &nobody, sizeof(nobody)) == 0, "connect(AF_UNSPEC) failed, so nothing was tried");
}

static void must_not_reach(int socket, const char *host, const char *port)
{
	struct timeval bound = { .tv_sec = 1, .tv_usec = 500000 };
	struct sockaddr_in there = at(host, port);
	struct pollfd ready = { .fd = socket, .events = POLLOUT };
	char what[64];
	int error = 0;
	socklen_t length = sizeof(error);

	turn_round(socket);
	syscall(SYS_setsockopt, socket, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound));
	snprintf(what, sizeof(what), "a service at %s:%s was reached", host, port);
	must(syscall(SYS_connect, socket, &there, sizeof(there)) < 0, what);
	/* It may still be on its way; a socket that is connected is writable without an error. */
	if (poll(&ready, 1, 500) > 0) {
		syscall(SYS_getsockopt, socket, SOL_SOCKET, SO_ERROR, &error, &length);
		must(error != 0 || ready.revents & (POLLERR | POLLHUP), what);
	}
}

static void must_not_be_reached(int socket, const char *port)
{
	struct sockaddr_in everywhere = at("0.0.0.0", port), here = { 0 };
	struct pollfd ready = { .fd = socket, .events = POLLIN };
	socklen_t length = sizeof(here);

	turn_round(socket);
	(void)syscall(SYS_bind, socket, &everywhere, sizeof(everywhere));
	if (syscall(SYS_listen, socket, 16) < 0) {
		printf("cannot listen\n");
		return;
	}
	syscall(SYS_getsockname, socket, &here, &length);
	printf("listening %d\n", ntohs(here.sin_port));
	fflush(stdout);
	must(poll(&ready, 1, 5000) == 0, "somebody was accepted");
}

int main(int count, char **words)
{
	int socket_in_hand, first;

	if (count > 5 && strcmp(words[1], "connect") == 0) {
		struct sockaddr_in there = at(words[2], words[3]);

		socket_in_hand = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(socket_in_hand, (struct sockaddr *)&there, sizeof(there)) < 0) {
			perror("connect");
			return 1;
		}
		first = 4;
	} else if (count > 4 && strcmp(words[1], "accept") == 0) {
		struct sockaddr_in here = at("0.0.0.0", words[2]);
		int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

		setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(listener, (struct sockaddr *)&here, sizeof(here)) < 0 || listen(listener, 8) < 0) {
			perror("listen");
			return 1;
		}
		socket_in_hand = accept(listener, NULL, NULL);
		first = 3;
	} else {
		return 2;
	}
	must_be_locked(socket_in_hand);
	for (int i = first + 2; i < count; i++)
		must_not_reach(socket_in_hand, words[i], words[first]);
	must_not_reach(socket_in_hand, "127.0.0.1", words[first]);
	must_not_be_reached(socket_in_hand, words[first + 1]);
	if (failures == 0)
		printf("contained\n");
	return failures > 0;
}
