/* Passes a large message around the ranks, each of which adds to it, and compares at the end: mpi-ring ROUNDS */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORDS = 1 << 20 };

static uint64_t start_value(int word)
{
    return word * 0x9e3779b97f4a7c15u;
}

int main(int argc, char **argv)
{
    int rank, ranks;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    int next = (rank + 1) % ranks, previous = (rank + ranks - 1) % ranks;
    uint64_t *words = malloc(WORDS * sizeof *words);
    if (!words)
        MPI_Abort(MPI_COMM_WORLD, 1);

    /* Connections are opened by the first message; the ranks' listeners are known everywhere by then. */
    sleep(1);
    for (int word = 0; word < WORDS; word++)
        words[word] = start_value(word);
    for (int round = 0; round < rounds; round++) {
        if (rank == 0)
            MPI_Send(words, WORDS, MPI_UINT64_T, next, round, MPI_COMM_WORLD);
        MPI_Recv(words, WORDS, MPI_UINT64_T, previous, round, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        for (int word = 0; word < WORDS; word++)
            words[word] += rank + 1;
        if (rank != 0)
            MPI_Send(words, WORDS, MPI_UINT64_T, next, round, MPI_COMM_WORLD);
    }

    if (rank == 0) {
        uint64_t added = (uint64_t)rounds * ranks * (ranks + 1) / 2;
        for (int word = 0; word < WORDS; word++) {
            if (words[word] != start_value(word) + added) {
                fprintf(stderr, "word %d is wrong\n", word);
                MPI_Abort(MPI_COMM_WORLD, 1);
            }
        }
        printf("%zu bytes right after %d rounds of %d ranks\n", WORDS * sizeof *words, rounds, ranks);
    }
    MPI_Finalize();
    free(words);
    return 0;
}
