/*
 * hostile-channel CASE
 *
 * A container that speaks to the router's socket by itself, and badly. Ends with 0 when the router answered or closed as
 * its protocol says; how everything else fares is for the caller to see.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../../Freeflow.Shim/protocol.h"
#include "endpoint.h"

enum { answer_seconds = 10 };

struct hello {
    struct ff_header head;
    struct ff_hello body;
};

static uint64_t noise = 7;

static int connect_router(void) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const char *router = getenv("FFR_NAME");
    snprintf(name.sun_path, sizeof name.sun_path, "/freeflow/run/%s.sock", router ? router : "default");
    int channel = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct timeval bound = {.tv_sec = answer_seconds};
    setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    setsockopt(channel, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
    if (connect(channel, (struct sockaddr *)&name, sizeof name)) {
        close(channel);
        return -1;
    }
    return channel;
}

static int need_router(void) {
    int channel = connect_router();
    if (channel < 0)
        die("no router: %s", strerror(errno));
    return channel;
}

static ssize_t say(int channel, const void *bytes, size_t count, const int *descriptors, int number) {
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int) * 250)];
    } control;
    struct iovec part = {(void *)(uintptr_t)bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (number) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)number);
        control.head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int) * (size_t)number)};
        memcpy(CMSG_DATA(&control.head), descriptors, sizeof(int) * (size_t)number);
    }
    return sendmsg(channel, &message, MSG_NOSIGNAL);
}

static struct hello hello(uint32_t version, uint32_t kind) {
    return (struct hello){
        .head = {.magic = FF_MAGIC, .type = FF_HELLO, .sequence = 1, .length = sizeof(struct ff_hello), .descriptor_patch = FF_NO_DESCRIPTOR},
        .body = {version, kind},
    };
}

/* The router's answer; its error, or -1 when it closed the channel instead. Whatever descriptors come are closed. */
static int answer(int channel) {
    char space[FF_MAX_MESSAGE + sizeof(struct ff_header)];
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int) * FF_MAX_DESCRIPTORS)];
    } control;
    struct iovec part = {space, sizeof space};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EAGAIN)
        die("the router neither answers nor closes within %d s", answer_seconds);
    if (got <= 0)
        return -1;
    for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each)) {
        for (size_t at = 0; at + CMSG_LEN(0) + sizeof(int) <= each->cmsg_len; at += sizeof(int)) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(each) + at, sizeof descriptor);
            close(descriptor);
        }
    }
    if ((size_t)got < sizeof(struct ff_header))
        die("an answer of %zd bytes", got);
    struct ff_header head;
    memcpy(&head, space, sizeof head);
    if (head.magic != FF_MAGIC || head.length != (size_t)got - sizeof head)
        die("an answer that is none");
    return head.error;
}

static int open_device(void) {
    int channel = need_router();
    int own[] = {open("/proc/self/mem", O_RDWR | O_CLOEXEC), open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
    struct hello greeting = hello(FF_PROTOCOL_VERSION, FF_KIND_UVERBS);
    say(channel, &greeting, sizeof greeting, own, 2);
    int error = answer(channel);
    if (error)
        die("a proper hello is answered %d", error);
    close(own[0]);
    close(own[1]);
    return channel;
}

static void expect_refusal(int channel, const char *what) {
    int error = answer(channel);
    if (error == 0)
        die("%s is accepted", what);
    close(channel);
}

static void silent(void) {
    int channel = need_router();
    time_t from = time(NULL);
    if (answer(channel) != -1)
        die("an answer to nothing");
    if (time(NULL) - from > answer_seconds)
        die("still open after %ld s", (long)(time(NULL) - from));
}

static void old_version(void) {
    int channel = need_router();
    struct hello greeting = hello(FF_PROTOCOL_VERSION + 41, FF_KIND_SYSFS);
    say(channel, &greeting, sizeof greeting, NULL, 0);
    int error = answer(channel);
    if (error != EPROTONOSUPPORT)
        die("a version from elsewhere is answered %d", error);
}

static void wrong_first_words(void) {
    struct hello good = hello(FF_PROTOCOL_VERSION, FF_KIND_UVERBS), bad;
    int channel = need_router();
    bad = good;
    bad.head.magic ^= 1;
    say(channel, &bad, sizeof bad, NULL, 0);
    expect_refusal(channel, "another magic number");

    channel = need_router();
    say(channel, &good, sizeof(struct ff_header) - 3, NULL, 0);
    expect_refusal(channel, "half a header");

    channel = need_router();
    bad = good;
    bad.head.length = 4000;
    say(channel, &bad, sizeof bad, NULL, 0);
    expect_refusal(channel, "a length beyond the message");

    channel = need_router();
    bad = good;
    bad.head.length = UINT32_MAX;
    say(channel, &bad, sizeof bad, NULL, 0);
    expect_refusal(channel, "a length of 4 GiB");

    channel = need_router();
    bad = good;
    bad.body.kind = 77;
    say(channel, &bad, sizeof bad, NULL, 0);
    expect_refusal(channel, "another kind");

    channel = need_router();
    bad = good;
    bad.head.type = FF_COMMAND;
    say(channel, &bad, sizeof bad, NULL, 0);
    expect_refusal(channel, "a command before the hello");

    static char large[FF_MAX_MESSAGE * 4];
    channel = need_router();
    memcpy(large, &good, sizeof good);
    say(channel, large, sizeof large, NULL, 0);
    expect_refusal(channel, "a message of 64 KiB");
}

static void wrong_descriptors(void) {
    struct hello greeting = hello(FF_PROTOCOL_VERSION, FF_KIND_UVERBS);
    int ends[2], many[250];
    if (pipe(ends))
        die("pipe");
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), directory = open("/", O_RDONLY | O_CLOEXEC);
    int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC), readable = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), innocent = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    const int pairs[][2] = {{null, null}, {ends[0], ends[1]}, {directory, directory}, {maps, memory},
                            {memory, innocent}, {readable, maps}, {innocent, maps}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        int channel = need_router();
        char what[64];
        snprintf(what, sizeof what, "the wrong pair of descriptors number %zu", i);
        say(channel, &greeting, sizeof greeting, pairs[i], 2);
        expect_refusal(channel, what);
    }
    int channel = need_router();
    say(channel, &greeting, sizeof greeting, NULL, 0);
    expect_refusal(channel, "a hello with no descriptor");
    for (int i = 0; i < 250; i++)
        many[i] = null;
    channel = need_router();
    say(channel, &greeting, sizeof greeting, many, 250);
    expect_refusal(channel, "250 descriptors");
}

static void random_messages(void) {
    int channel = -1;
    static char bytes[FF_MAX_MESSAGE * 2];
    for (int i = 0; i < 4000; i++) {
        if (channel < 0) {
            channel = next_random(&noise) % 2 ? open_device() : need_router();
            struct timeval soon = {.tv_usec = 1000};
            setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
        }
        size_t length = next_random(&noise) % 8 ? next_random(&noise) % 256 : next_random(&noise) % sizeof bytes;
        for (size_t k = 0; k < length; k++)
            bytes[k] = (char)(next_random(&noise) % 4 ? 0 : next_random(&noise));
        if (next_random(&noise) % 4 && length >= sizeof(struct ff_header)) {
            struct ff_header head = {
                .magic = FF_MAGIC,
                .type = (uint16_t)(next_random(&noise) % 6),
                .sequence = (uint32_t)i,
                .length = (uint32_t)(length - sizeof head),
                .descriptor_patch = FF_NO_DESCRIPTOR,
            };
            memcpy(bytes, &head, sizeof head);
        }
        if (say(channel, bytes, length, NULL, 0) < 0 || recv(channel, bytes, sizeof bytes, MSG_TRUNC) == 0) {
            close(channel);
            channel = -1;
        }
    }
}

/* Maps what is not there, and shares what is not its own. */
static void wrong_offsets(void) {
    int channel = open_device();
    struct {
        struct ff_header head;
        uint64_t values[2];
    } request;
    for (int i = 0; i < 2000; i++) {
        request.head = (struct ff_header){
            .magic = FF_MAGIC,
            .type = i % 2 ? FF_MMAP : FF_SHARE,
            .sequence = (uint32_t)i + 2,
            .length = sizeof request.values,
            .descriptor_patch = FF_NO_DESCRIPTOR,
        };
        for (int k = 0; k < 2; k++)
            request.values[k] = next_random(&noise) % 2 ? next_random(&noise) : next_random(&noise) % 3 ? next_random(&noise) << 12 : 0 - next_random(&noise) % 9;
        if (say(channel, &request, sizeof request, NULL, 0) < 0)
            die("message %d: %s", i, strerror(errno));
        if (answer(channel) < 0)
            die("message %d ended the channel", i);
    }
}

/* Takes every connection that it can get, and holds them until its input ends. */
static void many_connections(void) {
    int count = 0;
    while (count < 4000 && connect_router() >= 0)
        count++;
    printf("%d connections\n", count);
    fflush(stdout);
    getchar();
}

int main(int count, char **words) {
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"silent", silent},
        {"old-version", old_version},
        {"wrong-first-words", wrong_first_words},
        {"wrong-descriptors", wrong_descriptors},
        {"random-messages", random_messages},
        {"wrong-offsets", wrong_offsets},
        {"many-connections", many_connections},
    };
    for (size_t i = 0; count == 2 && i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].name, words[1]) == 0) {
            cases[i].run();
            return 0;
        }
    }
    die("usage: hostile-channel CASE");
}
