/* SPDX-License-Identifier: MIT */
/* How one connection ended: its word in the log, its exit status, its log level, its fields. */
#ifndef TINCAN_HANDLER_RESULT_H
#define TINCAN_HANDLER_RESULT_H

#include "common/frame.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest preview, in bytes of the message. */
#define RESULT_PREVIEW_BYTES ((size_t)64)

enum result_code {
    RESULT_ECHOED,       /* the kernel took the whole reply */
    RESULT_EOF,          /* the input ended, or was reset, before the null byte */
    RESULT_TOO_LONG,     /* the message was over the limit */
    RESULT_INVALID_UTF8, /* a byte was not valid UTF-8 where it stood */
    RESULT_TIMEOUT,      /* the deadline passed, before the null byte or during the reply */
    RESULT_GONE,         /* the peer went away during the reply, or the network lost it */
    RESULT_ERROR,        /* anything else: `error` says what */
};

struct result {
    enum result_code code;
    size_t bytes;             /* message bytes accepted, without the null byte */
    uint64_t usec;            /* from the start of the exchange to its end */
    const char *message;      /* those bytes, at least of the preview, or NULL for none */
    const char *error;        /* what failed, as a clause, always with RESULT_ERROR; a constant */
    int error_number;         /* with RESULT_ERROR: why, an errno value, or 0 */
    int error_status;         /* with RESULT_ERROR: the exit status, from sysexits.h */
    unsigned char wrong_byte; /* with RESULT_INVALID_UTF8: the byte at offset `bytes` */
    const char *exposed;      /* what the sandbox lacks although one was asked for, or NULL */
    int exposed_number;       /* with `exposed`: why, an errno value, or 0 */
};

/* Sets RESULT_ERROR with the exit status `status`: `error` failed for `error_number`. */
void result_fail(struct result *result, int status, const char *error, int error_number);

/* Sets the result of a transfer that failed for `error_number`: RESULT_TIMEOUT for ETIME,
 * RESULT_GONE where the peer or the network is at fault, else RESULT_ERROR with `action`, a
 * constant clause. */
void result_fail_transfer(struct result *result, const char *action, int error_number);

/* Turns RESULT_ECHOED into RESULT_GONE: unread input will cause a reset that destroys the reply. */
void result_lose_reply(struct result *result);

/* Returns the code for the final status of a frame. */
enum result_code result_of_frame(enum frame_status status);

/* Returns whether the peer was refused, and so may still be sending. */
bool result_is_refusal(enum result_code code);

/* Returns the word for the code in the log, a constant. */
const char *result_word(enum result_code code);

/* Returns the exit status, from sysexits.h. */
int result_status(const struct result *result);

/* Returns the level of syslog(3) at which the result is logged. */
int result_level(const struct result *result);

/* Adds the fields in logfmt, printable ASCII only, without a newline:
 * peer=127.0.0.1:51234 result=echoed bytes=11 usec=412 message="hello world" */
void result_print(struct text *text, const struct result *result, const char *peer);

#endif
