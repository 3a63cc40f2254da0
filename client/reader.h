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
#define INTAKE_WHOLE (-1)

enum intake_status {
    INTAKE_MESSAGE,  /* `message` and `length` are the next one */
    INTAKE_TOO_LONG, /* the next one was over `max_bytes`, and is gone */
    INTAKE_END,      /* there are no more */
    INTAKE_ERROR,    /* errno says why there are no more */
};

struct intake {
    int fd;
    int separator; /* a character, or INTAKE_WHOLE */
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
void intake_init(struct intake *intake, int fd, int separator, size_t max_bytes);

/* Reads the next message; the last one may lack its separator. */
enum intake_status intake_next(struct intake *intake);

/* Frees what `intake` holds. */
void intake_free(struct intake *intake);

#endif
