/* SPDX-License-Identifier: MIT */
#include "client/net/roundtrip.h"

#include "client/net/attempt.h"
#include "common/clock.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* How often a full backlog is tried again. All round trips do so at whole milliseconds, together.
 */
#define RETRY_TIME CLOCK_MSEC

/* How long a server may take to close the connection after its reply. */
#define CLOSE_TIME CLOCK_SECOND

static const struct sockaddr *peer_name(const struct roundtrip *roundtrip)
{
    return (const struct sockaddr *)&roundtrip->target->peers[roundtrip->peer].name;
}

static void end(struct roundtrip *roundtrip, enum outcome outcome, int error)
{
    if (roundtrip->fd >= 0)
        close(roundtrip->fd);
    roundtrip->fd = -1;
    roundtrip->outcome = outcome;
    roundtrip->error = error;
    roundtrip->state = ROUNDTRIP_OVER;
}

bool roundtrip_never_connected(const struct roundtrip *roundtrip)
{
    return roundtrip->state == ROUNDTRIP_OVER && roundtrip->connected == 0;
}

static void fail_to_connect(struct roundtrip *roundtrip, int error)
{
    enum outcome outcome = outcome_of_errno(error, peer_name(roundtrip)->sa_family);

    /* A vsock port on which nothing listens answers with a reset. */
    end(roundtrip, outcome == OUTCOME_RESET ? OUTCOME_REFUSED : outcome, error);
}

/* --- transferring --- */

_Static_assert(ROUNDTRIP_OVER - ROUNDTRIP_SENDING == TRANSFER_OVER, "both have the same states");

static void follow_transfer(struct roundtrip *roundtrip)
{
    const struct transfer *transfer = &roundtrip->transfer;

    roundtrip->state = ROUNDTRIP_SENDING + transfer->state;
    roundtrip->outcome = transfer->outcome;
    if (transfer->state == TRANSFER_OVER)
        end(roundtrip, transfer->outcome, transfer->error);
}

static void send_now(struct roundtrip *roundtrip)
{
    transfer_begin(&roundtrip->transfer, roundtrip->fd, roundtrip->message, roundtrip->length);
    transfer_step(&roundtrip->transfer, POLLOUT);
}

void roundtrip_send(struct roundtrip *roundtrip, const char *message, size_t length)
{
    roundtrip->message = message;
    roundtrip->length = length;
    roundtrip->deadline = clock_now() + roundtrip->timeout;
    send_now(roundtrip);
    follow_transfer(roundtrip);
}

/* --- connecting --- */

static void set_connected(struct roundtrip *roundtrip, int64_t now)
{
    roundtrip->connected = now;
    roundtrip->target->working = roundtrip->peer;
}

/* The connection leads to the server. */
static void begin_transfer(struct roundtrip *roundtrip)
{
    set_connected(roundtrip, clock_now());
    roundtrip->state = ROUNDTRIP_CONNECTED;
    if (!roundtrip->connect_first) {
        send_now(roundtrip);
        follow_transfer(roundtrip);
    }
}

/* The connection leads to the server or, if that is in a guest, to its hypervisor. */
static void connected(struct roundtrip *roundtrip)
{
    const struct address *address = roundtrip->target->address;

    if (!address->hybrid) {
        begin_transfer(roundtrip);
        return;
    }
    roundtrip->state = ROUNDTRIP_HANDSHAKE;
    handshake_begin(&roundtrip->handshake, address->hybrid_port);
}

/*
 * Sends right after connect(2), without asking whether the connection is there: on one machine it
 * is, which saves waiting for it; elsewhere this costs a call that fails with EAGAIN.
 */
static void send_ahead(struct roundtrip *roundtrip)
{
    const struct transfer *transfer = &roundtrip->transfer;

    send_now(roundtrip);
    if (transfer->sent > 0 && attempt_is_to_itself(roundtrip->fd, peer_name(roundtrip))) {
        fail_to_connect(roundtrip, ECONNREFUSED);
    } else if (transfer->sent > 0 || transfer->send_error == ECONNRESET ||
               transfer->send_error == EPIPE) {
        set_connected(roundtrip, transfer->started); /* though it may have ended since */
        follow_transfer(roundtrip);
    } else if (transfer->send_error != 0) {
        fail_to_connect(roundtrip, transfer->send_error);
    }
}

static void attempt(struct roundtrip *roundtrip)
{
    const struct target *target = roundtrip->target;
    const struct sockaddr *name = peer_name(roundtrip);

    roundtrip->watched = 0;
    switch (attempt_begin(name, target->peers[roundtrip->peer].size, target->bind_address,
                          &roundtrip->fd)) {
    case ATTEMPT_FAILED:
        fail_to_connect(roundtrip, errno);
        break;
    case ATTEMPT_BUSY:
        roundtrip->state = ROUNDTRIP_QUEUED;
        roundtrip->retry_at = (clock_now() / RETRY_TIME + 1) * RETRY_TIME;
        break;
    case ATTEMPT_UNDERWAY:
        roundtrip->state = ROUNDTRIP_CONNECTING;
        if (!roundtrip->connect_first &&
            (name->sa_family == AF_INET || name->sa_family == AF_INET6))
            send_ahead(roundtrip);
        break;
    case ATTEMPT_CONNECTED:
        connected(roundtrip);
    }
}

/* --- one address after the other --- */

static void try_peer(struct roundtrip *roundtrip, size_t peer)
{
    const struct target *target = roundtrip->target;
    int64_t left = target->working == SIZE_MAX ? (int64_t)(target->count - peer) : 1;
    int64_t now = clock_now();

    roundtrip->peer = peer;
    roundtrip->attempted = now;
    roundtrip->connect_deadline = now + (roundtrip->deadline - now) / left;
    attempt(roundtrip);
}

/* If the address has failed, tries those after it, or only the working one if that is known. */
static void try_next_peers(struct roundtrip *roundtrip)
{
    struct target *target = roundtrip->target;

    while (roundtrip_never_connected(roundtrip)) {
        size_t peer = roundtrip->peer;
        size_t next = target->working == SIZE_MAX ? peer + 1 : target->working;

        if (next <= peer || next >= target->count)
            return;
        if (target->failed && target->reported <= peer) {
            target->reported = peer + 1;
            target->failed(roundtrip);
        }
        try_peer(roundtrip, next);
    }
}

void roundtrip_begin(struct roundtrip *roundtrip, const char *message, size_t length)
{
    struct transfer *transfer = &roundtrip->transfer;
    const struct target *target = roundtrip->target;

    roundtrip->message = message;
    roundtrip->length = length;
    roundtrip->fd = -1;
    roundtrip->peer = 0;
    roundtrip->connected = 0;
    transfer->first_at = transfer->replied_at = transfer->closed_at = 0;
    roundtrip->deadline = roundtrip->begun + roundtrip->timeout;
    if (target->count == 0) {
        end(roundtrip, target->outcome, target->error);
        return;
    }
    try_peer(roundtrip, target->working == SIZE_MAX ? 0 : target->working);
    try_next_peers(roundtrip);
}

/* --- events and time --- */

short roundtrip_events(const struct roundtrip *roundtrip)
{
    switch (roundtrip->state) {
    case ROUNDTRIP_CONNECTING:
        return POLLOUT;
    case ROUNDTRIP_HANDSHAKE:
        return handshake_events(&roundtrip->handshake);
    case ROUNDTRIP_SENDING:
    case ROUNDTRIP_RECEIVING:
    case ROUNDTRIP_CLOSING:
        return (short)(transfer_events(&roundtrip->transfer) | POLLRDHUP);
    default:
        return 0;
    }
}

static void step_handshake(struct roundtrip *roundtrip)
{
    switch (handshake_step(&roundtrip->handshake, roundtrip->fd)) {
    case HANDSHAKE_MORE:
        break;
    case HANDSHAKE_DONE:
        begin_transfer(roundtrip);
        break;
    case HANDSHAKE_FAILED:
        end(roundtrip, OUTCOME_HANDSHAKE, errno);
    }
}

void roundtrip_step(struct roundtrip *roundtrip, int events)
{
    switch (roundtrip->state) {
    case ROUNDTRIP_CONNECTING:
        if (attempt_finish(roundtrip->fd, peer_name(roundtrip)) == 0) {
            connected(roundtrip);
        } else {
            fail_to_connect(roundtrip, errno);
            try_next_peers(roundtrip);
        }
        break;
    case ROUNDTRIP_HANDSHAKE:
        step_handshake(roundtrip);
        break;
    case ROUNDTRIP_SENDING:
    case ROUNDTRIP_RECEIVING:
    case ROUNDTRIP_CLOSING:
        transfer_step(&roundtrip->transfer, events);
        follow_transfer(roundtrip);
        break;
    default:
        break;
    }
}

static int64_t earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

int64_t roundtrip_timer(const struct roundtrip *roundtrip)
{
    switch (roundtrip->state) {
    case ROUNDTRIP_QUEUED:
        return earlier(roundtrip->retry_at, roundtrip->connect_deadline);
    case ROUNDTRIP_CONNECTING:
        return roundtrip->connect_deadline;
    case ROUNDTRIP_CLOSING:
        return earlier(roundtrip->transfer.replied_at + CLOSE_TIME, roundtrip->deadline);
    default:
        return roundtrip->deadline;
    }
}

void roundtrip_expire(struct roundtrip *roundtrip)
{
    switch (roundtrip->state) {
    case ROUNDTRIP_QUEUED:
    case ROUNDTRIP_CONNECTING:
        fail_to_connect(roundtrip, ETIMEDOUT);
        break;
    case ROUNDTRIP_HANDSHAKE:
        end(roundtrip, OUTCOME_HANDSHAKE, ETIMEDOUT);
        break;
    case ROUNDTRIP_SENDING:
    case ROUNDTRIP_RECEIVING:
    case ROUNDTRIP_CLOSING:
        transfer_expire(&roundtrip->transfer);
        follow_transfer(roundtrip);
        break;
    default:
        break;
    }
}

void roundtrip_timer_expired(struct roundtrip *roundtrip)
{
    if (roundtrip->state == ROUNDTRIP_QUEUED && clock_now() < roundtrip->connect_deadline)
        attempt(roundtrip);
    else
        roundtrip_expire(roundtrip);
    try_next_peers(roundtrip);
}

void roundtrip_run(struct roundtrip *roundtrip, enum roundtrip_state state)
{
    bool (*interrupted)(void) = roundtrip->target->interrupted;

    while (roundtrip->state < state) {
        struct pollfd wait = {.fd = roundtrip->fd, .events = roundtrip_events(roundtrip)};
        int ready = poll(&wait, 1, clock_poll_timeout(roundtrip_timer(roundtrip)));

        if (ready > 0)
            roundtrip_step(roundtrip, wait.revents);
        else if (ready < 0 && errno != EINTR)
            roundtrip_give_up(roundtrip, errno);
        else if (ready < 0 && interrupted && interrupted())
            return;
        /* Events don't put the moment off, however many come. */
        if (roundtrip->state < state && clock_now() >= roundtrip_timer(roundtrip))
            roundtrip_timer_expired(roundtrip);
    }
}

void roundtrip_abandon(struct roundtrip *roundtrip)
{
    end(roundtrip, OUTCOME_ECHOED, 0);
}

void roundtrip_give_up(struct roundtrip *roundtrip, int error)
{
    end(roundtrip, OUTCOME_LOCAL, error);
}
