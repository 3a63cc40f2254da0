/* SPDX-License-Identifier: MIT */
#include "tincand/memory.h"

#include <stdlib.h>

/* The size of a message's first buffer. It is then doubled. */
#define FIRST_SIZE ((size_t)256)

void memory_init(struct memory *memory, size_t max, size_t max_bytes)
{
    *memory = (struct memory){
        .max = max,
        .buffer_max = TAG_MAX + max_bytes + 1,
        .reserve = (size_t)memory_min(max_bytes),
    };
}

uint64_t memory_min(uint64_t max_bytes)
{
    return TAG_MAX + max_bytes + 1 + MEMORY_READ_MIN + TAG_MAX;
}

/* Returns how much larger `buffer` may become; NULL: a buffer without the reserve. */
static size_t available(const struct memory *memory, const struct buffer *buffer)
{
    const struct buffer *reserved = memory->reserved;
    size_t free = memory->used < memory->max ? memory->max - memory->used : 0;
    size_t reserve = memory->reserve;

    if (buffer && buffer == reserved)
        return free;
    if (reserved)
        reserve -= reserved->size < reserve ? reserved->size : reserve;
    return free > reserve ? free - reserve : 0;
}

size_t memory_read_size(const struct memory *memory, const struct buffer *buffer)
{
    size_t size = available(memory, buffer);

    if (size < MEMORY_READ_MIN + TAG_MAX)
        return 0;
    size -= TAG_MAX;
    return size < MEMORY_READ_MAX ? size : MEMORY_READ_MAX;
}

void memory_reserve(struct memory *memory, const struct buffer *buffer)
{
    if (!memory->reserved)
        memory->reserved = buffer;
}

/* Returns the size that `buffer` gets for `needed` bytes: twice what it has, unless that is more
 * than a message can need or than is available. */
static size_t next_size(const struct memory *memory, const struct buffer *buffer, size_t needed)
{
    size_t size = buffer->size ? buffer->size * 2 : FIRST_SIZE;

    if (size < needed || size - buffer->size > available(memory, buffer))
        size = needed;
    return size < memory->buffer_max ? size : memory->buffer_max;
}

int memory_grow(struct memory *memory, struct buffer *buffer, size_t needed)
{
    size_t size = next_size(memory, buffer, needed);
    char *bytes;

    if (buffer->size >= needed)
        return 0;
    bytes = realloc(buffer->bytes, size);
    if (!bytes)
        return -1;
    memory->used += size - buffer->size;
    *buffer = (struct buffer){.bytes = bytes, .size = size};
    return 0;
}

bool memory_free(struct memory *memory, struct buffer *buffer)
{
    bool more = buffer->size > 0 || memory->reserved == buffer;

    free(buffer->bytes);
    memory->used -= buffer->size;
    *buffer = (struct buffer){0};
    if (memory->reserved == buffer)
        memory->reserved = NULL;
    return more;
}

size_t memory_wakeups(const struct memory *memory)
{
    return 1 + available(memory, NULL) / MEMORY_READ_MAX;
}
