/* SPDX-License-Identifier: MIT */
#include "client/net/roundtrip.h"

#include "client/net/attempt.h"
#include "common/clock.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static const struct target_peer *peer_of(const struct flight *flight)
{
    return &flight->target->peers[flight->peer];
}

static void end(struct flight *flight, enum outcome outcome)
{
    if (flight->fd >= 0)
        close(flight->fd);
    flight->fd = -1;
    flight->outcome = outcome;
    flight->state = FLIGHT_OVER;
}

/* The connection did not come about. */
static void miss(struct flight *flight, int error)
{
    struct dial dial = {.address = flight->target->address};

    flight->error = error;
    dial_record_failure(&dial, peer_of(flight)->name, peer_of(flight)->size, error);
    end(flight, dial.outcome);
}

static void end_when_told(struct flight *flight)
{
    if (flight->talk.ended)
        end(flight, flight->talk.outcome);
}

static void begin_talk(struct flight *flight)
{
    flight->state = FLIGHT_TALKING;
    converse_begin(&flight->talk, flight->fd, flight->message, flight->length, flight->deadline);
    flight->connected = flight->talk.started;
    converse_step(&flight->talk, POLLOUT);
    end_when_told(flight);
}

static void connected(struct flight *flight)
{
    const struct address *address = flight->target->address;

    if (!address->hybrid) {
        begin_talk(flight);
        return;
    }
    flight->state = FLIGHT_SHAKING;
    handshake_init(&flight->handshake, address->hybrid_port);
}

/*
 * Sends right after connect(2), without asking whether that is done: on one machine it is, and a
 * turn of the loop is saved; elsewhere it costs a call that says EAGAIN.
 */
static void send_ahead(struct flight *flight)
{
    struct converse *talk = &flight->talk;

    converse_begin(talk, flight->fd, flight->message, flight->length, flight->deadline);
    converse_step(talk, POLLOUT);
    if (talk->sent > 0) {
        if (attempt_met_itself(flight->fd, peer_of(flight)->name)) {
            miss(flight, ECONNREFUSED);
            return;
        }
        flight->connected = talk->started;
        flight->state = FLIGHT_TALKING;
    } else if (talk->send_error == ECONNRESET || talk->send_error == EPIPE) {
        flight->connected = talk->started; /* and is no more: the reply will tell */
        flight->state = FLIGHT_TALKING;
    } else if (talk->send_error != 0) {
        miss(flight, talk->send_error);
    }
}

static bool is_inet(const struct sockaddr *name)
{
    return name->sa_family == AF_INET || name->sa_family == AF_INET6;
}

static void try_connecting(struct flight *flight)
{
    const struct target_peer *peer = peer_of(flight);

    switch (attempt_begin(peer->name, peer->size, flight->target->source, &flight->fd)) {
    case ATTEMPT_FAILED:
        flight->fd = -1;
        flight->state = FLIGHT_QUEUEING;
        if (errno != EAGAIN || peer->name->sa_family != AF_UNIX)
            miss(flight, errno);
        break;
    case ATTEMPT_UNDERWAY:
        flight->state = FLIGHT_CONNECTING;
        if (is_inet(peer->name))
            send_ahead(flight);
        break;
    case ATTEMPT_CONNECTED:
        connected(flight);
    }
}

void flight_begin(struct flight *flight, size_t peer)
{
    flight->peer = peer;
    flight->fd = -1;
    flight->watched = 0;
    flight->error = 0;
    flight->connected = 0;
    flight->outcome = OUTCOME_ECHOED;
    flight->talk.first_at = flight->talk.replied_at = flight->talk.closed_at = 0;
    try_connecting(flight);
}

short flight_wants(const struct flight *flight)
{
    switch (flight->state) {
    case FLIGHT_CONNECTING:
        return POLLOUT;
    case FLIGHT_SHAKING:
        return handshake_wants(&flight->handshake);
    case FLIGHT_TALKING:
        return (short)(converse_wants(&flight->talk) | POLLRDHUP);
    case FLIGHT_OVER:
    case FLIGHT_QUEUEING:
        break;
    }
    return 0;
}

static void settle(struct flight *flight)
{
    if (attempt_settle(flight->fd, peer_of(flight)->name) < 0)
        miss(flight, errno);
    else
        connected(flight);
}

static void shake(struct flight *flight)
{
    switch (handshake_step(&flight->handshake, flight->fd)) {
    case HANDSHAKE_MORE:
        break;
    case HANDSHAKE_DONE:
        begin_talk(flight);
        break;
    case HANDSHAKE_FAILED:
        flight->error = errno;
        end(flight, OUTCOME_HANDSHAKE);
    }
}

void flight_step(struct flight *flight, int events)
{
    switch (flight->state) {
    case FLIGHT_OVER:
        break;
    case FLIGHT_QUEUEING:
        try_connecting(flight);
        break;
    case FLIGHT_CONNECTING:
        settle(flight);
        break;
    case FLIGHT_SHAKING:
        shake(flight);
        break;
    case FLIGHT_TALKING:
        converse_step(&flight->talk, events);
        end_when_told(flight);
    }
}

int64_t flight_until(const struct flight *flight)
{
    if (flight->state == FLIGHT_TALKING)
        return converse_until(&flight->talk);
    return flight->state == FLIGHT_SHAKING ? flight->deadline : flight->until;
}

void flight_expire(struct flight *flight)
{
    switch (flight->state) {
    case FLIGHT_OVER:
        break;
    case FLIGHT_QUEUEING:
    case FLIGHT_CONNECTING:
        miss(flight, ETIMEDOUT);
        break;
    case FLIGHT_SHAKING:
        flight->error = ETIMEDOUT;
        end(flight, OUTCOME_HANDSHAKE);
        break;
    case FLIGHT_TALKING:
        converse_expire(&flight->talk);
        end_when_told(flight);
    }
}

void flight_abandon(struct flight *flight)
{
    end(flight, OUTCOME_ECHOED);
}

void flight_give_up(struct flight *flight, int error)
{
    flight->error = error;
    flight->connected = 0;
    end(flight, OUTCOME_LOCAL);
}

bool flight_missed(const struct flight *flight)
{
    return flight->state == FLIGHT_OVER && flight->connected == 0;
}

void flight_describe(const struct flight *flight, struct dial *dial)
{
    *dial = (struct dial){.address = flight->target->address, .fd = -1};
    dial_record_failure(dial, peer_of(flight)->name, peer_of(flight)->size, flight->error);
    dial->outcome = flight->outcome;
    dial->given = flight->until - flight->attempted;
}
