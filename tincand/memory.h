/* SPDX-License-Identifier: MIT */
/*
 * The memory for messages: its limit, how sources share it, and the buffers that wait for it.
 *
 * A message needs a buffer while it waits for its rest, or for its reply to be sent.
 *
 * - A source may use no more memory than it leaves free: one source alone gets at most half. Of a
 *   source that uses more than another one that waits, a slow connection is ended, so that n
 *   sources that want all they can have get the same each, and leave as much free. Of one that uses
 *   more than twice as much and 128 KiB, a connection that waits itself is ended, too: otherwise
 *   sources that all wait would keep what they got when there was more.
 * - Room for one message of the greatest length is reserved for one buffer at a time: otherwise
 *   several messages that are each half there could wait for each other. A slow connection that
 *   has the reserve is ended too, if another source waits.
 * - Buffers that don't get memory wait in a FIFO of their source. memory_next() returns each one
 *   when there is room for it, whatever made the room; the caller asks until there is none.
 */
#ifndef TINCAN_TINCAND_MEMORY_H
#define TINCAN_TINCAND_MEMORY_H

#include "common/tag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* The most that is read from one connection at a time, in bytes. */
#define MEMORY_READ_MAX ((size_t)64 << 10)

/* With less memory than for this much input and a tag, input is not read but looked at: a message
 * that has arrived whole needs no buffer. */
#define MEMORY_READ_MIN ((size_t)4096)

/* A connection is slow if it moves fewer than MEMORY_RATE bytes in a millisecond (64 KiB in a
 * second), with breaks of at most MEMORY_PAUSE_USEC. The time in which it waits for memory does not
 * count. */
#define MEMORY_RATE       64
#define MEMORY_PAUSE_USEC UINT64_C(500000)

TAILQ_HEAD(buffer_list, buffer);
TAILQ_HEAD(memory_share_list, memory_share);

/* The memory of one source. */
struct memory_share {
    size_t used;                      /* by its buffers */
    struct buffer_list holding;       /* its buffers that have memory, the oldest first */
    struct buffer_list waiting;       /* its buffers that wait for memory */
    TAILQ_ENTRY(memory_share) holder; /* in memory->holding, if it has buffers there */
    TAILQ_ENTRY(memory_share) waiter; /* in memory->waiting, likewise */
};

/* All zero but for `share` before its first use. Its address must not change. */
struct buffer {
    struct memory_share *share;
    char *bytes; /* NULL: none */
    size_t size;
    uint64_t slow_from;         /* when its connection becomes slow, in clock_usec() */
    TAILQ_ENTRY(buffer) holder; /* in share->holding, if `bytes` */
    TAILQ_ENTRY(buffer) waiter; /* in share->waiting, if `waiting` */
    bool waiting;
    bool served; /* memory_next() has returned it: it need not wait behind others */
};

struct memory {
    size_t max;  /* for all buffers but the reserved one; small messages may exceed it while they
                    are answered */
    size_t used; /* by these */
    size_t buffer_max;       /* the largest buffer that a message can need */
    struct buffer *reserved; /* has the reserve; NULL: none */
    char *spare;             /* for any one message, beyond the limit; NULL: none */
    bool lent;               /* a buffer has it, and its size counts like that of any other */
    bool shared;             /* among several sources; if not, there is one share, without limit */
    bool changed;            /* there may be room that memory_next() has not seen */
    struct memory_share_list holding, waiting;
};

/* Starts with no buffer. `max` is the limit of all memory, at least memory_min(max_bytes); above
 * SIZE_MAX it is that. */
void memory_init(struct memory *memory, uint64_t max, size_t max_bytes, bool shared);

/* Ends with no buffer. */
void memory_end(struct memory *memory);

/* Starts the share of a source with no buffer. */
void memory_share_init(struct memory_share *share);

/* Returns how much input may be read for `buffer` now; 0: it has to wait. */
size_t memory_read_size(const struct memory *memory, const struct buffer *buffer);

/* Makes `buffer` have at least `needed` bytes. Returns 0, or -1 with errno. */
int memory_grow(struct memory *memory, struct buffer *buffer, size_t needed);

/* To be called when `count` bytes were received to `buffer` or sent from it. */
void memory_moved(struct buffer *buffer, size_t count);

/* Frees `buffer`, which no longer waits. */
void memory_free(struct memory *memory, struct buffer *buffer);

/* Puts `buffer` at the end of its source's queue, unless it waits already. */
void memory_wait(struct memory *memory, struct buffer *buffer);

/* Takes `buffer` out of the queue if it waits, and the reserve from it if it did not use that. */
void memory_stop_waiting(struct memory *memory, struct buffer *buffer);

/* Returns whether memory_next() and memory_slow() may find something. */
bool memory_has_changed(const struct memory *memory);

/* Returns a buffer for which there is room now, no longer waiting; NULL: there is none. The source
 * that uses least is first. */
struct buffer *memory_next(struct memory *memory);

/*
 * To be called when memory_next() has returned NULL although buffers wait. Returns the buffer of a
 * slow connection that the caller has to end, or NULL if there is none at `now`, in clock_usec().
 * Its source uses more than another one that waits, or it has the reserve for which another waits.
 * A connection that waits itself is slow only if its source uses more than twice as much.
 */
struct buffer *memory_slow(struct memory *memory, uint64_t now);

/* Returns whether a buffer waits that memory_slow() may help later, as time passes. */
bool memory_is_contended(const struct memory *memory);

/* Makes memory_next() and memory_slow() look again. */
void memory_retry(struct memory *memory);

/* Returns the smallest limit with which messages of `max_bytes` can be received. */
uint64_t memory_min(uint64_t max_bytes);

#endif
