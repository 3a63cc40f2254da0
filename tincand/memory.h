/* SPDX-License-Identifier: MIT */
/*
 * The memory for messages, and its limit. Each message that has to wait for its rest, or for its
 * reply to be sent, has a buffer. Room for one message of the greatest length is reserved for one
 * buffer at a time: otherwise several messages that are each half there could wait for each other.
 */
#ifndef TINCAN_TINCAND_MEMORY_H
#define TINCAN_TINCAND_MEMORY_H

#include "common/tag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most that is read from one connection at a time, in bytes. */
#define MEMORY_READ_MAX ((size_t)64 << 10)

/* With less memory than for this much input and a tag, input is not read but looked at: a message
 * that has arrived whole needs no buffer. */
#define MEMORY_READ_MIN ((size_t)4096)

struct buffer {
    char *bytes; /* NULL: none */
    size_t size;
};

struct memory {
    size_t max;        /* for all buffers; small messages may exceed it while they are answered */
    size_t used;       /* by all buffers */
    size_t buffer_max; /* the largest buffer that a message can need */
    size_t reserve;    /* set aside for `reserved` */
    const struct buffer *reserved; /* or NULL: nobody has needed it yet */
};

/* Starts with no buffer. `max` must be at least memory_min(max_bytes). */
void memory_init(struct memory *memory, size_t max, size_t max_bytes);

/* Returns how much input may be read for `buffer` now; 0: too little to be worth it. */
size_t memory_read_size(const struct memory *memory, const struct buffer *buffer);

/* Gives the reserve to `buffer` unless another one has it. */
void memory_reserve(struct memory *memory, const struct buffer *buffer);

/* Makes `buffer` have at least `needed` bytes. Returns 0, or -1 with errno. */
int memory_grow(struct memory *memory, struct buffer *buffer, size_t needed);

/* Frees `buffer`. Returns whether there is more memory for others now. */
bool memory_free(struct memory *memory, struct buffer *buffer);

/* Returns how many of the connections that wait for memory it is worth waking. */
size_t memory_wakeups(const struct memory *memory);

/* Returns the smallest limit with which messages of `max_bytes` can be received. */
uint64_t memory_min(uint64_t max_bytes);

#endif
