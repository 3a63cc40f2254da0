/* SPDX-License-Identifier: MIT */
#include "handler/result.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>

static const struct {
    const char *word;
    int status, level;
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
    static const int gone[] = {
        EPIPE,        ECONNRESET, ECONNABORTED, ENOTCONN, ETIMEDOUT,
        EHOSTUNREACH, EHOSTDOWN,  ENETUNREACH,  ENETDOWN, ENETRESET,
    };

    result->code = error_number == ETIME ? RESULT_TIMEOUT : RESULT_ERROR;
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        if (error_number == gone[i])
            result->code = RESULT_GONE;
    if (result->code == RESULT_ERROR)
        result_fail(result, EX_IOERR, action, error_number);
}

void result_lose_reply(struct result *result)
{
    result->code = RESULT_GONE;
    result->error = "too many bytes came after the message";
}

enum result_code result_of_frame(enum frame_status status)
{
    static const enum result_code codes[] = {
        [FRAME_MORE] = RESULT_EOF,
        [FRAME_COMPLETE] = RESULT_ECHOED,
        [FRAME_TOO_LONG] = RESULT_TOO_LONG,
        [FRAME_INVALID] = RESULT_INVALID_UTF8,
    };

    return codes[status];
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
    bool cut = result->bytes > RESULT_PREVIEW_BYTES;

    text_add(text, " message=\"");
    text_add_escaped(text, result->message, cut ? RESULT_PREVIEW_BYTES : result->bytes);
    text_add(text, cut ? "...\"" : "\"");
}

static void print_reason(struct text *text, const char *before, const char *clause,
                         int error_number)
{
    if (!clause)
        return;
    text_add(text, before);
    text_add(text, clause);
    if (error_number) {
        text_add(text, ": ");
        text_add(text, strerror(error_number));
    }
    text_add(text, "\"");
}

void result_print(struct text *text, const struct result *result, const char *peer)
{
    const char *quote = strpbrk(peer, " =\\") ? "\"" : "";

    text_add(text, "peer=");
    text_add(text, quote);
    text_add(text, peer);
    text_add(text, quote);
    text_add(text, " result=");
    text_add(text, result_word(result->code));
    text_add_number(text, " bytes=", result->bytes);
    text_add_number(text, " usec=", result->usec);
    if (result->code == RESULT_INVALID_UTF8) {
        text_add_number(text, " offset=", result->bytes);
        text_add(text, " byte=0x");
        text_add_hex(text, result->wrong_byte, 2);
    }
    print_reason(text, " error=\"", result->error, result->error_number);
    print_reason(text, " sandbox=\"", result->exposed, result->exposed_number);
    if (result->message)
        print_preview(text, result);
}
