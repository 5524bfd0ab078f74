/* Steps that change a QP, or ask for what it has. */
#include "verbs-sequence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[] = {"reset", "init", "rtr", "rts", "sqd", "sqe", "err"};

static enum ibv_qp_state state_of(const char *name) {
    for (int i = 0; i < (int)(sizeof state_names / sizeof state_names[0]); i++)
        if (!strcmp(state_names[i], name))
            return (enum ibv_qp_state)i;
    die("no state: %s", name);
}

static int modify(struct step *step, char *answer) {
    struct ibv_qp_attr attr = {0};
    int mask = 0;
    const char *value;
    if ((value = value_of(step, "state"))) {
        attr.qp_state = state_of(value);
        mask |= IBV_QP_STATE;
    }
    if ((value = value_of(step, "cur"))) {
        attr.cur_qp_state = state_of(value);
        mask |= IBV_QP_CUR_STATE;
    }
    if ((value = value_of(step, "dest"))) {
        attr.dest_qp_num = object_of(value)->fact.qpn;
        mask |= IBV_QP_DEST_QPN;
    }
    if ((value = value_of(step, "av"))) {
        attr.ah_attr = (struct ibv_ah_attr){.is_global = 1,
                                            .port_num = value_of(step, "av-port") ? (uint8_t)number_of(step, "av-port") : 1,
                                            .grh = {.dgid = object_of(value)->fact.gid,
                                                    .sgid_index = value_of(step, "av-index") ? (uint8_t)number_of(step, "av-index") : gid_index,
                                                    .hop_limit = 64}};
        mask |= IBV_QP_AV;
    }
#define NUMBER(key, field, bit)                                                                                                        \
    if (value_of(step, key)) {                                                                                                         \
        attr.field = number_of(step, key);                                                                                             \
        mask |= bit;                                                                                                                   \
    }
    NUMBER("pkey", pkey_index, IBV_QP_PKEY_INDEX)
    NUMBER("port", port_num, IBV_QP_PORT)
    NUMBER("access", qp_access_flags, IBV_QP_ACCESS_FLAGS)
    NUMBER("qkey", qkey, IBV_QP_QKEY)
    NUMBER("mtu", path_mtu, IBV_QP_PATH_MTU)
    NUMBER("rq-psn", rq_psn, IBV_QP_RQ_PSN)
    NUMBER("sq-psn", sq_psn, IBV_QP_SQ_PSN)
    NUMBER("rd", max_rd_atomic, IBV_QP_MAX_QP_RD_ATOMIC)
    NUMBER("dest-rd", max_dest_rd_atomic, IBV_QP_MAX_DEST_RD_ATOMIC)
    NUMBER("rnr-timer", min_rnr_timer, IBV_QP_MIN_RNR_TIMER)
    NUMBER("timeout", timeout, IBV_QP_TIMEOUT)
    NUMBER("retry", retry_cnt, IBV_QP_RETRY_CNT)
    NUMBER("rnr-retry", rnr_retry, IBV_QP_RNR_RETRY)
    NUMBER("notify", en_sqd_async_notify, IBV_QP_EN_SQD_ASYNC_NOTIFY)
    NUMBER("sends", cap.max_send_wr, IBV_QP_CAP)
    NUMBER("rate", rate_limit, IBV_QP_RATE_LIMIT)
#undef NUMBER
    strcpy(answer, errno_name(ibv_modify_qp(step->object->handle, &attr, mask)));
    return 1;
}

/* What has no meaning yet is asked for too: it is what it was made with. */
static int query(struct step *step, char *answer) {
    struct ibv_qp_attr attr;
    struct ibv_qp_init_attr made;
    const int mask = IBV_QP_STATE | IBV_QP_ACCESS_FLAGS | IBV_QP_PKEY_INDEX | IBV_QP_PATH_MTU | IBV_QP_MAX_QP_RD_ATOMIC |
                     IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
                     IBV_QP_PORT | IBV_QP_QKEY | IBV_QP_CAP | IBV_QP_DEST_QPN;
    int error = ibv_query_qp(step->object->handle, &attr, mask, &made);
    if (error) {
        strcpy(answer, errno_name(error));
        return 1;
    }
    struct object *to = attr.dest_qp_num ? object_by_qpn(attr.dest_qp_num) : NULL;
    sprintf(answer,
            "state=%s access=%u pkey=%u port=%u qkey=%u mtu=%u rd=%u dest-rd=%u rnr-timer=%u timeout=%u retry=%u rnr-retry=%u dest=%s "
            "sends=%u receives=%u ssge=%u rsge=%u inline=%u",
            state_names[attr.qp_state], (unsigned)attr.qp_access_flags, attr.pkey_index, attr.port_num, attr.qkey, (unsigned)attr.path_mtu,
            attr.max_rd_atomic, attr.max_dest_rd_atomic, attr.min_rnr_timer, attr.timeout, attr.retry_cnt, attr.rnr_retry,
            to ? to->name : "-", attr.cap.max_send_wr, attr.cap.max_recv_wr, attr.cap.max_send_sge, attr.cap.max_recv_sge,
            attr.cap.max_inline_data);
    return 1;
}

int do_state_step(struct step *step, char *answer) {
    if (!strcmp(step->words[0], "modify"))
        return modify(step, answer);
    if (!strcmp(step->words[0], "query"))
        return query(step, answer);
    return 0;
}
