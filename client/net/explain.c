/* SPDX-License-Identifier: MIT */
#include "client/net/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

const char explain_left_open[] =
    "the server leaves the connection open after its reply: each takes a second more";

/* Adds a time as seconds with as many decimals as it needs. */
static void add_seconds(struct text *text, uint64_t usec)
{
    char decimals[8];
    size_t length;

    text_addf(text, "%" PRIu64, (uint64_t)usec / 1000000);
    snprintf(decimals, sizeof decimals, ".%06u", (unsigned)(usec % 1000000));
    length = strlen(decimals);
    while (length > 0 && (decimals[length - 1] == '0' || decimals[length - 1] == '.'))
        length--;
    text_add_bytes(text, decimals, length);
    text_add(text, " s");
}

static void add_count(struct text *text, size_t count, const char *unit)
{
    text_addf(text, "%" PRIu64, (uint64_t)count);
    text_add(text, " ");
    text_add(text, unit);
    if (count != 1)
        text_add(text, "s");
}

static void add_hex(struct text *text, unsigned char byte)
{
    text_addf(text, "0x%02x", byte);
}

/* "VERB OBJECT: outcome: " */
static void begin(struct text *text, const char *verb, const char *object, enum outcome outcome)
{
    text_add(text, verb);
    text_add(text, " ");
    text_add(text, object);
    text_add(text, ": ");
    text_add(text, outcome_word(outcome));
    text_add(text, ": ");
}

static void explain_unresolved(struct text *text, const struct address *address,
                               const struct dial *dial, uint64_t timeout_usec)
{
    begin(text, "finding the address of", address->host, dial->outcome);
    if (dial->resolver_error != EAI_SYSTEM) {
        text_add(text, gai_strerror(dial->resolver_error));
    } else if (dial->error == ETIMEDOUT) {
        text_add(text, "no answer from the resolver within ");
        add_seconds(text, timeout_usec);
    } else {
        text_add(text, strerror(dial->error));
    }
    text_add(text, "; check the name and the resolver, or give the address in digits");
}

/* Hypervisors close the connection when nobody in the guest listens on the port. */
static void explain_handshake(struct text *text, const struct dial *dial, uint64_t timeout_usec)
{
    switch (dial->error) {
    case ECONNRESET:
        text_add(text, "it closed the connection instead of saying OK to CONNECT; nobody may be "
                       "listening on that port in the guest");
        break;
    case EPROTO:
        text_add(text, "it did not say OK to CONNECT; is it a hybrid vsock socket?");
        break;
    case ETIMEDOUT:
        text_add(text, "it did not say OK to CONNECT within ");
        add_seconds(text, timeout_usec);
        break;
    default:
        text_add(text, strerror(dial->error));
    }
}

/* An attempt to connect was not answered in the time that it was given, to the millisecond. */
static void explain_filtered(struct text *text, const struct dial *dial)
{
    uint64_t usec = dial->given > 0 ? (uint64_t)dial->given / 1000 : 0;

    usec = (usec + 500) / 1000 * 1000;
    text_add(text, "no answer within ");
    add_seconds(text, usec > 0 ? usec : 1000);
    if (dial->peer.ss_family == AF_UNIX)
        text_add(text, "; its queue of connections is full: the server is overloaded, or hangs");
    else
        text_add(text, "; a firewall may be dropping it, or the host is down or overloaded");
}

static void explain_attempt(struct text *text, const struct dial *dial, uint64_t timeout_usec)
{
    switch (dial->outcome) {
    case OUTCOME_REFUSED:
        text_add(text,
                 dial->error == ENOENT ? "there is no such socket" : "nobody is listening there");
        text_add(text, "; start the server, or check the address");
        break;
    case OUTCOME_UNREACHABLE:
        text_add(text, strerror(dial->error));
        text_add(text, "; check the route and the firewalls on the way");
        break;
    case OUTCOME_HANDSHAKE:
        explain_handshake(text, dial, timeout_usec);
        break;
    case OUTCOME_FILTERED:
        explain_filtered(text, dial);
        break;
    default:
        text_add(text, strerror(dial->error));
        text_add(text, "; the server was not asked");
    }
}

void explain_dial(struct text *text, const struct address *address, const struct dial *dial,
                  uint64_t timeout_usec)
{
    char peer[SOCKADDR_TEXT_SIZE];
    struct text peer_text;

    if (dial->outcome == OUTCOME_UNRESOLVED) {
        explain_unresolved(text, address, dial, timeout_usec);
        return;
    }
    text_init(&peer_text, peer, sizeof peer);
    dial_print_peer(dial, &peer_text);
    begin(text, "connecting to", peer, dial->outcome);
    explain_attempt(text, dial, timeout_usec);
    if (dial->tried > 1) {
        text_add(text, " (the last of ");
        text_addf(text, "%" PRIu64, (uint64_t)dial->tried);
        text_add(text, " addresses tried)");
    }
}

static void add_progress(struct text *text, const struct transfer *transfer)
{
    if (transfer->sent < transfer->length + 1) {
        text_addf(text, "%" PRIu64, (uint64_t)transfer->sent);
        text_add(text, " of ");
        add_count(text, transfer->length + 1, "byte");
        text_add(text, " had been sent and ");
    }
    text_addf(text, "%" PRIu64, (uint64_t)transfer->reply_length);
    text_add(text, " of ");
    add_count(text, transfer->length + 1, "byte");
    text_add(text, " had come back");
}

static void explain_altered(struct text *text, const struct transfer *transfer)
{
    const struct verify *compared = &transfer->compared;

    switch (compared->kind) {
    case VERIFY_DIFFERS:
        text_add(text, "the byte at offset ");
        text_addf(text, "%" PRIu64, (uint64_t)compared->offset);
        text_add(text, " was sent as ");
        add_hex(text, compared->sent);
        text_add(text, " and came back as ");
        add_hex(text, compared->received);
        break;
    case VERIFY_SHORTER:
        text_add(text, "the reply is shorter: it ends at offset ");
        text_addf(text, "%" PRIu64, (uint64_t)compared->offset);
        text_add(text, " of a message of ");
        add_count(text, transfer->length, "byte");
        break;
    case VERIFY_LONGER:
        text_add(text, "the reply is longer: it goes on at offset ");
        text_addf(text, "%" PRIu64, (uint64_t)compared->offset);
        text_add(text, ", where the message ends");
        break;
    case VERIFY_INTACT:
        break;
    }
}

/* What may be behind a connection that ends at once; launchers at their limit do just that. */
static const char *const likely =
    "it may be at its limit of connections, or it refused the message";

static void explain_reset(struct text *text, const struct transfer *transfer)
{
    if (transfer->reply_length == 0) {
        text_add(text, "the server reset the connection without a reply: ");
        text_add(text, likely);
        return;
    }
    text_add(text, "the server reset the connection when ");
    add_progress(text, transfer);
}

static void explain_failure(struct text *text, const struct transfer *transfer,
                            uint64_t timeout_usec)
{
    switch (transfer->outcome) {
    case OUTCOME_CLOSED:
        text_add(text, "the server accepted the connection and closed it without a reply: ");
        text_add(text, likely);
        break;
    case OUTCOME_TIMEOUT:
        text_add(text, "no whole reply within ");
        add_seconds(text, timeout_usec);
        text_add(text, ": ");
        add_progress(text, transfer);
        break;
    case OUTCOME_RESET:
        explain_reset(text, transfer);
        break;
    case OUTCOME_TRUNCATED:
        text_add(text, "the connection ended before the null byte, when ");
        add_progress(text, transfer);
        break;
    case OUTCOME_ALTERED:
        explain_altered(text, transfer);
        break;
    case OUTCOME_EXTRA:
        text_add(text, "at least ");
        add_count(text, transfer->extra, "byte");
        text_add(text, " came after the null byte of the reply");
        break;
    default:
        text_add(text, strerror(transfer->error));
    }
}

void explain_transfer(struct text *text, const struct dial *dial, const struct transfer *transfer,
                      uint64_t timeout_usec)
{
    char peer[SOCKADDR_TEXT_SIZE];
    struct text peer_text;

    text_init(&peer_text, peer, sizeof peer);
    dial_print_peer(dial, &peer_text);
    begin(text, "getting an echo from", peer, transfer->outcome);
    explain_failure(text, transfer, timeout_usec);
}

void explain_outcome(struct text *text, const struct dial *dial, const struct transfer *transfer,
                     uint64_t timeout_usec)
{
    text_add(text, outcome_word(transfer ? transfer->outcome : dial->outcome));
    text_add(text, ": ");
    if (transfer)
        explain_failure(text, transfer, timeout_usec);
    else
        explain_attempt(text, dial, timeout_usec);
}

void explain_message(struct text *text, enum message_fault fault, const char *bytes, size_t offset)
{
    text_add(text, "not sent: the byte at offset ");
    text_addf(text, "%" PRIu64, (uint64_t)offset);
    switch (fault) {
    case MESSAGE_HAS_NULL:
        text_add(text, " is 0x00, which would end the message there");
        break;
    case MESSAGE_INVALID:
        text_add(text, " is ");
        add_hex(text, (unsigned char)bytes[offset]);
        text_add(text, ", which can't stand there in UTF-8");
        break;
    case MESSAGE_CUT:
        text_add(text, " is missing: the message ends within a character of UTF-8");
        break;
    case MESSAGE_TOO_LONG:
        text_add(text, " is over the limit of ");
        add_count(text, offset, "byte");
        text_add(text, "; --max-bytes sets another");
        break;
    case MESSAGE_GOOD:
        break;
    }
}
