/* SPDX-License-Identifier: MIT */
/* The conversation at a terminal: a prompt, a message, its echo, and again. */
#include "client/display.h"
#include "client/net/explain.h"
#include "client/net/message.h"
#include "client/output.h"
#include "client/talk/line.h"
#include "client/talk/talk.h"
#include "client/talk/waiting.h"
#include "common/clock.h"
#include "common/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define PROMPT "> "

struct chat {
    const struct options *options;
    struct line *line;
    struct target target;
    struct roundtrip roundtrip;
    int64_t asked; /* clock_now, when the exchange of the message began, its address known */
    int status;
    bool reported_open; /* the user knows that the server does not close */
};

/* Prints "label text" unless the user wants only the echoes. */
static void print(const struct chat *chat, const char *label, const char *text)
{
    waiting_hide();
    if (chat->options->quiet)
        return;
    fputs(label, stdout);
    display(stdout, text, strlen(text), false);
    putchar('\n');
}

static void print_banner(const struct chat *chat)
{
    print(chat, "Type message, enter to send. 'q' to quit", "");
}

/* Returns where the character that begins in this column ends, if it was typed or pasted. */
static size_t column_after(size_t column, uint32_t code)
{
    int width = wcwidth((wchar_t)code);

    if (code == '\t')
        return column / 8 * 8 + 8;
    return column + (size_t)(width < 0 ? 2 : width); /* a control character is shown as ^A */
}

/* Returns whether the message is on the screen already and takes more than a row there, behind the
 * prompt. */
static bool is_long(const struct chat *chat)
{
    const struct options *options = chat->options;
    const struct roundtrip *roundtrip = &chat->roundtrip;
    size_t column = strlen(PROMPT);
    uint32_t code = 0;

    if (options->classic || options->quiet || !display_is_screen(stdout))
        return false;
    for (size_t i = 0; i < roundtrip->length && code != '\n'; column = column_after(column, code))
        i += utf8_decode(&roundtrip->message[i], roundtrip->length - i, &code);
    return code == '\n' || column > display_columns(stdout);
}

/* Says what went wrong, after all that was printed before. */
static void complain(struct chat *chat, const struct text *text, int status)
{
    waiting_hide();
    fflush(stdout);
    output_complain(text);
    outcome_raise(&chat->status, status);
}

/* The user has ended the exchange, perhaps only the wait for the server to close. */
static void give_up(struct chat *chat)
{
    struct text text = OUTPUT_SENTENCE;

    explain_attempt(&text, &chat->roundtrip);
    text_addf(&text, ": given up after %.1f s", waiting_seconds());
    if (chat->roundtrip.state != ROUNDTRIP_CLOSING)
        complain(chat, &text, STATUS_FAILED);
    roundtrip_abandon(&chat->roundtrip);
}

/* Says how the round trip ended, unless with a plain echo. */
static void report(struct chat *chat)
{
    const struct roundtrip *roundtrip = &chat->roundtrip;
    struct text text = OUTPUT_SENTENCE;

    if (waiting_given_up() && (roundtrip->state != ROUNDTRIP_OVER || chat->target.count == 0)) {
        give_up(chat);
    } else if (roundtrip->outcome != OUTCOME_ECHOED) {
        explain_roundtrip(&text, roundtrip);
        complain(chat, &text, outcome_status(roundtrip->outcome));
    } else if (roundtrip->transfer.left_open && !chat->reported_open && !chat->options->quiet) {
        chat->reported_open = true;
        waiting_hide();
        fflush(stdout);
        output_complain_string(explain_left_open);
    }
}

/* Goes on until the state or a later one. Returns false if the user gave up before. */
static bool run(struct chat *chat, enum roundtrip_state state)
{
    fflush(stdout);
    if (!waiting_given_up())
        roundtrip_run(&chat->roundtrip, state);
    return chat->roundtrip.state >= state;
}

/* Connects, and sends the message unless that comes later. Returns whether it connected. */
static bool connect_to_server(struct chat *chat, const char *message, size_t length)
{
    struct roundtrip *roundtrip = &chat->roundtrip;

    roundtrip->begun = clock_now();
    target_find(&chat->target, roundtrip->begun + roundtrip->timeout);
    chat->asked = clock_now();
    roundtrip_begin(roundtrip, message, length);
    if (!run(chat, ROUNDTRIP_CONNECTED) || roundtrip_never_connected(roundtrip)) {
        report(chat);
        return false;
    }
    print(chat, "Connected to ", chat->target.peers[roundtrip->attempt.peer].text);
    return true;
}

static void show_sent(const struct chat *chat)
{
    const struct roundtrip *roundtrip = &chat->roundtrip;
    char size[32];

    (void)snprintf(size, sizeof size, "%zu bytes", roundtrip->length);
    print(chat, "Sent message: ", is_long(chat) ? size : roundtrip->message);
}

static void show_echo(const struct chat *chat)
{
    const struct transfer *transfer = &chat->roundtrip.transfer;
    bool same = is_long(chat) && transfer->compared.kind == VERIFY_INTACT;

    waiting_hide();
    if (!chat->options->quiet)
        fputs("Received echo: ", stdout);
    display(stdout, transfer->reply, same ? transfer->compared.tag_length : transfer->reply_length,
            false);
    if (same)
        printf("the same %zu bytes", transfer->length);
    putchar('\n');
}

static void print_closed(const struct chat *chat)
{
    const struct roundtrip *roundtrip = &chat->roundtrip;
    int64_t time = roundtrip->transfer.replied_at - chat->asked;
    char text[64] = "";

    if (!chat->options->classic && roundtrip->outcome == OUTCOME_ECHOED && time > 0)
        (void)snprintf(text, sizeof text, "; echo in %.3f ms", (double)time / (double)CLOCK_MSEC);
    print(chat, "Closed connection to server", text);
}

/* Follows the round trip from its connection to its end. */
static void finish(struct chat *chat)
{
    const struct roundtrip *roundtrip = &chat->roundtrip;

    run(chat, ROUNDTRIP_RECEIVING);
    if (roundtrip->transfer.sent > roundtrip->length)
        show_sent(chat);
    if (run(chat, ROUNDTRIP_CLOSING) &&
        (roundtrip->outcome == OUTCOME_ECHOED || roundtrip->outcome == OUTCOME_ALTERED ||
         roundtrip->outcome == OUTCOME_EXTRA))
        show_echo(chat);
    run(chat, ROUNDTRIP_OVER);
    report(chat);
    print_closed(chat);
}

static void begin_waiting(const struct chat *chat)
{
    waiting_begin(!chat->options->classic && !chat->options->quiet);
}

/* Asks for a message that can be sent. Returns NULL when the user quits. */
static const char *ask(struct chat *chat, size_t *length)
{
    const char *message;

    while ((message = line_read(chat->line, length)) != NULL) {
        struct text text = OUTPUT_SENTENCE;

        if (*length == 1 && *message == 'q')
            return NULL;
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
    while (output_flush(&chat->status) == 0 && (message = ask(chat, &length)) != NULL) {
        begin_waiting(chat);
        if (connect_to_server(chat, message, length))
            finish(chat);
        waiting_end();
    }
}

/* Connects before it asks. Without a connection it does not ask. */
static void connect_first(struct chat *chat)
{
    for (;;) {
        const char *message = NULL;
        size_t length;
        bool connected;

        begin_waiting(chat);
        connected = connect_to_server(chat, NULL, 0);
        waiting_end();
        if (!connected)
            return;
        print_banner(chat);
        if (output_flush(&chat->status) == 0)
            message = ask(chat, &length);
        if (!message) {
            roundtrip_abandon(&chat->roundtrip);
            print_closed(chat);
            return;
        }
        begin_waiting(chat);
        chat->asked = clock_now();
        roundtrip_send(&chat->roundtrip, message, length);
        finish(chat);
        waiting_end();
    }
}

int chat(const struct options *options)
{
    struct chat chat = {.options = options};

    chat.line = line_open(options->quiet ? "" : PROMPT);
    if (!chat.line) {
        struct text text = OUTPUT_SENTENCE;

        text_addf(&text, "preparing to read from the terminal: %s", strerror(errno));
        output_complain(&text);
        return STATUS_USAGE;
    }
    chat.target = (struct target){.address = &options->address,
                                  .family = options->family,
                                  .bind_address = &options->bind_address,
                                  .interrupted = waiting_interrupted};
    chat.roundtrip.target = &chat.target;
    chat.roundtrip.connect_first = options->connect_first;
    chat.roundtrip.timeout = (int64_t)options->timeout_usec * CLOCK_USEC;
    (options->connect_first ? connect_first : ask_first)(&chat);
    line_close(chat.line);
    target_free(&chat.target);
    transfer_free(&chat.roundtrip.transfer);
    return chat.status;
}
