/* SPDX-License-Identifier: MIT */
#include "handler/result.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>

/* Message bytes that the preview shows at the most. */
#define PREVIEW_BYTES 64

static const struct {
    const char *word;
    int status;
    int level;
} results[] = {
    [RESULT_ECHOED] = {"echoed", EX_OK, LOG_NOTICE},
    [RESULT_EOF] = {"eof", EX_DATAERR, LOG_WARNING},
    [RESULT_TOO_LONG] = {"too-long", EX_DATAERR, LOG_WARNING},
    [RESULT_INVALID_UTF8] = {"invalid-utf8", EX_DATAERR, LOG_WARNING},
    [RESULT_TIMEOUT] = {"timeout", EX_IOERR, LOG_WARNING},
    [RESULT_GONE] = {"gone", EX_IOERR, LOG_WARNING},
    [RESULT_ERROR] = {"error", EX_IOERR, LOG_ERR},
};

void outcome_set(struct outcome *outcome, enum result result)
{
    outcome->result = result;
    outcome->status = results[result].status;
}

void outcome_fail(struct outcome *outcome, int status, const char *error, int error_number)
{
    outcome->result = RESULT_ERROR;
    outcome->status = status;
    outcome->error = error;
    outcome->error_number = error_number;
}

/* The result that an errno of a read or write stands for, RESULT_ERROR if it is no fault of the
 * peer or the network. */
static enum result result_of(int error_number)
{
    switch (error_number) {
    case ETIME:
        return RESULT_TIMEOUT;
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case ENOTCONN:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
    case ENETRESET:
        return RESULT_GONE;
    default:
        return RESULT_ERROR;
    }
}

void outcome_fail_transfer(struct outcome *outcome, const char *action, int error_number)
{
    enum result result = result_of(error_number);

    if (result == RESULT_ERROR)
        outcome_fail(outcome, EX_IOERR, action, error_number);
    else
        outcome_set(outcome, result);
}

void outcome_refuse(struct outcome *outcome, enum frame_status status)
{
    outcome_set(outcome, status == FRAME_TOO_LONG ? RESULT_TOO_LONG : RESULT_INVALID_UTF8);
}

bool outcome_is_refusal(const struct outcome *outcome)
{
    return outcome->result == RESULT_TOO_LONG || outcome->result == RESULT_INVALID_UTF8;
}

const char *result_word(enum result result)
{
    return results[result].word;
}

int outcome_level(const struct outcome *outcome)
{
    /* Health checks and port scanners connect and say nothing, all day long. */
    if (outcome->result == RESULT_EOF && outcome->bytes == 0)
        return LOG_DEBUG;
    return results[outcome->result].level;
}

static void add_error(const struct outcome *outcome, struct text *line)
{
    text_add(line, " error=\"");
    text_add(line, outcome->error);
    if (outcome->error_number) {
        const char *reason = strerror(outcome->error_number);
        text_add(line, ": ");
        text_add_escaped(line, reason, strlen(reason));
    }
    text_add(line, "\"");
}

static void add_preview(const struct outcome *outcome, struct text *line)
{
    bool cut = outcome->bytes > PREVIEW_BYTES;

    text_add(line, " message=\"");
    text_add_escaped(line, outcome->message, cut ? PREVIEW_BYTES : outcome->bytes);
    text_add(line, cut ? "...\"" : "\"");
}

void outcome_add_line(const struct outcome *outcome, const char *peer, struct text *line)
{
    text_add(line, "peer=");
    text_add(line, peer);
    text_add(line, " result=");
    text_add(line, result_word(outcome->result));
    text_add(line, " bytes=");
    text_addf(line, "%" PRIu64, (uint64_t)outcome->bytes);
    text_add(line, " usec=");
    text_addf(line, "%" PRIu64, (uint64_t)outcome->usec);
    if (outcome->error)
        add_error(outcome, line);
    if (outcome->exposed) {
        text_add(line, " sandbox=\"none: ");
        text_add_escaped(line, outcome->exposed, strlen(outcome->exposed));
        text_add(line, "\"");
    }
    if (outcome->message)
        add_preview(outcome, line);
}
