/*
 * What the TCP programs share. Each program holds scenes; a scene is played by two processes in two containers:
 *
 *     PROGRAM SCENE server|client SERVER-ADDRESS CLIENT-ADDRESS SETTLE-MILLISECONDS
 *
 * and both write a transcript that has to be the same in every run, whatever carries the connections: no time, no
 * descriptor, no port that the system chose. The two tell each other things by datagrams, so that a scene's TCP
 * connections are all its own. Functions that return nothing end the program when they fail; every wait has a bound.
 */
#ifndef FREEFLOW_TESTS_TCP_STAGE_H
#define FREEFLOW_TESTS_TCP_STAGE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Ports that scenes refer to by an index; on nowhere_index nobody ever listens. */
enum { first_port = 19000, nowhere_index = 80, patience_ms = 8000 };

struct scene {
    const char *name;
    void (*server)(void); /* NULL: there is nothing for it to do */
    void (*client)(void);
    void (*aside)(char **arguments); /* what further processes do that start_aside() makes */
};

/* The program's main(); the scenes end with one without a name. */
int play(int count, char **words, const struct scene *scenes);

extern struct in_addr server_address, client_address;

/* The transcript. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A call's result for the transcript: "ok", or errno's name. Numbers that matter are said by counted(). */
const char *ok(long result);
const char *counted(long result);
const char *failure(int number);
/* Events of poll and epoll, such as "IN|OUT"; none is "-". */
const char *bits(uint32_t events);
/* "server:19000", "[::ffff:client]:P": P stands for the port `own`, "some" for any other that the system chose. */
const char *named(const void *address, socklen_t length, int own);

/* Between the two. `settle` gives a listener the moment that it takes until others know of it. */
void ready(void);
void tell(const char *word);
void await(const char *word);
void tell_number(int number);
int await_number(void);
void settle(void);
void pause_ms(int milliseconds);

struct sockaddr_in at(struct in_addr address, int port);
struct sockaddr_in6 at_mapped(struct in_addr address, int port);
int tcp(int type_flags);
int to_server(int fd, int index);
int connected(int index);
int listening(int index);
int listening_at(struct in_addr address, int index);
/* Waits until there is one, and accepts it. */
int accepted(int listener);
/* As an idle server does it: from here on others may learn that it waits. */
void begin_to_wait(int listener);
short wait_for(int fd, short events, int milliseconds);
int port_of(int fd);
void set_int(int fd, int level, int option, int value);
void set_blocking(int fd, int blocking);
void close_with_reset(int fd);
void set_handler(int signal, void (*handler)(int), int flags);

void send_text(int fd, const char *text);
/* Reads through the next newline, which is not part of the text; "EOF" or errno's name instead where there is none. */
const char *read_line(int fd);
/* Sends a line to an answering server and says whether it came back. */
const char *exchange(int fd);

/*
 * A server that answers every line with itself, until the client's scene ends or it tells "end". Lines with a meaning:
 * "?" asks for the peer's address and port as the server sees them, "#" has the server close afterwards, "!" has it reset
 * the connection. Returns the number of connections.
 */
int serve(const int *listeners, int count);
/* Does so for `count` listeners at the indices from 0, as a scene's server(); says the number of connections. */
void serve_ports(int count);
/* Answers one line and closes; the connection may be blocking or not. */
void answer(int fd);
/* Connects `count` times at once; every one has to get its answer, and the end after it. Returns how many did. */
int answered(int index, int count);
/* The same one after another. */
int answered_in_turn(int index, int count);

/* Processes. A child ends with its parent, and within the bound. */
pid_t child(void);
/* Fails unless it ended with 0. */
void ended_well(pid_t pid);
enum { with_preload, without_preload };
/* Runs this program again in a process of its own, as aside() of this scene. Descriptors reach it unless close-on-exec. */
pid_t start_aside(int preload, const char *first, const char *second);
char **aside_words(const char *first, const char *second);
void pass_descriptor(int through, int fd);
int passed_descriptor(int through);

#endif
