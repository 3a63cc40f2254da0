/* SPDX-License-Identifier: MIT */
#include "client/reader.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void intake_init(struct intake *intake, int fd, int separator, size_t max_bytes)
{
    intake->fd = fd;
    intake->separator = separator;
    intake->max_bytes = max_bytes;
    intake->message = NULL;
    intake->length = intake->number = intake->size = 0;
    intake->next = intake->filled = 0;
    intake->too_long = intake->ended = false;
}

/* Reads more into the empty chunk; 0 at the end of input, -1 with errno. */
static ssize_t refill(struct intake *intake)
{
    struct pollfd wait = {.fd = intake->fd, .events = POLLIN};
    ssize_t got;

    while ((got = read(intake->fd, intake->chunk, sizeof intake->chunk)) < 0) {
        if (errno == EAGAIN)
            poll(&wait, 1, -1);
        else if (errno != EINTR)
            return -1;
    }
    intake->next = 0;
    intake->filled = (size_t)got;
    return got;
}

static int append(struct intake *intake, const char *bytes, size_t length)
{
    size_t size = intake->size ? intake->size : 256;
    char *larger;

    if (intake->too_long || length > intake->max_bytes - intake->length) {
        intake->too_long = true;
        return 0;
    }
    while (size < intake->length + length)
        size *= 2;
    if (size > intake->size) {
        larger = realloc(intake->message, size);
        if (!larger)
            return -1;
        intake->message = larger;
        intake->size = size;
    }
    memcpy(intake->message + intake->length, bytes, length);
    intake->length += length;
    return 0;
}

/* Takes bytes of the chunk up to a separator: 1 when it was there, 0 when not, -1 with errno. */
static int take(struct intake *intake)
{
    const char *start = intake->chunk + intake->next;
    size_t length = intake->filled - intake->next;
    const char *end =
        intake->separator == INTAKE_WHOLE ? NULL : memchr(start, intake->separator, length);

    if (end)
        length = (size_t)(end - start);
    if (append(intake, start, length) < 0)
        return -1;
    intake->next += length + (end ? 1 : 0);
    return end ? 1 : 0;
}

static enum intake_status deliver(struct intake *intake)
{
    intake->number++;
    return intake->too_long ? INTAKE_TOO_LONG : INTAKE_MESSAGE;
}

enum intake_status intake_next(struct intake *intake)
{
    bool whole = intake->separator == INTAKE_WHOLE, begun = whole && intake->number == 0;

    intake->length = 0;
    intake->too_long = false;
    while (!intake->ended) {
        int taken;

        if (intake->next == intake->filled) {
            ssize_t got = refill(intake);
            if (got < 0)
                return INTAKE_ERROR;
            if (got == 0) {
                intake->ended = true;
                break;
            }
        }
        begun = true;
        taken = take(intake);
        if (taken < 0)
            return INTAKE_ERROR;
        if (whole && intake->too_long)
            intake->ended = true; /* there is no next message to skip to */
        if (taken > 0)
            return deliver(intake);
    }
    return begun ? deliver(intake) : INTAKE_END;
}

void intake_free(struct intake *intake)
{
    free(intake->message);
    intake->message = NULL;
    intake->size = 0;
}
