/* SPDX-License-Identifier: MIT */
/* Stand-ins for the sessions of tincand: what they do with memory, sources and timeouts is done
 * here, and in the accounts of the model at the same time. */
#ifndef TINCAN_TESTS_MODEL_STUBS_H
#define TINCAN_TESTS_MODEL_STUBS_H

#include "common/frame.h"
#include "tests/model/accounts.h"
#include "tincand/loop.h"
#include "tincand/sources.h"

#define MAX_BYTES ((size_t)64 << 10)
#define TIMEOUT   UINT64_C(3000000)

/* The largest message with its tag, and how much more memory the smallest limit has. */
#define BUFFER_MAX (TAG_MAX + MAX_BYTES + 1)
#define LEAST      (BUFFER_MAX + MEMORY_READ_MIN + TAG_MAX)

/* A connection, as much as tincand/sessions.c and connection.c have of it. */
struct stub {
    struct loop_timeout timeout; /* first: expire() gets its address */
    struct buffer buffer;
    struct source *source;
    size_t total, stored; /* bytes of the message, and those received */
    size_t arrived, left; /* bytes in the kernel; of the reply */
    enum { RECEIVING, REPLYING, LINGERING } state;
};

extern struct stub stubs[CONNECTIONS];
extern struct accounts accounts;
extern struct memory memory;
extern struct memory_share all; /* of all connections, where sources are not counted */
extern struct sources sources;
extern struct loop_timeouts exchanges, lingering;
extern uint64_t chance; /* state of below() */
extern uint64_t seed;   /* of the schedule */

/* Aborts with a sentence on what must hold, and the schedule, if it does not. */
void must(bool holds, const char *what);

/* Returns a random number below `limit`. */
size_t below(size_t limit);

/* Opens a connection of some source, unless that has too many. */
void stub_open(int number);

/* Goes on with a connection whose socket is ready, or which there is memory for. */
void stub_step(int number);

/* Ends a connection; at its deadline. */
void stub_end(int number);
void stub_expire(struct loop_timeout *timeout);

/* Returns the number of the connection that a buffer belongs to; of NULL: -1. */
int stub_number(const struct buffer *buffer);

#endif
