/* SPDX-License-Identifier: MIT */
#include "result.h"

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
    text_add_char(line, '"');
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
    text_add(line, results[outcome->result].word);
    text_add(line, " bytes=");
    text_add_number(line, outcome->bytes);
    text_add(line, " usec=");
    text_add_number(line, outcome->usec);
    if (outcome->error)
        add_error(outcome, line);
    if (outcome->exposed) {
        text_add(line, " sandbox=\"none: ");
        text_add_escaped(line, outcome->exposed, strlen(outcome->exposed));
        text_add_char(line, '"');
    }
    if (outcome->message)
        add_preview(outcome, line);
}
