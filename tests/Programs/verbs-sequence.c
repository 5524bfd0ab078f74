/*
 * verbs-sequence FILE [PORT [SERVER]]
 *
 * Carries out a recorded sequence of verbs calls and compares every answer with the recorded one. Alone it plays both sides; with
 * a port it is the side a, which listens, and with a server's address too the side b, and the two go step by step.
 * Ends with 0 and "as recorded", or says the first step that was answered otherwise.
 */
#include "verbs-sequence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { line_bytes = 1024, most_completions = 256, quiet_milliseconds = 4, last_quiet_milliseconds = 150, numbers_of_a_side = 1024 };

struct endpoint device;

static struct object objects[most_objects];
static int object_count;
static char side; /* 0: both */
static int peer;

struct object *object_of(const char *name) {
    for (int i = 0; i < object_count; i++)
        if (!strcmp(objects[i].name, name))
            return &objects[i];
    if (object_count == most_objects || strlen(name) >= name_bytes)
        die("no room for %s", name);
    strcpy(objects[object_count].name, name);
    return &objects[object_count++];
}

struct object *object_by_qpn(uint32_t qpn) {
    /* A number may come again: the youngest has it. */
    for (int i = object_count; i-- > 0;)
        if (objects[i].fact.qpn == qpn)
            return &objects[i];
    return NULL;
}

struct object *object_by_rkey(uint32_t rkey) {
    for (int i = object_count; i-- > 0;)
        if (objects[i].fact.rkey == rkey)
            return &objects[i];
    return NULL;
}

const char *value_of(const struct step *step, const char *key) {
    size_t bytes = strlen(key);
    for (int i = 0; i < step->count; i++)
        if (!strncmp(step->words[i], key, bytes) && step->words[i][bytes] == '=')
            return step->words[i] + bytes + 1;
    return NULL;
}

uint32_t number_of(const struct step *step, const char *key) {
    const char *value = value_of(step, key);
    return value ? (uint32_t)strtoul(value, NULL, 0) : 0;
}

const char *errno_name(int error) {
    static const struct {
        int error;
        const char *name;
    } names[] = {{0, "ok"},           {EINVAL, "EINVAL"}, {ENOMEM, "ENOMEM"},       {EBUSY, "EBUSY"},     {EOPNOTSUPP, "EOPNOTSUPP"},
                 {EPERM, "EPERM"},    {EFAULT, "EFAULT"}, {ETIMEDOUT, "ETIMEDOUT"}, {ENODATA, "ENODATA"}, {ENOENT, "ENOENT"},
                 {ENOSYS, "ENOSYS"},  {EIO, "EIO"},       {ENOSPC, "ENOSPC"}};
    static char number[16];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].error == error)
            return names[i].name;
    snprintf(number, sizeof number, "errno-%d", error);
    return number;
}

/*
 * Where the device is meant to differ from a kernel's (docs/compatibility.md), a word is "OURS~KERNELS": keeps the one that is
 * this device's.
 */
static void choose(char *line) {
    int kernels = is_kernels(device.device);
    for (char *mark; (mark = strchr(line, '~'));) {
        char *from = mark, *behind = mark + 1 + strcspn(mark + 1, " ");
        while (from > line && from[-1] != ' ')
            from--;
        if (kernels)
            memmove(from, mark + 1, strlen(mark + 1) + 1);
        else
            memmove(mark, behind, strlen(behind) + 1);
    }
}

static int is_mine(const char *name) {
    return !side || name[0] == side;
}

/* Tells the other side what came of a step of mine, or hears what came of its. */
static void agree(int mine, struct fact *fact) {
    if (!side)
        return;
    if (mine)
        send_all(peer, fact, sizeof *fact);
    else
        receive_all(peer, fact, sizeof *fact);
}

static int play(char *line, int number) {
    char whole[line_bytes], answer[answer_bytes] = "";
    strcpy(whole, line);
    char *wanted = strstr(line, " -> ");
    if (!wanted)
        die("line %d has no answer: %s", number, line);
    *wanted = 0;
    wanted += 4;
    struct step step = {0};
    for (char *word = strtok(line, " "); word && step.count < most_words; word = strtok(NULL, " "))
        step.words[step.count++] = word;
    if (step.count < 2)
        die("line %d: %s", number, whole);
    step.object = object_of(step.words[1]);
    int mine = is_mine(step.words[1]);
    struct fact *fact = &step.object->fact;
    if (mine) {
        if (!do_object_step(&step, answer) && !do_state_step(&step, answer) && !do_work_step(&step, answer) &&
            !do_window_step(&step, answer))
            die("line %d: unknown: %s", number, whole);
        fact->failed = strcmp(answer, wanted) != 0;
        if (fact->failed)
            printf("line %d: %s\nbut answered: %s\n", number, whole, answer);
    }
    agree(mine, fact);
    return (int)fact->failed;
}

static int play_settle(char **wanted, int count, int quiet, int number) {
    char *here[most_completions];
    int mine = 0;
    for (int i = 0; i < count; i++)
        if (is_mine(wanted[i] + 2))
            here[mine++] = wanted[i];
    struct fact failed = {.failed = settle(here, mine, quiet) != 0}, other = {0};
    if (failed.failed)
        printf("at the settle before line %d\n", number);
    agree(side == 'a', side == 'a' ? &failed : &other);
    agree(side == 'b', side == 'b' ? &failed : &other);
    return failed.failed || other.failed;
}

/*
 * Two kernels' devices give the same numbers to their QPs, and a wrong address would be a right one. Each side takes numbers
 * that the other has not, by using up the rest.
 */
static void part_numbers(void) {
    struct ibv_cq *cq = ibv_create_cq(device.device, 1, NULL, NULL, 0);
    if (!cq)
        die("ibv_create_cq: %s", strerror(errno));
    struct ibv_qp_init_attr wanted = {
        .send_cq = cq,
        .recv_cq = cq,
        .qp_type = IBV_QPT_RC,
        .cap = {.max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1},
    };
    uint32_t number;
    do {
        struct ibv_qp *qp = ibv_create_qp(device.pd, &wanted);
        if (!qp)
            die("ibv_create_qp: %s", strerror(errno));
        number = qp->qp_num;
        ibv_destroy_qp(qp);
    } while (number / numbers_of_a_side % 2 != (side == 'b') || number % numbers_of_a_side > numbers_of_a_side / 2);
    ibv_destroy_cq(cq);
}

int main(int count, char **words) {
    if (count < 2)
        die("usage: verbs-sequence FILE [PORT [SERVER]]");
    setvbuf(stdout, NULL, _IOLBF, 0);
    FILE *file = fopen(words[1], "r");
    if (!file)
        die("%s: %s", words[1], strerror(errno));
    device = open_endpoint(0);
    if (count > 2) {
        side = count > 3 ? 'b' : 'a';
        peer = count > 3 ? connect_to(words[3], atoi(words[2])) : listen_and_accept(atoi(words[2]));
        if (is_kernels(device.device))
            part_numbers();
    }
    static char lines[most_completions][line_bytes];
    char *wanted[most_completions], line[line_bytes];
    int completions = 0, settling = 0, failed = 0, number = 0;
    while (!failed && fgets(line, sizeof line, file)) {
        number++;
        line[strcspn(line, "\n")] = 0;
        choose(line);
        if (line[0] == '=' && settling && completions < most_completions) {
            strcpy(lines[completions], line);
            wanted[completions] = lines[completions];
            completions++;
            continue;
        }
        if (settling)
            failed = play_settle(wanted, completions, quiet_milliseconds, number);
        completions = settling = 0;
        if (failed || !line[0] || line[0] == '#')
            continue;
        if (!strcmp(line, "settle"))
            settling = 1;
        else
            failed = play(line, number);
    }
    if (!failed)
        failed = play_settle(wanted, completions, last_quiet_milliseconds, number + 1);
    if (failed)
        return 1;
    printf("as recorded\n");
    return 0;
}
