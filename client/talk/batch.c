/* SPDX-License-Identifier: MIT */
#include "client/talk/batch.h"

#include "client/display.h"
#include "client/net/explain.h"
#include "client/output.h"
#include "client/reader.h"
#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct batch {
    const struct options *options;
    struct transfer transfer;
    struct reader reader;
    int status;
    bool on_terminal;   /* standard output is one */
    bool reported_open; /* the user knows that the server doesn't close */
};

/* Begins a complaint with the place in the input, where there is more than one. */
static void begin_complaint(const struct batch *batch, struct text *text, char *buffer)
{
    enum options_input input = batch->options->input;

    text_init(text, buffer, EXPLAIN_SIZE);
    if (input != OPTIONS_AUTO && input != OPTIONS_NULL)
        return;
    text_add(text, input == OPTIONS_NULL ? "message " : "line ");
    text_addf(text, "%" PRIu64, (uint64_t)batch->reader.number);
    text_add(text, ": ");
}

/* Writes the echo and what ends it; -1 when standard output is lost. */
static int write_echo(struct batch *batch)
{
    const struct transfer *transfer = &batch->transfer;
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

static void note_open(struct batch *batch)
{
    if (!batch->transfer.left_open || batch->reported_open || batch->options->quiet)
        return;
    batch->reported_open = true;
    output_complain_string(explain_left_open);
}

/* One exchange; -1 when going on makes no sense. */
static int exchange(struct batch *batch, const char *bytes, size_t length)
{
    const struct options *options = batch->options;
    int64_t deadline = clock_after(options->timeout_usec);
    enum outcome outcome;
    char complaint[EXPLAIN_SIZE];
    struct text text;
    struct dial line;

    begin_complaint(batch, &text, complaint);
    if (dial(&options->address, options->family, &options->source, deadline, &line) < 0) {
        outcome = line.outcome;
        explain_dial(&text, &options->address, &line, options->timeout_usec);
    } else {
        outcome = transfer(&batch->transfer, line.fd, bytes, length, deadline);
        close(line.fd);
        if (outcome != OUTCOME_ECHOED)
            explain_transfer(&text, &line, &batch->transfer, options->timeout_usec);
        else
            note_open(batch);
    }
    if (outcome == OUTCOME_ECHOED)
        return write_echo(batch);
    output_complain(&text);
    outcome_raise(&batch->status, outcome_status(outcome));
    return 0;
}

static int submit(struct batch *batch, const char *bytes, size_t length)
{
    char complaint[EXPLAIN_SIZE];
    struct text text;
    size_t offset;
    enum message_fault fault = message_check(bytes, length, batch->options->max_bytes, &offset);

    if (fault == MESSAGE_GOOD)
        return exchange(batch, bytes, length);
    begin_complaint(batch, &text, complaint);
    explain_message(&text, fault, bytes, offset);
    output_complain(&text);
    outcome_raise(&batch->status, STATUS_USAGE);
    return 0;
}

static void refuse_long(struct batch *batch)
{
    char complaint[EXPLAIN_SIZE];
    struct text text;

    begin_complaint(batch, &text, complaint);
    explain_message(&text, MESSAGE_TOO_LONG, NULL, batch->options->max_bytes);
    output_complain(&text);
    outcome_raise(&batch->status, STATUS_USAGE);
}

static void report_input_error(struct batch *batch)
{
    char complaint[EXPLAIN_SIZE];
    struct text text;

    text_init(&text, complaint, sizeof complaint);
    text_add(&text, "reading standard input: ");
    text_add(&text, strerror(errno));
    output_complain(&text);
    outcome_raise(&batch->status, STATUS_USAGE);
}

static void submit_input(struct batch *batch)
{
    struct reader *reader = &batch->reader;

    for (;;) {
        switch (reader_next(reader)) {
        case READER_MESSAGE:
            if (submit(batch, reader->message, reader->length) < 0)
                return;
            break;
        case READER_TOO_LONG:
            refuse_long(batch);
            break;
        case READER_ERROR:
            report_input_error(batch);
            return;
        case READER_END:
            return;
        }
    }
}

static int separator(enum options_input input)
{
    switch (input) {
    case OPTIONS_NULL:
        return '\0';
    case OPTIONS_WHOLE:
        return READER_WHOLE;
    default:
        return '\n';
    }
}

int batch(const struct options *options)
{
    static struct batch batch; /* zero, and with its chunk of input rather large for a stack */

    batch.options = options;
    batch.on_terminal = isatty(STDOUT_FILENO) == 1;
    reader_init(&batch.reader, STDIN_FILENO, separator(options->input), options->max_bytes);
    if (options->input == OPTIONS_MESSAGE)
        submit(&batch, options->message, strlen(options->message));
    else
        submit_input(&batch);
    reader_free(&batch.reader);
    transfer_free(&batch.transfer);
    return batch.status;
}
