/* SPDX-License-Identifier: MIT */
#include "client/reader.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void reader_init(struct reader *reader, int fd, int separator, size_t max_bytes)
{
    memset(reader, 0, sizeof *reader);
    reader->fd = fd;
    reader->separator = separator;
    reader->max_bytes = max_bytes;
}

/* Reads into the empty chunk. Returns 0 at the end of input, or -1 with errno. */
static ssize_t refill(struct reader *reader)
{
    struct pollfd wait = {.fd = reader->fd, .events = POLLIN};
    ssize_t got;

    while ((got = read(reader->fd, reader->chunk, sizeof reader->chunk)) < 0) {
        if (errno == EAGAIN)
            poll(&wait, 1, -1);
        else if (errno != EINTR)
            return -1;
        if (reader->interrupted && reader->interrupted()) {
            errno = EINTR;
            return -1;
        }
    }
    reader->next = 0;
    reader->filled = (size_t)got;
    return got;
}

static int append(struct reader *reader, const char *bytes, size_t length)
{
    size_t size = reader->size ? reader->size : 256;
    char *larger;

    if (length > reader->max_bytes - reader->length) {
        reader->too_long = true;
        length = reader->max_bytes - reader->length;
    }
    while (size < reader->length + length)
        size *= 2;
    if (size > reader->size) {
        larger = realloc(reader->message, size);
        if (!larger)
            return -1;
        reader->message = larger;
        reader->size = size;
    }
    memcpy(reader->message + reader->length, bytes, length);
    reader->length += length;
    return 0;
}

/* Takes bytes of the chunk up to a separator. Returns 1 if it is there, 0 if not, -1 with errno. */
static int take(struct reader *reader)
{
    const char *start = reader->chunk + reader->next;
    size_t length = reader->filled - reader->next;
    const char *end =
        reader->separator == READER_WHOLE ? NULL : memchr(start, reader->separator, length);

    if (end)
        length = (size_t)(end - start);
    if (append(reader, start, length) < 0)
        return -1;
    reader->next += length + (end ? 1 : 0);
    return end ? 1 : 0;
}

static enum reader_status deliver(struct reader *reader)
{
    reader->number++;
    return reader->too_long ? READER_TOO_LONG : READER_MESSAGE;
}

enum reader_status reader_next(struct reader *reader)
{
    bool whole = reader->separator == READER_WHOLE, begun = whole && reader->number == 0;

    reader->length = 0;
    reader->too_long = false;
    while (!reader->ended) {
        int taken;

        if (reader->next == reader->filled) {
            ssize_t got = refill(reader);
            if (got < 0)
                return READER_ERROR;
            if (got == 0) {
                reader->ended = true;
                break;
            }
        }
        begun = true;
        taken = take(reader);
        if (taken < 0)
            return READER_ERROR;
        if (whole && reader->too_long)
            reader->ended = true; /* there is no next message to skip to */
        if (taken > 0)
            return deliver(reader);
    }
    return begun ? deliver(reader) : READER_END;
}

void reader_free(struct reader *reader)
{
    free(reader->message);
}
