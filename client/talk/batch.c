/* SPDX-License-Identifier: MIT */
/* Messages from standard input or the command line, without a user who waits at a prompt. */
#include "client/display.h"
#include "client/net/explain.h"
#include "client/net/message.h"
#include "client/output.h"
#include "client/reader.h"
#include "client/talk/talk.h"
#include "common/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct batch {
    const struct options *options;
    struct target target;
    struct roundtrip roundtrip;
    struct reader reader;
    int status;
    bool on_terminal;   /* standard output is one */
    bool reported_open; /* the user knows that the server does not close */
};

/* Begins a complaint, with the number of the message if there can be several. */
static void begin_complaint(const struct batch *batch, struct text *text)
{
    enum options_input input = batch->options->input;

    if (input != OPTIONS_AUTO && input != OPTIONS_NULL)
        return;
    text_addf(text, "%s %zu: ", input == OPTIONS_NULL ? "message" : "line", batch->reader.number);
}

/* Writes the echo and what ends it. Returns 0, or -1 when standard output is lost. */
static int write_echo(struct batch *batch)
{
    const struct transfer *transfer = &batch->roundtrip.transfer;
    bool whole = batch->options->input == OPTIONS_WHOLE;
    const char *end = batch->options->input == OPTIONS_NULL ? "" : "\n";

    if (batch->options->quiet)
        return 0;
    if (!batch->on_terminal)
        return output_bytes(transfer->reply, transfer->reply_length, end, whole ? 0 : 1,
                            &batch->status);
    display(stdout, transfer->reply, transfer->reply_length, true);
    if (!whole)
        putchar(*end);
    return output_flush(&batch->status);
}

static void report_left_open(struct batch *batch)
{
    if (batch->reported_open || batch->options->quiet)
        return;
    batch->reported_open = true;
    output_complain_string(explain_left_open);
}

static void complain(struct batch *batch, const struct text *text, int status)
{
    output_complain(text);
    outcome_raise(&batch->status, status);
}

/* Sends one message. Returns 0, or -1 when standard output is lost. */
static int exchange(struct batch *batch, const char *message, size_t length)
{
    struct roundtrip *roundtrip = &batch->roundtrip;
    struct text text = OUTPUT_SENTENCE;

    roundtrip->begun = clock_now();
    target_find(&batch->target, roundtrip->begun + roundtrip->timeout);
    roundtrip_begin(roundtrip, message, length);
    roundtrip_run(roundtrip, ROUNDTRIP_OVER);
    if (roundtrip->outcome == OUTCOME_ECHOED) {
        if (roundtrip->transfer.left_open)
            report_left_open(batch);
        return write_echo(batch);
    }
    begin_complaint(batch, &text);
    explain_roundtrip(&text, roundtrip);
    complain(batch, &text, outcome_status(roundtrip->outcome));
    return 0;
}

/* Sends the bytes if they are a message. Returns 0, or -1 when standard output is lost. */
static int submit(struct batch *batch, const char *bytes, size_t length)
{
    struct text text = OUTPUT_SENTENCE;

    begin_complaint(batch, &text);
    if (message_check(bytes, length, batch->options->max_bytes, &text) == 0)
        return exchange(batch, bytes, length);
    complain(batch, &text, STATUS_USAGE);
    return 0;
}

static void submit_input(struct batch *batch)
{
    struct reader *reader = &batch->reader;

    for (;;) {
        struct text text = OUTPUT_SENTENCE;

        switch (reader_next(reader)) {
        case READER_MESSAGE:
            if (submit(batch, reader->message, reader->length) < 0)
                return;
            break;
        case READER_TOO_LONG:
            begin_complaint(batch, &text);
            message_explain_too_long(batch->options->max_bytes, &text);
            complain(batch, &text, STATUS_USAGE);
            break;
        case READER_ERROR:
            text_addf(&text, "reading standard input: %s", strerror(errno));
            complain(batch, &text, STATUS_USAGE);
            return;
        case READER_END:
            return;
        }
    }
}

int batch(const struct options *options)
{
    static struct batch batch; /* zero; its chunk of input is rather large for a stack */
    static const int separators[] = {
        [OPTIONS_AUTO] = '\n', [OPTIONS_NULL] = '\0', [OPTIONS_WHOLE] = READER_WHOLE};

    batch.options = options;
    batch.target = (struct target){.address = &options->address,
                                   .family = options->family,
                                   .bind_address = &options->bind_address};
    batch.roundtrip.target = &batch.target;
    batch.roundtrip.timeout = (int64_t)options->timeout_usec * CLOCK_USEC;
    batch.on_terminal = isatty(STDOUT_FILENO) == 1;
    reader_init(&batch.reader, STDIN_FILENO, separators[options->input], options->max_bytes);
    if (options->input == OPTIONS_MESSAGE)
        submit(&batch, options->message, strlen(options->message));
    else
        submit_input(&batch);
    reader_free(&batch.reader);
    target_free(&batch.target);
    transfer_free(&batch.roundtrip.transfer);
    return batch.status;
}
