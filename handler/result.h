/* SPDX-License-Identifier: MIT */
/* How one connection ended: its word in the log, its exit status, its log level, its log line. */
#ifndef TINCAN_HANDLER_RESULT_H
#define TINCAN_HANDLER_RESULT_H

#include "common/frame.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum result {
    RESULT_ECHOED,       /* the whole reply was handed to the kernel */
    RESULT_EOF,          /* the input ended, or was reset, before the null byte */
    RESULT_TOO_LONG,     /* a message over the limit */
    RESULT_INVALID_UTF8, /* a byte that can't stand there in UTF-8 */
    RESULT_TIMEOUT,      /* the deadline passed, before the null byte or during the reply */
    RESULT_GONE,         /* the peer went away during the reply, or the network lost it */
    RESULT_ERROR,        /* anything else: `error` says what */
};

struct outcome {
    enum result result;
    int status;          /* exit status, from sysexits.h */
    size_t bytes;        /* message bytes accepted, the null byte not counted */
    uint64_t usec;       /* from the start of the exchange to its end */
    const char *message; /* those bytes, for the preview; NULL: no preview */
    const char *error;   /* with RESULT_ERROR: what failed, as a clause; else NULL */
    int error_number;    /* with RESULT_ERROR: why, an errno value; or 0 */
    const char *exposed; /* why there is no sandbox, if that was not asked for; else NULL */
};

/* Sets the result and the exit status that belongs to it. RESULT_ERROR here is EX_IOERR. */
void outcome_set(struct outcome *outcome, enum result result);

/* Sets RESULT_ERROR with `status`: `error`, a constant, failed for `error_number` (0: none). */
void outcome_fail(struct outcome *outcome, int status, const char *error, int error_number);

/* Sets what became of a read, a write or a wait that failed for `error_number`: it stands for the
 * deadline (ETIME), for a peer that went away or a network that lost it, or else for an error of
 * this system, which `action`, a constant, names. */
void outcome_fail_transfer(struct outcome *outcome, const char *action, int error_number);

/* Sets what a frame that is not a message stands for; `status` is FRAME_INVALID or FRAME_TOO_LONG.
 */
void outcome_refuse(struct outcome *outcome, enum frame_status status);

/* Whether the peer was refused, and may so be sending still. */
bool outcome_is_refusal(const struct outcome *outcome);

/* The word of the result in the log. */
const char *result_word(enum result result);

/* The level of syslog(3) at which this outcome is logged. */
int outcome_level(const struct outcome *outcome);

/*
 * Adds the log line without a newline, in logfmt, printable ASCII only:
 * peer=127.0.0.1:51234 result=echoed bytes=11 usec=412 message="hello world"
 */
void outcome_add_line(const struct outcome *outcome, const char *peer, struct text *line);

#endif
