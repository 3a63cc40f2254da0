/* SPDX-License-Identifier: MIT */
/* The order in which contenders take their turns in a round. */
#ifndef TINCAN_TESTS_BENCH_TURNS_H
#define TINCAN_TESTS_BENCH_TURNS_H

#include <stddef.h>
#include <stdlib.h>

/*
 * Changes the order of `count` numbers at random, the same in each run of the program. So none
 * always comes after the same other one, which leaves it the caches as it likes them.
 */
static inline void turns_shuffle(size_t *order, size_t count)
{
    for (size_t left = count; left > 1; left--) {
        size_t other = (size_t)random() % left, last = order[left - 1];

        order[left - 1] = order[other];
        order[other] = last;
    }
}

#endif
