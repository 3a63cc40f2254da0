/* SPDX-License-Identifier: MIT */
/*
 * Reads messages from a file descriptor, each up to a separator. Memory is bounded by the longest
 * message allowed; a longer one is skipped.
 */
#ifndef TINCAN_CLIENT_READER_H
#define TINCAN_CLIENT_READER_H

#include <stdbool.h>
#include <stddef.h>

/* As the separator: none, all of the input is one message. */
#define READER_WHOLE (-1)

enum reader_status {
    READER_MESSAGE,  /* `message` and `length` are the next one */
    READER_TOO_LONG, /* the next one was over `max_bytes`; all behind them is skipped */
    READER_END,      /* there is no more */
    READER_ERROR,    /* reading failed, with errno */
};

struct reader {
    int fd;
    int separator; /* a character, or READER_WHOLE */
    size_t max_bytes;
    bool (*interrupted)(void); /* unless NULL: whether reading fails with EINTR after a signal */

    char *message; /* the module's, valid until the next call */
    size_t length;
    size_t number; /* of messages read */

    size_t size; /* allocated for `message` */
    bool too_long, ended;
    size_t next, filled; /* the unread part of `chunk` */
    char chunk[65536];
};

/* Prepares to read from `fd`, which stays the caller's. */
void reader_init(struct reader *reader, int fd, int separator, size_t max_bytes);

/* Reads the next message. The last one may lack its separator. */
enum reader_status reader_next(struct reader *reader);

/* Frees the message, after which the reader is of no use. */
void reader_free(struct reader *reader);

#endif
