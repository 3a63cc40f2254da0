/* SPDX-License-Identifier: MIT */
/*
 * Linked into tincand with --wrap=...: keeps its own accounts of the memory for messages, and
 * aborts when tincand's differ from them, or when a connection waits for which there is room.
 */
#include "tincand/memory.h"

#include <stdio.h>
#include <stdlib.h>

static size_t buffers, bytes; /* that exist, and their sizes in all */

static void check(int holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "invariant broken: %s\n", what);
    abort();
}

/* Counts from the lists what the fields should say. */
static void check_accounts(const struct memory *memory)
{
    const struct memory_share *share = NULL;
    const struct buffer *buffer = NULL;
    size_t used = 0, count = 0, reserved = 0;

    TAILQ_FOREACH(share, &memory->holding, holder)
    {
        size_t of_share = 0;
        TAILQ_FOREACH(buffer, &share->holding, holder)
        {
            of_share += buffer->size;
            count++;
            check(buffer->share == share && buffer->bytes && buffer->size, "a holder holds memory");
            if (buffer == memory->reserved)
                reserved = buffer->size;
        }
        check(share->used == of_share, "what a source uses is the sum of its buffers");
        used += of_share;
    }
    check(used == bytes && count == buffers, "every buffer is in the list of its source");
    check(memory->used == used - reserved, "what is used is the sum of all buffers");
}

/* To be called when tincand sees nothing more to do for those that wait. */
static void check_rest(const struct memory *memory)
{
    const struct memory_share *share = NULL;

    check_accounts(memory);
    check(TAILQ_EMPTY(&memory->waiting) || memory->reserved, "the reserve is used if any wait");
    check(!memory->reserved || memory->reserved->bytes, "who has the reserve uses it");
    TAILQ_FOREACH(share, &memory->waiting, waiter)
    {
        const struct buffer *first = TAILQ_FIRST(&share->waiting);
        struct buffer alone = {.share = first->share, .size = first->size, .bytes = first->bytes};
        check(first->waiting, "a buffer that waits says so");
        alone.served = true;
        check(memory_read_size(memory, &alone) == 0, "the first that waits has no room");
    }
}

/* The names that the linker's --wrap makes. NOLINTBEGIN(*-reserved-identifier,cert-*) */
int __real_memory_grow(struct memory *memory, struct buffer *buffer, size_t needed);
int __wrap_memory_grow(struct memory *memory, struct buffer *buffer, size_t needed);
void __real_memory_free(struct memory *memory, struct buffer *buffer);
void __wrap_memory_free(struct memory *memory, struct buffer *buffer);
struct buffer *__real_memory_slow(struct memory *memory, uint64_t now);
struct buffer *__wrap_memory_slow(struct memory *memory, uint64_t now);

int __wrap_memory_grow(struct memory *memory, struct buffer *buffer, size_t needed)
{
    size_t before = buffer->size;
    int status = __real_memory_grow(memory, buffer, needed);

    buffers += before == 0 && buffer->size > 0;
    bytes += buffer->size - before;
    check(status < 0 || buffer->size >= needed, "a buffer has what is needed");
    check_accounts(memory);
    return status;
}

void __wrap_memory_free(struct memory *memory, struct buffer *buffer)
{
    buffers -= buffer->size > 0;
    bytes -= buffer->size;
    __real_memory_free(memory, buffer);
    check(buffer != memory->reserved && !buffer->waiting && !buffer->bytes,
          "a buffer that is freed has no memory, and waits for none");
    check_accounts(memory);
}

/* The last that is asked for those that wait, before the server waits for events. */
struct buffer *__wrap_memory_slow(struct memory *memory, uint64_t now)
{
    struct buffer *slow = __real_memory_slow(memory, now);

    if (!slow)
        check_rest(memory);
    return slow;
}
/* NOLINTEND(*-reserved-identifier,cert-*) */
