/*
 * What the preload costs calls that it only passes through.
 *   passthrough LIBRARY PREFIX SLICES    prints a line a kind of call: its name, the ratio of its time with the preload to
 *                                        that without, and both times, nanoseconds
 * To be run without the preload. Two processes that differ in LD_PRELOAD and VNET_PREFIX take turns of a few milliseconds
 * on the same core, in changing order; each pair of turns gives a ratio, the line has the median. The processes are
 * replaced now and then: where a process happens to lie in memory is worth more than a percent by itself.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_NANOSECONDS = 2500000, PAIRS_A_PROCESS = 6 };

static struct {
	int pipe[2], quiet[2], set, listener, peer, datagrams, drain;
	struct sockaddr_in listening, draining;
} at;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

_Noreturn static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void require(int holds, const char *what)
{
	if (!holds)
		fail(what);
}

static void read_write(void)
{
	char byte = 0;

	require(write(at.pipe[1], &byte, 1) == 1 && read(at.pipe[0], &byte, 1) == 1, "read and write");
}

static void poll_two(void)
{
	struct pollfd both[] = { { .fd = at.quiet[0], .events = POLLIN }, { .fd = at.quiet[1], .events = POLLOUT } };

	require(poll(both, 2, 0) == 1, "poll");
}

static void epoll_both(void)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.fd = at.quiet[1] };

	require(epoll_ctl(at.set, EPOLL_CTL_MOD, at.quiet[1], &event) == 0, "epoll_ctl");
	require(epoll_wait(at.set, &event, 1, 0) == 1, "epoll_wait");
}

static void dup_close(void)
{
	int copy = dup(at.quiet[0]);

	require(copy >= 0 && close(copy) == 0, "dup and close");
}

/* The accepted end closes first, so that the ports of the other don't run out in TIME_WAIT. */
static void accept_connect(void)
{
	int client = socket(AF_INET, SOCK_STREAM, 0), accepted;

	require(connect(client, (struct sockaddr *)&at.listening, sizeof(at.listening)) == 0, "connect");
	accepted = accept(at.listener, NULL, NULL);
	require(accepted >= 0 && close(accepted) == 0 && close(client) == 0, "accept and close");
}

static void set_option(void)
{
	int on = 1;

	require(setsockopt(at.peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0, "setsockopt");
}

static void peer_name(void)
{
	struct sockaddr_in name;
	socklen_t size = sizeof(name);

	require(getpeername(at.peer, (struct sockaddr *)&name, &size) == 0, "getpeername");
}

static void connect_send(void)
{
	require(connect(at.datagrams, (struct sockaddr *)&at.draining, sizeof(at.draining)) == 0, "connect");
	require(sendto(at.datagrams, "", 1, 0, (struct sockaddr *)&at.draining, sizeof(at.draining)) == 1, "sendto");
}

/* Between batches and not timed: a full buffer would make sending cheaper. */
static void drain(void)
{
	char byte;

	while (recv(at.drain, &byte, 1, MSG_DONTWAIT) >= 0)
		;
}

static const struct {
	const char *name;
	void (*call)(void);
	void (*between)(void);
} s_kinds[] = {
	{ "read+write", read_write, NULL },
	{ "poll", poll_two, NULL },
	{ "epoll_wait+epoll_ctl", epoll_both, NULL },
	{ "close+dup", dup_close, NULL },
	{ "accept+connect+close", accept_connect, NULL },
	{ "setsockopt", set_option, NULL },
	{ "getpeername", peer_name, NULL },
	{ "udp-connect+sendto", connect_send, drain },
};

enum { KINDS = sizeof(s_kinds) / sizeof(s_kinds[0]) };

static int bound(int type, struct sockaddr_in *name)
{
	int descriptor = socket(AF_INET, type, 0);
	socklen_t size = sizeof(*name);

	*name = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	require(bind(descriptor, (struct sockaddr *)name, sizeof(*name)) == 0 &&
		getsockname(descriptor, (struct sockaddr *)name, &size) == 0, "bind");
	return descriptor;
}

static void prepare(void)
{
	struct epoll_event event = { .events = EPOLLOUT };

	require(pipe(at.pipe) == 0 && pipe(at.quiet) == 0, "pipe");
	at.set = epoll_create1(0);
	require(epoll_ctl(at.set, EPOLL_CTL_ADD, at.quiet[1], &event) == 0, "epoll");
	at.listener = bound(SOCK_STREAM, &at.listening);
	require(listen(at.listener, 16) == 0, "listen");
	at.peer = socket(AF_INET, SOCK_STREAM, 0);
	require(connect(at.peer, (struct sockaddr *)&at.listening, sizeof(at.listening)) == 0, "connect");
	require(accept(at.listener, NULL, NULL) >= 0, "accept");
	at.drain = bound(SOCK_DGRAM, &at.draining);
	at.datagrams = socket(AF_INET, SOCK_DGRAM, 0);
}

/* Nanoseconds a call, over one slice. */
static double slice(int kind)
{
	double spent = 0;
	long calls = 0;

	do {
		double from = now();

		for (int i = 0; i < 32; i++)
			s_kinds[kind].call();
		spent += now() - from;
		calls += 32;
		if (s_kinds[kind].between)
			s_kinds[kind].between();
	} while (spent < SLICE_NANOSECONDS);
	return spent / (double)calls;
}

/* The word goes out as the environment was meant, so that a library that the loader passed over doesn't go unnoticed. */
static char is_mapped(const char *library)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4096], found = 0;

	require(maps != NULL, "/proc/self/maps");
	while (fgets(line, sizeof(line), maps))
		found |= strstr(line, library) != NULL;
	fclose(maps);
	return found;
}

/* One of the two: a byte in asks for a slice of that kind, a double out is its time. */
static int serve(const char *library)
{
	char mapped = is_mapped(library);
	unsigned char kind;

	prepare();
	require(write(1, &mapped, 1) == 1, "write");
	while (read(0, &kind, 1) == 1) {
		double time = slice(kind);

		require(write(1, &time, sizeof(time)) == sizeof(time), "write");
	}
	return 0;
}

struct process {
	pid_t pid;
	int ask, answer;
};

static struct process start(const char *library, const char *prefix, int preload, int core)
{
	const char *name = strrchr(library, '/') ? strrchr(library, '/') : library;
	int in[2], out[2];
	struct process process;
	char mapped;

	require(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe");
	process.pid = fork();
	require(process.pid >= 0, "fork");
	if (process.pid == 0) {
		cpu_set_t cores;

		CPU_ZERO(&cores);
		CPU_SET(core, &cores);
		sched_setaffinity(0, sizeof(cores), &cores);
		unsetenv("LD_PRELOAD");
		unsetenv("VNET_PREFIX");
		if (preload) {
			setenv("LD_PRELOAD", library, 1);
			setenv("VNET_PREFIX", prefix, 1);
		}
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl("/proc/self/exe", "passthrough", "serve", name, NULL);
		fail("exec");
	}
	close(in[0]);
	close(out[1]);
	process.ask = in[1];
	process.answer = out[0];
	if (read(process.answer, &mapped, 1) != 1 || mapped != preload) {
		fprintf(stderr, "%s is %s\n", library, preload ? "not preloaded" : "loaded without being asked for");
		exit(1);
	}
	return process;
}

static double ask(struct process process, int kind)
{
	unsigned char byte = (unsigned char)kind;
	double time;

	require(write(process.ask, &byte, 1) == 1, "write");
	if (read(process.answer, &time, sizeof(time)) != sizeof(time)) {
		fprintf(stderr, "%s ended the process\n", s_kinds[kind].name);
		exit(1);
	}
	return time;
}

static void end(struct process process)
{
	close(process.ask);
	close(process.answer);
	waitpid(process.pid, NULL, 0);
}

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare_doubles);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static int compare(const char *library, const char *prefix, int slices)
{
	double *ratios[KINDS], *plain[KINDS], *preloaded[KINDS];
	int cores = (int)sysconf(_SC_NPROCESSORS_ONLN), done = 0;

	for (int kind = 0; kind < KINDS; kind++) {
		ratios[kind] = calloc((size_t)slices, sizeof(double));
		plain[kind] = calloc((size_t)slices, sizeof(double));
		preloaded[kind] = calloc((size_t)slices, sizeof(double));
		require(ratios[kind] && plain[kind] && preloaded[kind], "calloc");
	}
	for (int run = 0; done < slices; run++) {
		int first = done, last = done + PAIRS_A_PROCESS < slices ? done + PAIRS_A_PROCESS : slices;
		struct process with = start(library, prefix, 1, run % cores);
		struct process without = start(library, prefix, 0, run % cores);

		for (int kind = 0; kind < KINDS; kind++) {
			ask(with, kind); /* the first slices of a process are slower */
			ask(without, kind);
			for (int i = first; i < last; i++) {
				if (i % 2)
					plain[kind][i] = ask(without, kind);
				preloaded[kind][i] = ask(with, kind);
				if (i % 2 == 0)
					plain[kind][i] = ask(without, kind);
				ratios[kind][i] = preloaded[kind][i] / plain[kind][i];
			}
		}
		end(with);
		end(without);
		done = last;
	}
	for (int kind = 0; kind < KINDS; kind++)
		printf("%s %.4f %.1f %.1f\n", s_kinds[kind].name, median(ratios[kind], slices), median(plain[kind], slices),
		       median(preloaded[kind], slices));
	return 0;
}

int main(int count, char **words)
{
	if (count == 3 && strcmp(words[1], "serve") == 0)
		return serve(words[2]);
	if (count == 4 && atoi(words[3]) > 0)
		return compare(words[1], words[2], atoi(words[3]));
	return 2;
}
