/* SPDX-License-Identifier: MIT */
/*
 * What tincand/memory.h promises, said again in another way: an array of connections, in which
 * every sum, turn and order is looked up anew. A connection is named by its index, -1: none.
 */
#ifndef TINCAN_TESTS_MODEL_ACCOUNTS_H
#define TINCAN_TESTS_MODEL_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONNECTIONS 40
#define SOURCES     6

struct account {
    bool open, served;
    int source;
    size_t held;                           /* the size of its buffer */
    uint64_t holding_since, waiting_since; /* by accounts.turn; 0: it does not */
    uint64_t slow_from, deadline;          /* in microseconds */
};

struct accounts {
    struct account list[CONNECTIONS];
    uint64_t turns[SOURCES]; /* since when it is the turn of a source that waits */
    uint64_t turn;           /* counts what happens */
    uint64_t now;            /* in microseconds */
    size_t max;              /* for all buffers but the reserved one */
    bool shared;
    int reserved; /* which has the reserve */
};

/* Returns the bytes that the buffers of a source hold; of -1: all that count for the limit. */
size_t accounts_used(const struct accounts *accounts, int source);

/* Returns how much larger the buffer of a connection may become, at most `buffer_max` bytes. */
size_t accounts_room(const struct accounts *accounts, int number, size_t buffer_max);

/* Returns how much input may be read for a connection. */
size_t accounts_read_size(const struct accounts *accounts, int number);

/* The buffer of a connection has this size now; this many of its bytes were moved; it is freed. */
void accounts_hold(struct accounts *accounts, int number, size_t size);
void accounts_move(struct accounts *accounts, int number, size_t count);
void accounts_free(struct accounts *accounts, int number);

/* A connection begins to wait for memory, or needs none for the moment. */
void accounts_wait(struct accounts *accounts, int number);
void accounts_stop_waiting(struct accounts *accounts, int number);

/* Returns the connection that has to go on now, which no longer waits. */
int accounts_next(struct accounts *accounts);

/* Returns whether `number` is a right choice of a connection to be ended for others; of -1: whether
 * there is none to be ended. */
bool accounts_may_end(const struct accounts *accounts, int number);

#endif
