/* SPDX-License-Identifier: MIT */
#include "client/net/explain.h"

#include "client/net/cause.h"
#include "client/net/protocol.h"
#include "common/clock.h"
#include "common/frame.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

const char explain_left_open[] =
    "the server leaves the connection open after its reply: each takes a second more";

/* What may be behind a connection that ends at once. Launchers at their limit do just that. */
#define LIKELY "it may be at its limit of connections, or it refused the message"

/* Adds "WITHIN 1.5 s", with as many decimals as it needs. */
static void add_time(struct text *text, const char *within, int64_t nsec)
{
    text_addf(text, "%s within %.12g s", within, (double)nsec / (double)CLOCK_SECOND);
}

const char *explain_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static bool is_of_link(const struct sockaddr_storage *name)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)name;

    return six->sin6_family == AF_INET6 &&
           (IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&six->sin6_addr));
}

/* An address in digits was not taken with `%interface` behind it. */
static void explain_interface(struct text *text, const char *host, const char *interface)
{
    struct sockaddr_storage name;
    size_t length = (size_t)(interface - host);

    (void)sockaddr_parse(&name, host, length, 0);
    if (is_of_link(&name))
        text_addf(text, "this machine has no interface '%s'; `ip link` shows those it has",
                  interface + 1);
    else
        text_addf(text, "%.*s is not an address of a link, and takes no interface; leave out '%s'",
                  (int)length, host, interface);
}

static void explain_unresolved(struct text *text, const struct roundtrip *roundtrip)
{
    const struct target *target = roundtrip->target;
    const char *host = target->address->host, *interface = strchr(host, '%');

    if (interface && address_family(target->address) == AF_INET6) {
        explain_interface(text, host, interface);
        return;
    }
    if (target->resolver_error != EAI_SYSTEM)
        text_add(text, gai_strerror(target->resolver_error));
    else if (target->error == ETIMEDOUT)
        add_time(text, "no answer from the resolver", roundtrip->timeout);
    else
        text_add(text, strerror(target->error));
    text_add(text, "; check the name and the resolver, or give the address in digits");
}

/* Hypervisors close the connection when nothing in the guest listens on the port. */
static void explain_handshake(struct text *text, const struct roundtrip *roundtrip)
{
    switch (roundtrip->error) {
    case ECONNRESET:
        text_add(text, "it closed the connection instead of saying OK to CONNECT; nobody may be "
                       "listening on that port in the guest");
        break;
    case EPROTO:
        text_add(text, "it did not say OK to CONNECT; is it a hybrid vsock socket?");
        break;
    case ETIMEDOUT:
        add_time(text, "it did not say OK to CONNECT", roundtrip->timeout);
        break;
    default:
        text_add(text, strerror(roundtrip->error));
    }
}

/* Returns how long after `begun` (of clock_now) the round trip was over, to the millisecond. It may
 * have been before its deadline: the kernel gives up at some time, too. */
static int64_t time_given(const struct roundtrip *roundtrip, int64_t begun)
{
    bool in_time = roundtrip->ended < roundtrip->deadline;
    int64_t given = (in_time ? roundtrip->ended : roundtrip->deadline) - begun;

    given = (given + CLOCK_MSEC / 2) / CLOCK_MSEC * CLOCK_MSEC;
    return given > CLOCK_MSEC ? given : CLOCK_MSEC;
}

/* An attempt to connect was not answered in its time. */
static void explain_filtered(struct text *text, const struct roundtrip *roundtrip)
{
    add_time(text, "no answer", time_given(roundtrip, roundtrip->attempt.begun));
    if (roundtrip->target->peers[roundtrip->attempt.peer].name.ss_family == AF_UNIX)
        text_add(text, "; its queue of connections is full: the server is overloaded, or hangs");
    else
        text_add(text, "; a firewall may be dropping it, or the host is down or overloaded");
}

static void explain_no_address(struct text *text, const struct roundtrip *roundtrip)
{
    const struct target *target = roundtrip->target;
    const struct target_peer *peer = &target->peers[roundtrip->attempt.peer];

    if (target->bind_address && !bind_address_is_here(target->bind_address))
        text_add(text, ": this machine does not have the address of -I");
    else if (!attempt_has_source((const struct sockaddr *)&peer->name, peer->size))
        text_addf(text, ": this machine has no %s address from which to reach it",
                  peer->name.ss_family == AF_INET6 ? "IPv6" : "IPv4");
    else
        text_add(text, ": all local ports to that address are in use, also by connections in "
                       "TIME_WAIT; widen net.ipv4.ip_local_port_range, or probe with a longer -i "
                       "or a lower --parallel");
}

static bool lacks_interface(const struct sockaddr_storage *name)
{
    return is_of_link(name) && ((const struct sockaddr_in6 *)name)->sin6_scope_id == 0;
}

/* The kernel took one of the addresses, or both together, for invalid. */
static void explain_invalid(struct text *text, const struct target *target,
                            const struct target_peer *peer)
{
    const struct bind_address *source = target->bind_address;

    if (source && lacks_interface(&source->address))
        text_add(text, ": the address of -I is of a link and needs its interface, as in "
                       "fe80::1%eth0");
    else if (lacks_interface(&peer->name))
        text_add(text, ": an address of a link needs its interface, as in fe80::1%eth0");
    else if (source && bind_address_given(source) && is_of_link(&peer->name))
        text_add(text, ": -I is of another interface than this address of a link");
}

/* This machine failed to connect. */
static void explain_local(struct text *text, const struct roundtrip *roundtrip)
{
    const struct target *target = roundtrip->target;

    text_add(text, strerror(roundtrip->error));
    if (target->count == 0 && roundtrip->error != ENOMEM)
        text_add(text, ": no descriptor is left to ask the resolver with; raise the limit");
    if (roundtrip->error == EADDRNOTAVAIL)
        explain_no_address(text, roundtrip);
    if (roundtrip->error == EINVAL)
        explain_invalid(text, target, &target->peers[roundtrip->attempt.peer]);
    text_add(text, "; the server was not asked");
}

static void explain_connecting(struct text *text, const struct roundtrip *roundtrip)
{
    switch (roundtrip->outcome) {
    case OUTCOME_UNRESOLVED:
        explain_unresolved(text, roundtrip);
        break;
    case OUTCOME_REFUSED:
        text_add(text, roundtrip->error == ENOENT ? "there is no such socket"
                                                  : "nobody is listening there");
        text_add(text, "; start the server, or check the address");
        break;
    case OUTCOME_UNREACHABLE:
        text_add(text, strerror(roundtrip->error));
        text_add(text, "; check the route and the firewalls on the way");
        break;
    case OUTCOME_HANDSHAKE:
        explain_handshake(text, roundtrip);
        break;
    case OUTCOME_FILTERED:
        explain_filtered(text, roundtrip);
        break;
    default:
        explain_local(text, roundtrip);
    }
    address_propose_brackets(roundtrip->target->address, text);
}

/* If the reply is another server's answer, and the message does not look like one, adds that. */
static bool add_other_server(struct text *text, const struct transfer *transfer)
{
    const char *server = protocol_server(transfer->reply, transfer->reply_length);
    size_t line = 0;

    if (!server || protocol_server(transfer->message, transfer->length))
        return false;
    while (line < transfer->reply_length && line < 60 && !strchr("\r\n", transfer->reply[line]))
        line++;
    text_add(text, "it is no echo server: it answered \"");
    text_add_bytes(text, transfer->reply, line);
    text_addf(text, "\", as %s does", server);
    return true;
}

static void add_progress(struct text *text, const struct transfer *transfer)
{
    size_t all = transfer->length + 1;

    if (add_other_server(text, transfer))
        return;
    if (transfer->reply_length > all) {
        text_addf(text, "%zu bytes had come, more than the message has", transfer->reply_length);
        return;
    }
    if (transfer->sent < all)
        text_addf(text, "%zu of %zu byte%s had been sent and ", transfer->sent, all,
                  explain_plural(all));
    text_addf(text, "%zu of %zu byte%s had come back", transfer->reply_length, all,
              explain_plural(all));
}

/* Adds whether the message, or what was sent of it, was delivered. */
static void add_delivery(struct text *text, const struct tcp *tcp)
{
    if (tcp->unacknowledged == 0)
        text_add(text, "; all bytes sent were delivered (acknowledged)");
    else if (tcp->unacknowledged > 0)
        text_addf(text,
                  "; the last %" PRId64 " bytes sent may not have been delivered "
                  "(not acknowledged)",
                  tcp->unacknowledged);
}

/* A reply whose change has a `cause` is an echo. */
static void explain_altered(struct text *text, const struct transfer *transfer, const char *cause)
{
    const struct verify *compared = &transfer->compared;

    if (!cause && add_other_server(text, transfer))
        return;
    switch (compared->kind) {
    case VERIFY_DIFFERS:
        text_addf(text, "the byte at offset %zu was sent as 0x%02x and came back as 0x%02x",
                  compared->offset, compared->sent, compared->received);
        break;
    case VERIFY_SHORTER:
        text_addf(text, "the reply is shorter: it ends at offset %zu of a message of %zu byte%s",
                  compared->offset, transfer->length, explain_plural(transfer->length));
        break;
    case VERIFY_LONGER:
        text_addf(text, "the reply is longer: it goes on at offset %zu, where the message ends",
                  compared->offset);
        break;
    case VERIFY_INTACT:
        break;
    }
}

static void explain_transfer(struct text *text, const struct roundtrip *roundtrip,
                             const char *cause)
{
    const struct transfer *transfer = &roundtrip->transfer;

    switch (roundtrip->outcome) {
    case OUTCOME_CLOSED:
        text_add(text, "the server accepted the connection and closed it without a reply: " LIKELY);
        break;
    case OUTCOME_TIMEOUT:
        add_time(text, "no whole reply",
                 time_given(roundtrip, roundtrip->deadline - roundtrip->timeout));
        text_add(text, ": ");
        add_progress(text, transfer);
        add_delivery(text, &roundtrip->tcp);
        break;
    case OUTCOME_RESET:
        text_add(text, "the server, or a firewall on the way to it, reset the connection ");
        if (transfer->reply_length == 0) {
            text_add(text, "without a reply: " LIKELY);
            break;
        }
        text_add(text, "before the null byte: ");
        add_progress(text, transfer);
        break;
    case OUTCOME_TRUNCATED:
        text_add(text, "the connection ended before the null byte: ");
        add_progress(text, transfer);
        break;
    case OUTCOME_ALTERED:
        explain_altered(text, transfer, cause);
        break;
    case OUTCOME_EXTRA:
        text_addf(text, "at least %zu byte%s came after the null byte of the reply",
                  transfer->extra, explain_plural(transfer->extra));
        break;
    default:
        text_add(text, strerror(roundtrip->error));
    }
}

bool explain_failed_addresses(struct text *text, const struct target *target)
{
    const char *before = "";

    for (size_t i = 0; i < target->count; i++) {
        const struct target_peer *peer = &target->peers[i];

        if (peer->failures == 0)
            continue;
        text_addf(text, "%sfailed address %s: %s in %" PRIu64 " probe%s, which lost %.3f s", before,
                  peer->text, outcome_word(peer->last_failure), peer->failures,
                  explain_plural(peer->failures), (double)peer->lost_nsec / (double)CLOCK_SECOND);
        before = "; ";
    }
    return *before != '\0';
}

bool explain_counts(struct text *text, const char *before, const uint64_t counts[TCP_COUNTS])
{
    static const struct {
        const char *what, *how;
    } words[] = {{"SYN", "sent again"}, {"segment", "sent again"}, {"segment", "out of order"}};
    bool any = false;

    for (size_t i = 0; i < TCP_COUNTS; i++) {
        if (counts[i] == 0)
            continue;
        text_addf(text, "%s%" PRIu64 " %s%s %s", before, counts[i], words[i].what,
                  explain_plural(counts[i]), words[i].how);
        before = ", ";
        any = true;
    }
    return any;
}

static const char *suspected_cause(const struct roundtrip *roundtrip)
{
    const struct transfer *transfer = &roundtrip->transfer;
    size_t tag = transfer->compared.tag_length, came = transfer->reply_length;

    if (roundtrip->outcome == OUTCOME_TRUNCATED) {
        struct verify compared = verify(transfer->message, transfer->length, transfer->reply, came);

        return compared.tag_length + compared.offset == came ? cause_of_cut(came) : NULL;
    }
    if (roundtrip->outcome != OUTCOME_ALTERED)
        return NULL;
    return cause_of_change(transfer->message, transfer->length, transfer->reply + tag, came - tag,
                           !transfer->complete);
}

const char *explain_outcome(struct text *text, const struct roundtrip *roundtrip)
{
    const char *cause = suspected_cause(roundtrip);

    text_addf(text, "%s: ", outcome_word(roundtrip->outcome));
    if (roundtrip_never_connected(roundtrip))
        explain_connecting(text, roundtrip);
    else
        explain_transfer(text, roundtrip, cause);
    if (cause)
        text_addf(text, "; it looks as if %s", cause);
    if ((roundtrip->outcome == OUTCOME_CLOSED || roundtrip->outcome == OUTCOME_RESET) &&
        roundtrip->length > FRAME_DEFAULT_MAX_BYTES)
        text_add(text, "; the message is over 1 MiB, the default limit of a server");
    return cause;
}

void explain_attempt(struct text *text, const struct roundtrip *roundtrip)
{
    const struct target *target = roundtrip->target;
    bool found = target->count > 0 || target->address->socket_size > 0;

    if (roundtrip->state == ROUNDTRIP_OVER && (roundtrip->outcome == OUTCOME_UNRESOLVED ||
                                               (roundtrip->outcome == OUTCOME_LOCAL && !found)))
        text_addf(text, "finding the address of %s", target->address->host);
    else
        text_addf(text, "%s %s",
                  roundtrip->connected == 0 ? "connecting to" : "getting an echo from",
                  target->count > 0 ? target->peers[roundtrip->attempt.peer].text
                                    : target->address->text);
}

void explain_roundtrip(struct text *text, const struct roundtrip *roundtrip)
{
    explain_attempt(text, roundtrip);
    text_add(text, ": ");
    (void)explain_outcome(text, roundtrip);
    (void)explain_counts(text, "; ", roundtrip->tcp.counts);
    if (roundtrip_never_connected(roundtrip) && roundtrip->race.tried > 1)
        text_addf(text, " (the last of %zu addresses tried)", roundtrip->race.tried);
}
