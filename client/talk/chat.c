/* SPDX-License-Identifier: MIT */
#include "client/talk/chat.h"

#include "client/display.h"
#include "client/net/explain.h"
#include "client/net/message.h"
#include "client/output.h"
#include "client/talk/line.h"
#include "common/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct chat {
    const struct options *options;
    struct line *line;
    struct target target;
    struct roundtrip roundtrip;
    int status;
    bool reported_open; /* the user knows that the server does not close */
};

/* Prints "label text" unless the user wants only the echoes. */
static void print(const struct chat *chat, const char *label, const char *text, size_t length)
{
    if (chat->options->quiet)
        return;
    fputs(label, stdout);
    display(stdout, text, length, false);
    putchar('\n');
}

static void print_banner(const struct chat *chat)
{
    print(chat, "Type message, enter to send. 'q' to quit", "", 0);
}

/* Says what went wrong, after all that was printed before. */
static void complain(struct chat *chat, const struct text *text, int status)
{
    fflush(stdout);
    output_complain(text);
    outcome_raise(&chat->status, status);
}

/* Says how the round trip ended, unless with a plain echo. */
static void report(struct chat *chat)
{
    const struct roundtrip *roundtrip = &chat->roundtrip;
    char buffer[EXPLAIN_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    if (roundtrip->outcome != OUTCOME_ECHOED) {
        explain_roundtrip(&text, roundtrip);
        complain(chat, &text, outcome_status(roundtrip->outcome));
    } else if (roundtrip->transfer.left_open && !chat->reported_open && !chat->options->quiet) {
        chat->reported_open = true;
        text_add(&text, explain_left_open);
        complain(chat, &text, STATUS_ECHOED);
    }
}

/* Connects, and sends the message unless that comes later. Returns whether it connected. */
static bool connect_to_server(struct chat *chat, const char *message, size_t length)
{
    struct roundtrip *roundtrip = &chat->roundtrip;
    const char *peer;

    roundtrip->begun = clock_now();
    target_find(&chat->target, roundtrip->begun + roundtrip->timeout);
    roundtrip_begin(roundtrip, message, length);
    roundtrip_run(roundtrip, ROUNDTRIP_CONNECTED);
    if (roundtrip_never_connected(roundtrip)) {
        report(chat);
        return false;
    }
    peer = chat->target.peers[roundtrip->peer].text;
    print(chat, "Connected to ", peer, strlen(peer));
    fflush(stdout);
    return true;
}

static void show_echo(const struct chat *chat)
{
    const struct transfer *transfer = &chat->roundtrip.transfer;

    if (!chat->options->quiet)
        fputs("Received echo: ", stdout);
    display(stdout, transfer->reply, transfer->reply_length, false);
    putchar('\n');
}

static void print_closed(const struct chat *chat)
{
    print(chat, "Closed connection to server", "", 0);
}

/* Follows the round trip from its connection to its end. */
static void finish(struct chat *chat)
{
    struct roundtrip *roundtrip = &chat->roundtrip;

    roundtrip_run(roundtrip, ROUNDTRIP_RECEIVING);
    if (roundtrip->transfer.sent > roundtrip->length)
        print(chat, "Sent message: ", roundtrip->message, roundtrip->length);
    fflush(stdout);
    roundtrip_run(roundtrip, ROUNDTRIP_CLOSING);
    if (roundtrip->outcome == OUTCOME_ECHOED || roundtrip->outcome == OUTCOME_ALTERED ||
        roundtrip->outcome == OUTCOME_EXTRA)
        show_echo(chat);
    fflush(stdout);
    roundtrip_run(roundtrip, ROUNDTRIP_OVER);
    report(chat);
    print_closed(chat);
}

/* Asks for a message that can be sent. Returns NULL when the user quits. */
static const char *ask(struct chat *chat, size_t *length)
{
    char buffer[EXPLAIN_SIZE];
    struct text text;
    const char *message;

    while ((message = line_read(chat->line, length)) != NULL) {
        if (*length == 1 && *message == 'q')
            return NULL;
        text_init(&text, buffer, sizeof buffer);
        if (message_check(message, *length, chat->options->max_bytes, &text) == 0) {
            line_keep(chat->line, message);
            return message;
        }
        complain(chat, &text, STATUS_USAGE);
    }
    return NULL;
}

/* Asks first, and connects when there is something to send. */
static void ask_first(struct chat *chat)
{
    const char *message;
    size_t length;

    print_banner(chat);
    while (output_flush(&chat->status) == 0 && (message = ask(chat, &length)) != NULL)
        if (connect_to_server(chat, message, length))
            finish(chat);
}

/* Connects before it asks. Without a connection it does not ask. */
static void connect_first(struct chat *chat)
{
    while (connect_to_server(chat, NULL, 0)) {
        const char *message = NULL;
        size_t length;

        print_banner(chat);
        if (output_flush(&chat->status) == 0)
            message = ask(chat, &length);
        if (!message) {
            roundtrip_abandon(&chat->roundtrip);
            print_closed(chat);
            return;
        }
        roundtrip_send(&chat->roundtrip, message, length);
        finish(chat);
    }
}

int chat(const struct options *options)
{
    struct chat chat = {.options = options};

    chat.line = line_open(options->quiet ? "" : "> ");
    if (!chat.line) {
        char buffer[EXPLAIN_SIZE];
        struct text text;

        text_init(&text, buffer, sizeof buffer);
        text_addf(&text, "preparing to read from the terminal: %s", strerror(errno));
        output_complain(&text);
        return STATUS_USAGE;
    }
    chat.target = (struct target){.address = &options->address,
                                  .family = options->family,
                                  .bind_address = &options->bind_address};
    chat.roundtrip.target = &chat.target;
    chat.roundtrip.connect_first = options->connect_first;
    chat.roundtrip.timeout = (int64_t)options->timeout_usec * CLOCK_USEC;
    (options->connect_first ? connect_first : ask_first)(&chat);
    line_close(chat.line);
    target_free(&chat.target);
    transfer_free(&chat.roundtrip.transfer);
    return chat.status;
}
