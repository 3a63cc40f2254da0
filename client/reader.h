/* SPDX-License-Identifier: MIT */
/*
 * Messages from a file descriptor, one after the other as they come, each up to a separator.
 * Memory is bounded by the longest message allowed: of a longer one the rest is skipped.
 */
#ifndef TINCAN_CLIENT_READER_H
#define TINCAN_CLIENT_READER_H

#include <stdbool.h>
#include <stddef.h>

/* For a separator: there is none, all of the input is one message. */
#define READER_WHOLE (-1)

enum reader_status {
    READER_MESSAGE,  /* `message` and `length` are the next one */
    READER_TOO_LONG, /* the next one was over `max_bytes`, and is gone */
    READER_END,      /* there are no more */
    READER_ERROR,    /* errno says why there are no more */
};

struct reader {
    int fd;
    int separator; /* a character, or READER_WHOLE */
    size_t max_bytes;

    char *message; /* the module's, valid until the next call */
    size_t length;
    size_t number; /* of the message last read, the first being 1 */

    size_t size; /* allocated for `message` */
    bool too_long, ended;
    size_t next, filled; /* what is unused in `chunk` */
    char chunk[65536];
};

/* Prepares to read from `fd`, which stays the caller's. */
void reader_init(struct reader *reader, int fd, int separator, size_t max_bytes);

/* Reads the next message; the last one may lack its separator. */
enum reader_status reader_next(struct reader *reader);

/* Frees what `reader` holds. */
void reader_free(struct reader *reader);

#endif
