/* SPDX-License-Identifier: MIT */
#include "tincand/memory.h"

#include "common/clock.h"

#include <stdlib.h>
#include <string.h>

/* The size of a message's first buffer. It is then doubled. */
#define FIRST_SIZE ((size_t)256)

/* What is kept for one message of more than SPARE_FROM bytes, if no message may have more than
 * SPARE_MAX. New memory costs more than all else that is done with such a message: a page fault for
 * each 4 KiB. */
#define SPARE_FROM ((size_t)32 << 10)
#define SPARE_MAX  ((size_t)2 << 20)

/* The least room that is worth reading for. */
#define ROOM_MIN (MEMORY_READ_MIN + TAG_MAX)

/* How many of a source's oldest buffers are looked at for a slow connection. */
#define SLOW_CANDIDATES 16

uint64_t memory_min(uint64_t max_bytes)
{
    return TAG_MAX + max_bytes + 1 + ROOM_MIN;
}

void memory_init(struct memory *memory, uint64_t max, size_t max_bytes, bool shared)
{
    *memory = (struct memory){
        .max = (size_t)((max < SIZE_MAX ? max : SIZE_MAX) - memory_min(max_bytes)),
        .buffer_max = TAG_MAX + max_bytes + 1,
        .shared = shared,
    };
    if (max_bytes <= SPARE_MAX)
        memory->spare = malloc(memory->buffer_max);
    TAILQ_INIT(&memory->holding);
    TAILQ_INIT(&memory->waiting);
}

void memory_end(struct memory *memory)
{
    free(memory->spare);
}

void memory_share_init(struct memory_share *share)
{
    *share = (struct memory_share){0};
    TAILQ_INIT(&share->holding);
    TAILQ_INIT(&share->waiting);
}

/* --- room --- */

/* Returns how much the source may add to `used` bytes: then as much must be free as it uses. */
static size_t room_beyond(const struct memory *memory, size_t used)
{
    size_t free = memory->used < memory->max ? memory->max - memory->used : 0;

    if (!memory->shared)
        return free;
    return used < free ? (free - used) / 2 : 0;
}

/* Returns how much larger the buffer may become. */
static size_t room(const struct memory *memory, const struct buffer *buffer)
{
    if (buffer == memory->reserved)
        return memory->buffer_max - buffer->size;
    return room_beyond(memory, buffer->share->used);
}

/* Returns whether others of the same source have to be served first. */
static bool must_wait(const struct buffer *buffer)
{
    return buffer->waiting ||
           (!buffer->bytes && !buffer->served && !TAILQ_EMPTY(&buffer->share->waiting));
}

size_t memory_read_size(const struct memory *memory, const struct buffer *buffer)
{
    size_t size = room(memory, buffer);

    if (buffer == memory->reserved)
        return MEMORY_READ_MAX; /* more than a message can have is refused, not stored */
    if (size < ROOM_MIN || must_wait(buffer))
        return 0;
    size -= TAG_MAX;
    return size < MEMORY_READ_MAX ? size : MEMORY_READ_MAX;
}

/* --- buffers --- */

/* Returns the size that `buffer` gets for `needed` bytes: twice what it has, unless that is more
 * than a message can need or than there is room for. */
static size_t next_size(const struct memory *memory, const struct buffer *buffer, size_t needed)
{
    size_t size = buffer->size ? buffer->size * 2 : FIRST_SIZE;

    if (size < needed || size - buffer->size > room(memory, buffer))
        size = needed;
    return size < memory->buffer_max ? size : memory->buffer_max;
}

static void start_holding(struct memory *memory, struct buffer *buffer)
{
    struct memory_share *share = buffer->share;

    if (TAILQ_EMPTY(&share->holding))
        TAILQ_INSERT_TAIL(&memory->holding, share, holder);
    TAILQ_INSERT_TAIL(&share->holding, buffer, holder);
    buffer->slow_from = clock_usec() + MEMORY_PAUSE_USEC;
}

static void stop_holding(struct memory *memory, struct buffer *buffer)
{
    struct memory_share *share = buffer->share;

    TAILQ_REMOVE(&share->holding, buffer, holder);
    if (TAILQ_EMPTY(&share->holding))
        TAILQ_REMOVE(&memory->holding, share, holder);
}

/* Returns memory of `size` bytes that begins with what `buffer` has, or NULL with errno. */
static char *resize(struct memory *memory, const struct buffer *buffer, size_t size)
{
    if (buffer->bytes && buffer->bytes == memory->spare)
        return memory->spare;
    if (!memory->spare || memory->lent || size <= SPARE_FROM)
        return realloc(buffer->bytes, size);
    if (buffer->bytes)
        memcpy(memory->spare, buffer->bytes, buffer->size);
    free(buffer->bytes);
    memory->lent = true;
    return memory->spare;
}

static void release(struct memory *memory, char *bytes)
{
    if (bytes && bytes == memory->spare)
        memory->lent = false;
    else
        free(bytes);
}

int memory_grow(struct memory *memory, struct buffer *buffer, size_t needed)
{
    size_t size = next_size(memory, buffer, needed);
    char *bytes;

    if (buffer->size >= needed)
        return 0;
    bytes = resize(memory, buffer, size);
    if (!bytes)
        return -1;
    if (!buffer->bytes)
        start_holding(memory, buffer);
    buffer->share->used += size - buffer->size;
    if (buffer != memory->reserved)
        memory->used += size - buffer->size;
    buffer->bytes = bytes;
    buffer->size = size;
    return 0;
}

void memory_moved(struct buffer *buffer, size_t count)
{
    uint64_t now, latest;

    if (!buffer->bytes)
        return;
    now = clock_usec();
    latest = now + MEMORY_PAUSE_USEC;
    if (buffer->slow_from < now)
        buffer->slow_from = now;
    buffer->slow_from += (uint64_t)count * 1000 / MEMORY_RATE;
    if (buffer->slow_from > latest)
        buffer->slow_from = latest;
}

void memory_free(struct memory *memory, struct buffer *buffer)
{
    if (buffer->bytes) {
        stop_holding(memory, buffer);
        buffer->share->used -= buffer->size;
        if (buffer != memory->reserved)
            memory->used -= buffer->size;
        memory->changed = true;
    }
    release(memory, buffer->bytes);
    buffer->bytes = NULL;
    buffer->size = 0;
    memory_stop_waiting(memory, buffer);
}

/* --- the reserve --- */

static void give_reserve(struct memory *memory, struct buffer *buffer)
{
    memory->used -= buffer->size;
    memory->reserved = buffer;
}

/* Takes the reserve back if there is room now for the buffer that has it. */
static void recover_reserve(struct memory *memory)
{
    struct buffer *buffer = memory->reserved;

    if (!buffer || room_beyond(memory, buffer->share->used - buffer->size) < buffer->size)
        return;
    memory->reserved = NULL;
    memory->used += buffer->size;
}

/* --- waiting --- */

void memory_wait(struct memory *memory, struct buffer *buffer)
{
    struct memory_share *share = buffer->share;

    if (buffer->waiting)
        return;
    if (TAILQ_EMPTY(&share->waiting))
        TAILQ_INSERT_TAIL(&memory->waiting, share, waiter);
    TAILQ_INSERT_TAIL(&share->waiting, buffer, waiter);
    buffer->waiting = true;
    buffer->served = false;
    memory->changed = true; /* the reserve may be free */
}

static void leave_queue(struct memory *memory, struct buffer *buffer)
{
    struct memory_share *share = buffer->share;

    TAILQ_REMOVE(&share->waiting, buffer, waiter);
    buffer->waiting = false;
    if (TAILQ_EMPTY(&share->waiting))
        TAILQ_REMOVE(&memory->waiting, share, waiter);
}

void memory_stop_waiting(struct memory *memory, struct buffer *buffer)
{
    if (buffer->waiting)
        leave_queue(memory, buffer);
    if (buffer == memory->reserved && !buffer->bytes) {
        memory->reserved = NULL;
        memory->changed = true;
    }
}

/* Returns the source that uses least of those that wait, so has most room; there must be one. */
static struct memory_share *smallest_waiting(const struct memory *memory)
{
    struct memory_share *share, *smallest = TAILQ_FIRST(&memory->waiting);

    TAILQ_FOREACH(share, &memory->waiting, waiter)
    if (share->used < smallest->used)
        smallest = share;
    return smallest;
}

/* Takes the first buffer of the source out of its queue. Then other sources have their turn. */
static struct buffer *serve(struct memory *memory, struct memory_share *share)
{
    struct buffer *buffer = TAILQ_FIRST(&share->waiting);

    leave_queue(memory, buffer);
    buffer->served = true;
    buffer->slow_from = clock_usec() + MEMORY_PAUSE_USEC;
    if (!TAILQ_EMPTY(&share->waiting)) {
        TAILQ_REMOVE(&memory->waiting, share, waiter);
        TAILQ_INSERT_TAIL(&memory->waiting, share, waiter);
    }
    return buffer;
}

bool memory_has_changed(const struct memory *memory)
{
    return memory->changed && !TAILQ_EMPTY(&memory->waiting);
}

struct buffer *memory_next(struct memory *memory)
{
    struct memory_share *share;
    struct buffer *buffer;

    if (!memory_has_changed(memory))
        return NULL;
    share = smallest_waiting(memory);
    if (room_beyond(memory, share->used) >= ROOM_MIN)
        return serve(memory, share);
    recover_reserve(memory);
    if (memory->reserved)
        return NULL;
    buffer = serve(memory, share);
    give_reserve(memory, buffer);
    return buffer;
}

/* --- slow connections --- */

static bool is_slow(const struct buffer *buffer, uint64_t now)
{
    return !buffer->waiting && now > buffer->slow_from;
}

/* Returns a slow one of the oldest buffers of the source, or NULL. If `much` is set, one that has
 * not moved as it waits for memory counts as slow, too. */
static struct buffer *find_slow(const struct memory_share *share, bool much, uint64_t now)
{
    struct buffer *buffer = TAILQ_FIRST(&share->holding);

    for (int i = 0; buffer && i < SLOW_CANDIDATES; i++) {
        if (much ? now > buffer->slow_from : is_slow(buffer, now))
            return buffer;
        buffer = TAILQ_NEXT(buffer, holder);
    }
    return NULL;
}

/* Returns a slow buffer of the greatest source that uses more than the smallest that waits. */
static struct buffer *find_greedy(const struct memory *memory, uint64_t now)
{
    const struct memory_share *share = NULL, *greatest = smallest_waiting(memory);
    size_t much = 2 * (greatest->used + MEMORY_READ_MAX);
    struct buffer *found = NULL, *buffer;

    TAILQ_FOREACH(share, &memory->holding, holder)
    {
        if (share->used <= greatest->used || !(buffer = find_slow(share, share->used > much, now)))
            continue;
        greatest = share;
        found = buffer;
    }
    return found;
}

/* Returns whether the buffer that has the reserve is slow while another source waits. */
static bool reserve_is_blocked(const struct memory *memory, uint64_t now)
{
    const struct memory_share *first = TAILQ_FIRST(&memory->waiting);

    return memory->reserved && is_slow(memory->reserved, now) &&
           (first != memory->reserved->share || TAILQ_NEXT(first, waiter));
}

struct buffer *memory_slow(struct memory *memory, uint64_t now)
{
    struct buffer *found = NULL;

    if (memory->changed && memory_is_contended(memory)) {
        found = find_greedy(memory, now);
        if (!found && reserve_is_blocked(memory, now))
            found = memory->reserved;
    }
    memory->changed = found != NULL;
    return found;
}

bool memory_is_contended(const struct memory *memory)
{
    return memory->shared && !TAILQ_EMPTY(&memory->waiting);
}

void memory_retry(struct memory *memory)
{
    memory->changed = true;
}
