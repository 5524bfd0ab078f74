/*
 * outage PORT                    lends memory to whoever asks
 * outage PORT ADDRESS FILE       writes eight bytes over an RC QP without end, and begins anew, device and all, when that fails
 *
 * FILE gets a line whenever that begins or ends: "up TIME" with the first success, "down TIME STATUS" with the first failure; TIME is
 * CLOCK_MONOTONIC in seconds. Each attempt is a process of its own, so that nothing of the one before is left.
 */
#include "target.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { bytes = 4096, attempt_seconds = 2, between_microseconds = 5000, pause_microseconds = 100 };

static void tell(int file, const char *what, const char *why) {
    dprintf(file, "%s %f %s\n", what, now(), why);
}

static struct ibv_qp *meet(int peer, struct ibv_cq **cq, struct ibv_mr **region, struct target *theirs) {
    struct endpoint at = open_endpoint(0);
    *cq = ibv_create_cq(at.device, 16, NULL, NULL, 0);
    *region = register_memory(&at, aligned_alloc(bytes, bytes), bytes, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
    struct ibv_qp *qp = make_qp(&at, *cq, *cq, 8, 1, 0);
    struct target ours = {address_of(&at, qp), (uintptr_t)(*region)->addr, (*region)->rkey, 0};
    send_all(peer, &ours, sizeof ours);
    receive_all(peer, theirs, sizeof *theirs);
    connect_qp(qp, &theirs->qp, &usual_patience);
    char ready = 0;
    send_all(peer, &ready, 1);
    receive_all(peer, &ready, 1);
    return qp;
}

_Noreturn static void ask(const char *address, int port, int file) {
    struct ibv_cq *cq;
    struct ibv_mr *region;
    struct target theirs;
    struct ibv_wc done;
    alarm(attempt_seconds);
    struct ibv_qp *qp = meet(connect_to(address, port), &cq, &region, &theirs);
    for (int first = 1;; first = 0) {
        struct ibv_sge part = {(uintptr_t)region->addr, 8, region->lkey};
        struct ibv_send_wr *wrong, wanted = {.sg_list = &part, .num_sge = 1, .opcode = IBV_WR_RDMA_WRITE, .send_flags = IBV_SEND_SIGNALED,
                                             .wr.rdma = {.remote_addr = theirs.address, .rkey = theirs.key}};
        int refused = ibv_post_send(qp, &wanted, &wrong);
        if (refused) {
            tell(file, "down", strerror(refused));
            _exit(1);
        }
        while (ibv_poll_cq(cq, 1, &done) == 0)
            usleep(pause_microseconds);
        if (done.status != IBV_WC_SUCCESS) {
            if (!first)
                tell(file, "down", ibv_wc_status_str(done.status));
            _exit(1);
        }
        if (first) {
            alarm(0);
            tell(file, "up", "");
        }
    }
}

static void serve(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&any, sizeof any) || listen(listener, 16))
        die("port %d", port);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        if (peer >= 0 && fork() == 0) {
            struct ibv_cq *cq;
            struct ibv_mr *region;
            struct target theirs;
            char byte;
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            alarm(attempt_seconds);
            meet(peer, &cq, &region, &theirs);
            alarm(0);
            while (recv(peer, &byte, 1, 0) > 0)
                ;
            _exit(0);
        }
        close(peer);
    }
}

int main(int count, char **words) {
    if (count != 2 && count != 4)
        die("usage: outage PORT [ADDRESS FILE]");
    int port = atoi(words[1]);
    if (count == 2)
        serve(port);
    int file = open(words[3], O_CREAT | O_WRONLY | O_APPEND, 0644);
    if (file < 0)
        die("%s can't be written", words[3]);
    for (;;) {
        pid_t attempt = fork();
        if (attempt == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            ask(words[2], port, file);
        }
        waitpid(attempt, NULL, 0);
        usleep(between_microseconds);
    }
}
