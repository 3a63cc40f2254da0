/* SPDX-License-Identifier: MIT */
#include "client/talk/chat.h"

#include "client/display.h"
#include "client/net/explain.h"
#include "client/output.h"
#include "client/talk/line.h"
#include "common/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct chat {
    const struct options *options;
    struct line *line;
    struct dial dial;
    struct transfer transfer;
    int status;
    bool reported_open; /* the user knows that the server doesn't close */
};

/* Prints "label text" unless the user wants only the echoes. */
static void tell(const struct chat *chat, const char *label, const char *text, size_t length)
{
    if (chat->options->quiet)
        return;
    fputs(label, stdout);
    display(stdout, text, length, false);
    putchar('\n');
}

static void tell_banner(const struct chat *chat)
{
    tell(chat, "Type message, enter to send. 'q' to quit", "", 0);
}

/* Says what went wrong, behind all that was printed before. */
static void complain(struct chat *chat, const struct text *text, int status)
{
    fflush(stdout);
    output_complain(text);
    outcome_raise(&chat->status, status);
}

static bool connect_to_server(struct chat *chat, int64_t deadline)
{
    const struct options *options = chat->options;
    char buffer[EXPLAIN_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    if (dial(&options->address, options->family, &options->source, deadline, &chat->dial) < 0) {
        explain_dial(&text, &options->address, &chat->dial, options->timeout_usec);
        complain(chat, &text, outcome_status(chat->dial.outcome));
        return false;
    }
    dial_print_peer(&chat->dial, &text);
    tell(chat, "Connected to ", text.start, text.length);
    fflush(stdout);
    return true;
}

static void disconnect(struct chat *chat)
{
    close(chat->dial.fd);
    chat->dial.fd = -1;
    tell(chat, "Closed connection to server", "", 0);
}

static void show_echo(const struct chat *chat)
{
    if (!chat->options->quiet)
        fputs("Received echo: ", stdout);
    display(stdout, chat->transfer.reply, chat->transfer.reply_length, false);
    putchar('\n');
}

/* Says how the exchange ended where that was not as it should. */
static void report(struct chat *chat)
{
    char buffer[EXPLAIN_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    if (chat->transfer.outcome != OUTCOME_ECHOED) {
        explain_transfer(&text, &chat->dial, &chat->transfer, chat->options->timeout_usec);
        complain(chat, &text, outcome_status(chat->transfer.outcome));
    } else if (chat->transfer.left_open && !chat->reported_open && !chat->options->quiet) {
        chat->reported_open = true;
        text_add(&text, explain_left_open);
        complain(chat, &text, STATUS_ECHOED);
    }
}

/* The exchange on the open connection, which is closed after it. */
static void exchange(struct chat *chat, const char *message, size_t length, int64_t deadline)
{
    struct transfer *transfer = &chat->transfer;

    transfer_begin(transfer, chat->dial.fd, message, length, deadline);
    if (transfer_send(transfer))
        tell(chat, "Sent message: ", message, length);
    fflush(stdout);
    transfer_receive(transfer);
    if (transfer->outcome == OUTCOME_ECHOED || transfer->outcome == OUTCOME_ALTERED ||
        transfer->outcome == OUTCOME_EXTRA)
        show_echo(chat);
    fflush(stdout);
    transfer_finish(transfer);
    report(chat);
    disconnect(chat);
}

/* Asks until there is something that can be sent; NULL when the user has had enough. */
static const char *ask(struct chat *chat, size_t *length)
{
    char buffer[EXPLAIN_SIZE];
    struct text text;
    const char *message;

    while ((message = line_read(chat->line, length)) != NULL) {
        size_t offset;
        enum message_fault fault =
            message_check(message, *length, chat->options->max_bytes, &offset);

        if (*length == 1 && *message == 'q')
            return NULL;
        if (fault == MESSAGE_GOOD) {
            line_keep(chat->line, message);
            return message;
        }
        text_init(&text, buffer, sizeof buffer);
        explain_message(&text, fault, message, offset);
        complain(chat, &text, STATUS_USAGE);
    }
    return NULL;
}

static int64_t new_deadline(const struct chat *chat)
{
    return clock_after(chat->options->timeout_usec);
}

/* Asks first, and connects when there is something to send. */
static void ask_first(struct chat *chat)
{
    const char *message;
    size_t length;

    tell_banner(chat);
    while (output_flush(&chat->status) == 0 && (message = ask(chat, &length)) != NULL) {
        int64_t deadline = new_deadline(chat);

        if (connect_to_server(chat, deadline))
            exchange(chat, message, length, deadline);
    }
}

/* Connects before it asks; without a connection there is nothing to ask for. */
static void connect_first(struct chat *chat)
{
    while (connect_to_server(chat, new_deadline(chat))) {
        const char *message = NULL;
        size_t length;

        tell_banner(chat);
        if (output_flush(&chat->status) == 0)
            message = ask(chat, &length);
        if (!message) {
            disconnect(chat);
            return;
        }
        exchange(chat, message, length, new_deadline(chat));
    }
}

int chat(const struct options *options)
{
    struct chat chat = {.options = options, .dial = {.fd = -1}};

    chat.line = line_open(options->quiet ? "" : "> ");
    if (!chat.line) {
        char buffer[EXPLAIN_SIZE];
        struct text text;

        text_init(&text, buffer, sizeof buffer);
        text_add(&text, "preparing to read from the terminal: ");
        text_add(&text, strerror(errno));
        output_complain(&text);
        return STATUS_USAGE;
    }
    (options->connect_first ? connect_first : ask_first)(&chat);
    line_close(chat.line);
    transfer_free(&chat.transfer);
    return chat.status;
}
