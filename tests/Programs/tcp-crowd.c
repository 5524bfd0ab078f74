/*
 * Many connections at once.
 *   tcp-crowd hold PORT COUNT            accepts COUNT connections in two processes, says "full", closes all when its input
 *                                        ends
 *   tcp-crowd slow PORT BACKLOG          listens, accepts nothing until a line comes, then accepts and answers all
 *   tcp-crowd answer PORT                accepts and answers, for ever
 *   tcp-crowd open ADDRESS PORT COUNT    makes COUNT connections in two processes, likewise; says "open"
 *   tcp-crowd ask ADDRESS PORT COUNT     COUNT connections at once, a byte each; waits for the answers; says how many came,
 *                                        how many were refused, reset, or not answered within forty seconds
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* A SYN that finds a full backlog is sent again after 1, 3, 7 and 15 seconds. */
#define PATIENCE_MILLISECONDS 40000

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_on(const char *port, int backlog)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&here, sizeof(here)) < 0 || listen(listener, backlog) < 0)
		fail("listen");
	return listener;
}

static int begin(const char *address, const char *port, int flags)
{
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int made = socket(AF_INET, SOCK_STREAM | flags, 0);

	inet_pton(AF_INET, address, &there.sin_addr);
	if (made < 0 || (connect(made, (struct sockaddr *)&there, sizeof(there)) < 0 && errno != EINPROGRESS))
		fail("connect");
	return made;
}

static void say(const char *what)
{
	printf("%s\n", what);
	fflush(stdout);
}

static void await_end_of_input(void)
{
	while (getchar() != EOF)
		;
}

static void answer_all(int listener, int milliseconds)
{
	struct pollfd ready = { .fd = listener, .events = POLLIN };
	char byte;

	while (poll(&ready, 1, milliseconds) > 0) {
		int peer = accept(listener, NULL, NULL);

		if (peer < 0)
			continue;
		if (read(peer, &byte, 1) == 1)
			(void)!write(peer, &byte, 1);
		close(peer);
	}
}

/* Does half of the work in a child, since one process may not have enough descriptors, and says so when both are done. */
static void in_two(void (*work)(char **, int), char **words, int count, const char *done)
{
	int ends[2];
	char byte = 0;

	if (pipe(ends) < 0)
		fail("pipe");
	if (fork() == 0) {
		work(words, count / 2);
		(void)!write(ends[1], &byte, 1);
		await_end_of_input();
		_exit(0);
	}
	close(ends[1]);
	work(words, count - count / 2);
	if (read(ends[0], &byte, 1) != 1)
		exit(1);
	say(done);
	await_end_of_input();
}

static int held_listener;

static void hold(char **words, int count)
{
	(void)words;
	for (int i = 0; i < count; i++)
		if (accept(held_listener, NULL, NULL) < 0)
			fail("accept");
}

static void open_all(char **words, int count)
{
	for (int i = 0; i < count; i++)
		(void)begin(words[2], words[3], 0);
}

static void slow(const char *port, int backlog)
{
	int listener = listen_on(port, backlog);
	struct pollfd ready = { .fd = listener, .events = POLLIN };

	(void)poll(&ready, 1, 0); /* it waits for connections, and then does not take them */
	say("listening");
	if (getchar() == EOF)
		exit(0);
	answer_all(listener, -1);
}

static void ask(const char *address, const char *port, int count)
{
	struct pollfd *all = calloc((size_t)count, sizeof(*all));
	int answered = 0, refused = 0, reset = 0, open = count;

	for (int i = 0; i < count; i++)
		all[i] = (struct pollfd){ .fd = begin(address, port, SOCK_NONBLOCK), .events = POLLOUT };
	while (open > 0 && poll(all, (nfds_t)count, PATIENCE_MILLISECONDS) > 0) {
		for (int i = 0; i < count; i++) {
			char byte = 'x';
			ssize_t got = 0;

			if (all[i].fd < 0 || !all[i].revents)
				continue;
			if (all[i].events == POLLOUT) {
				int error = 0;
				socklen_t length = sizeof(error);

				getsockopt(all[i].fd, SOL_SOCKET, SO_ERROR, &error, &length);
				if (error == 0 && write(all[i].fd, &byte, 1) == 1) {
					all[i].events = POLLIN;
					continue;
				}
				refused += error == ECONNREFUSED;
				reset += error != ECONNREFUSED;
			} else {
				got = read(all[i].fd, &byte, 1);
				answered += got == 1;
				reset += got != 1;
			}
			close(all[i].fd);
			all[i].fd = -1;
			open--;
		}
	}
	printf("answered %d refused %d reset %d unanswered %d\n", answered, refused, reset, open);
}

int main(int words, char **word)
{
	struct rlimit all = { 0 };

	getrlimit(RLIMIT_NOFILE, &all);
	all.rlim_cur = all.rlim_max;
	setrlimit(RLIMIT_NOFILE, &all);
	if (words == 4 && strcmp(word[1], "hold") == 0) {
		held_listener = listen_on(word[2], 4096);
		in_two(hold, word, atoi(word[3]), "full");
	} else if (words == 4 && strcmp(word[1], "slow") == 0) {
		slow(word[2], atoi(word[3]));
	} else if (words == 3 && strcmp(word[1], "answer") == 0) {
		answer_all(listen_on(word[2], 4096), -1);
	} else if (words == 5 && strcmp(word[1], "open") == 0) {
		in_two(open_all, word, atoi(word[4]), "open");
	} else if (words == 5 && strcmp(word[1], "ask") == 0) {
		ask(word[2], word[3], atoi(word[4]));
	} else {
		return 2;
	}
	return 0;
}
