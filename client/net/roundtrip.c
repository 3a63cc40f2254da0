/* SPDX-License-Identifier: MIT */
#include "client/net/roundtrip.h"

#include "client/net/attempt.h"
#include "common/clock.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static const struct target_peer *peer_of(const struct roundtrip *roundtrip)
{
    return &roundtrip->target->peers[roundtrip->peer];
}

static void end(struct roundtrip *roundtrip, enum outcome outcome)
{
    if (roundtrip->fd >= 0)
        close(roundtrip->fd);
    roundtrip->fd = -1;
    roundtrip->outcome = outcome;
    roundtrip->state = ROUNDTRIP_OVER;
}

/* The connection did not come about. */
static void miss(struct roundtrip *roundtrip, int error)
{
    struct dial dial = {.address = roundtrip->target->address};

    roundtrip->error = error;
    dial_record_failure(&dial, peer_of(roundtrip)->name, peer_of(roundtrip)->size, error);
    end(roundtrip, dial.outcome);
}

static void end_when_told(struct roundtrip *roundtrip)
{
    if (roundtrip->transfer.ended)
        end(roundtrip, roundtrip->transfer.outcome);
}

static void begin_transfer(struct roundtrip *roundtrip)
{
    roundtrip->state = ROUNDTRIP_TRANSFERRING;
    transfer_begin(&roundtrip->transfer, roundtrip->fd, roundtrip->message, roundtrip->length,
                   roundtrip->deadline);
    roundtrip->connected = roundtrip->transfer.started;
    transfer_step(&roundtrip->transfer, POLLOUT);
    end_when_told(roundtrip);
}

static void connected(struct roundtrip *roundtrip)
{
    const struct address *address = roundtrip->target->address;

    if (!address->hybrid) {
        begin_transfer(roundtrip);
        return;
    }
    roundtrip->state = ROUNDTRIP_HANDSHAKE;
    handshake_init(&roundtrip->handshake, address->hybrid_port);
}

/*
 * Sends right after connect(2), without asking whether that is done: on one machine it is, and a
 * turn of the loop is saved; elsewhere it costs a call that says EAGAIN.
 */
static void send_ahead(struct roundtrip *roundtrip)
{
    struct transfer *transfer = &roundtrip->transfer;

    transfer_begin(transfer, roundtrip->fd, roundtrip->message, roundtrip->length,
                   roundtrip->deadline);
    transfer_step(transfer, POLLOUT);
    if (transfer->sent > 0) {
        if (attempt_met_itself(roundtrip->fd, peer_of(roundtrip)->name)) {
            miss(roundtrip, ECONNREFUSED);
            return;
        }
        roundtrip->connected = transfer->started;
        roundtrip->state = ROUNDTRIP_TRANSFERRING;
    } else if (transfer->send_error == ECONNRESET || transfer->send_error == EPIPE) {
        roundtrip->connected = transfer->started; /* and is no more: the reply will tell */
        roundtrip->state = ROUNDTRIP_TRANSFERRING;
    } else if (transfer->send_error != 0) {
        miss(roundtrip, transfer->send_error);
    }
}

static bool is_inet(const struct sockaddr *name)
{
    return name->sa_family == AF_INET || name->sa_family == AF_INET6;
}

static void try_connecting(struct roundtrip *roundtrip)
{
    const struct target_peer *peer = peer_of(roundtrip);

    switch (attempt_begin(peer->name, peer->size, roundtrip->target->source, &roundtrip->fd)) {
    case ATTEMPT_FAILED:
        roundtrip->fd = -1;
        roundtrip->state = ROUNDTRIP_QUEUEING;
        if (errno != EAGAIN || peer->name->sa_family != AF_UNIX)
            miss(roundtrip, errno);
        break;
    case ATTEMPT_UNDERWAY:
        roundtrip->state = ROUNDTRIP_CONNECTING;
        if (is_inet(peer->name))
            send_ahead(roundtrip);
        break;
    case ATTEMPT_CONNECTED:
        connected(roundtrip);
    }
}

void roundtrip_begin(struct roundtrip *roundtrip, size_t peer)
{
    roundtrip->peer = peer;
    roundtrip->fd = -1;
    roundtrip->watched = 0;
    roundtrip->error = 0;
    roundtrip->connected = 0;
    roundtrip->outcome = OUTCOME_ECHOED;
    roundtrip->transfer.first_at = roundtrip->transfer.replied_at = roundtrip->transfer.closed_at =
        0;
    try_connecting(roundtrip);
}

short roundtrip_wants(const struct roundtrip *roundtrip)
{
    switch (roundtrip->state) {
    case ROUNDTRIP_CONNECTING:
        return POLLOUT;
    case ROUNDTRIP_HANDSHAKE:
        return handshake_wants(&roundtrip->handshake);
    case ROUNDTRIP_TRANSFERRING:
        return (short)(transfer_wants(&roundtrip->transfer) | POLLRDHUP);
    case ROUNDTRIP_OVER:
    case ROUNDTRIP_QUEUEING:
        break;
    }
    return 0;
}

static void settle(struct roundtrip *roundtrip)
{
    if (attempt_settle(roundtrip->fd, peer_of(roundtrip)->name) < 0)
        miss(roundtrip, errno);
    else
        connected(roundtrip);
}

static void shake(struct roundtrip *roundtrip)
{
    switch (handshake_step(&roundtrip->handshake, roundtrip->fd)) {
    case HANDSHAKE_MORE:
        break;
    case HANDSHAKE_DONE:
        begin_transfer(roundtrip);
        break;
    case HANDSHAKE_FAILED:
        roundtrip->error = errno;
        end(roundtrip, OUTCOME_HANDSHAKE);
    }
}

void roundtrip_step(struct roundtrip *roundtrip, int events)
{
    switch (roundtrip->state) {
    case ROUNDTRIP_OVER:
        break;
    case ROUNDTRIP_QUEUEING:
        try_connecting(roundtrip);
        break;
    case ROUNDTRIP_CONNECTING:
        settle(roundtrip);
        break;
    case ROUNDTRIP_HANDSHAKE:
        shake(roundtrip);
        break;
    case ROUNDTRIP_TRANSFERRING:
        transfer_step(&roundtrip->transfer, events);
        end_when_told(roundtrip);
    }
}

int64_t roundtrip_until(const struct roundtrip *roundtrip)
{
    if (roundtrip->state == ROUNDTRIP_TRANSFERRING)
        return transfer_until(&roundtrip->transfer);
    return roundtrip->state == ROUNDTRIP_HANDSHAKE ? roundtrip->deadline : roundtrip->until;
}

void roundtrip_expire(struct roundtrip *roundtrip)
{
    switch (roundtrip->state) {
    case ROUNDTRIP_OVER:
        break;
    case ROUNDTRIP_QUEUEING:
    case ROUNDTRIP_CONNECTING:
        miss(roundtrip, ETIMEDOUT);
        break;
    case ROUNDTRIP_HANDSHAKE:
        roundtrip->error = ETIMEDOUT;
        end(roundtrip, OUTCOME_HANDSHAKE);
        break;
    case ROUNDTRIP_TRANSFERRING:
        transfer_expire(&roundtrip->transfer);
        end_when_told(roundtrip);
    }
}

void roundtrip_abandon(struct roundtrip *roundtrip)
{
    end(roundtrip, OUTCOME_ECHOED);
}

void roundtrip_give_up(struct roundtrip *roundtrip, int error)
{
    roundtrip->error = error;
    roundtrip->connected = 0;
    end(roundtrip, OUTCOME_LOCAL);
}

bool roundtrip_missed(const struct roundtrip *roundtrip)
{
    return roundtrip->state == ROUNDTRIP_OVER && roundtrip->connected == 0;
}

void roundtrip_describe(const struct roundtrip *roundtrip, struct dial *dial)
{
    *dial = (struct dial){.address = roundtrip->target->address, .fd = -1};
    dial_record_failure(dial, peer_of(roundtrip)->name, peer_of(roundtrip)->size, roundtrip->error);
    dial->outcome = roundtrip->outcome;
    dial->given = roundtrip->until - roundtrip->attempted;
}
