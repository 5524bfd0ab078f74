/* Short connections in great number: one after another from one process, and from many processes at a time. */
#include "tcp-stage.h"

#include <stdio.h>
#include <stdlib.h>

enum { in_sequence = 2000, processes = 64, each = 50 };

static void server(void) { serve_ports(1); }

static void sequence(void) { say("answered: %d", answered_in_turn(0, in_sequence)); }

static void parallel(void) {
    pid_t others[processes];
    for (int i = 0; i < processes; i++)
        if ((others[i] = child()) == 0)
            exit(answered_in_turn(0, each) == each ? 0 : 1);
    for (int i = 0; i < processes; i++)
        ended_well(others[i]);
    say("answered: %d", processes * each);
}

static void few(void) {
    say("answered: %d", answered_in_turn(0, 2));
    say("answered: %d", answered(0, 3));
}

static const struct scene scenes[] = {
    {"sequence", server, sequence, NULL},
    {"parallel", server, parallel, NULL},
    {"few", server, few, NULL},
    {NULL, NULL, NULL, NULL},
};

int main(int count, char **words) { return play(count, words, scenes); }
