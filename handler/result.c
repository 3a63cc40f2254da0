/* SPDX-License-Identifier: MIT */
#include "handler/result.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>

/* The longest preview, in bytes of the message. */
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

void result_fail(struct result *result, int status, const char *error, int error_number)
{
    result->code = RESULT_ERROR;
    result->error_status = status;
    result->error = error;
    result->error_number = error_number;
}

void result_fail_transfer(struct result *result, const char *action, int error_number)
{
    switch (error_number) {
    case ETIME:
        result->code = RESULT_TIMEOUT;
        break;
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
        result->code = RESULT_GONE;
        break;
    default:
        result_fail(result, EX_IOERR, action, error_number);
    }
}

enum result_code result_of_frame(enum frame_status status)
{
    switch (status) {
    case FRAME_COMPLETE:
        return RESULT_ECHOED;
    case FRAME_TOO_LONG:
        return RESULT_TOO_LONG;
    case FRAME_INVALID:
        return RESULT_INVALID_UTF8;
    case FRAME_MORE:
        break;
    }
    return RESULT_EOF;
}

bool result_is_refusal(enum result_code code)
{
    return code == RESULT_TOO_LONG || code == RESULT_INVALID_UTF8;
}

const char *result_word(enum result_code code)
{
    return results[code].word;
}

int result_status(const struct result *result)
{
    return result->code == RESULT_ERROR ? result->error_status : results[result->code].status;
}

int result_level(const struct result *result)
{
    /* Health checks and port scanners connect and say nothing, all day long. */
    if (result->code == RESULT_EOF && result->bytes == 0)
        return LOG_DEBUG;
    return results[result->code].level;
}

static void print_preview(struct text *text, const struct result *result)
{
    bool cut = result->bytes > PREVIEW_BYTES;

    text_add(text, " message=\"");
    text_add_escaped(text, result->message, cut ? PREVIEW_BYTES : result->bytes);
    text_add(text, cut ? "...\"" : "\"");
}

void result_print(struct text *text, const struct result *result, const char *peer)
{
    text_addf(text, "peer=%s result=%s bytes=%zu usec=%" PRIu64, peer, result_word(result->code),
              result->bytes, result->usec);
    if (result->error && result->error_number)
        text_addf(text, " error=\"%s: %s\"", result->error, strerror(result->error_number));
    else if (result->error)
        text_addf(text, " error=\"%s\"", result->error);
    if (result->exposed)
        text_addf(text, " sandbox=\"none: %s\"", result->exposed);
    if (result->message)
        print_preview(text, result);
}
