/*
 * pairs PORT NUMBER SECONDS             serves
 * pairs PORT NUMBER SECONDS ADDRESS     writes 64 KiB at a time over so many RC QPs at once, as fast as each will go
 *
 * The client prints MB/s (2^20) of all together and Jain's index of fairness, 1 where each QP has moved as much as any other.
 */
#include "target.h"

#include <infiniband/verbs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { most = 1024, message = 1 << 16, depth = 4 };

static void begin(struct ibv_qp *qp, uint64_t number, const struct ibv_mr *region, const struct target *to) {
    struct ibv_sge part = {(uintptr_t)region->addr, message, region->lkey};
    struct ibv_send_wr *wrong, wanted = {.wr_id = number, .sg_list = &part, .num_sge = 1, .opcode = IBV_WR_RDMA_WRITE,
                                         .send_flags = IBV_SEND_SIGNALED, .wr.rdma = {.remote_addr = to->address, .rkey = to->key}};
    if (ibv_post_send(qp, &wanted, &wrong))
        die("ibv_post_send");
}

static void write_for(double seconds, int number, struct ibv_qp **qps, struct ibv_cq *cq, const struct ibv_mr *region, const struct target *to) {
    static uint64_t moved[most];
    for (int round = 0; round < depth; round++)
        for (int i = 0; i < number; i++)
            begin(qps[i], (uint64_t)i, region, &to[i]);
    /* The first fifth is for getting under way. */
    double from = now() + seconds / 5, until = from + seconds, time;
    int in_flight = depth * number;
    while (in_flight > 0) {
        struct ibv_wc done[16];
        int count = ibv_poll_cq(cq, 16, done);
        time = now();
        for (int i = 0; i < count; i++) {
            if (done[i].status != IBV_WC_SUCCESS)
                die("a write of QP %u: %s", done[i].qp_num, ibv_wc_status_str(done[i].status));
            in_flight--;
            if (time >= until)
                continue;
            if (time >= from)
                moved[done[i].wr_id]++;
            begin(qps[done[i].wr_id], done[i].wr_id, region, &to[done[i].wr_id]);
            in_flight++;
        }
    }
    double sum = 0, squares = 0;
    for (int i = 0; i < number; i++) {
        sum += (double)moved[i];
        squares += (double)moved[i] * (double)moved[i];
    }
    printf("%f %f\n", sum * message / seconds / (1 << 20), squares > 0 ? sum * sum / (number * squares) : 0);
}

int main(int count, char **words) {
    if (count < 4)
        die("usage: pairs PORT NUMBER SECONDS [ADDRESS]");
    int port = atoi(words[1]), number = atoi(words[2]);
    if (number < 1 || number > most)
        die("1 to %d pairs", most);
    struct endpoint at = open_endpoint(0);
    struct ibv_cq *cq = ibv_create_cq(at.device, depth * number, NULL, NULL, 0);
    struct ibv_mr *region = register_memory(&at, aligned_alloc(4096, message), message, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
    static struct ibv_qp *qps[most];
    static struct target ours[most], theirs[most];
    int peer = count > 4 ? connect_to(words[4], port) : listen_and_accept(port);
    for (int i = 0; i < number; i++) {
        qps[i] = make_qp(&at, cq, cq, depth, 1, 0);
        ours[i] = (struct target){address_of(&at, qps[i]), (uintptr_t)region->addr, region->rkey, 0};
    }
    send_all(peer, ours, sizeof *ours * (size_t)number);
    receive_all(peer, theirs, sizeof *theirs * (size_t)number);
    for (int i = 0; i < number; i++)
        connect_qp(qps[i], &theirs[i].qp, &usual_patience);
    char ready = 0;
    send_all(peer, &ready, 1);
    receive_all(peer, &ready, 1);
    if (count > 4)
        write_for(atof(words[3]), number, qps, cq, region, theirs);
    send_all(peer, &ready, 1);
    receive_all(peer, &ready, 1);
    return 0;
}
