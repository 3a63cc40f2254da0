/* SPDX-License-Identifier: MIT */
#include "client/net/roundtrip.h"

#include "client/net/attempt.h"
#include "common/clock.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* How often a full backlog is tried again: at whole milliseconds, all round trips together. */
#define RETRY_TIME CLOCK_MSEC

static const struct tcp unknown_tcp = {.round_trip = -1, .unacknowledged = -1};

static int64_t earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static const struct sockaddr *peer_name(const struct roundtrip *roundtrip)
{
    return (const struct sockaddr *)&roundtrip->target->peers[roundtrip->attempt.peer].name;
}

/* Closes what is open, but for other attempts. */
static void close_fd(struct roundtrip *roundtrip)
{
    bool connected = roundtrip->connected != 0;
    int fd = roundtrip->attempt.fd;

    if (fd < 0)
        return;
    tcp_read(&roundtrip->tcp, fd, connected, roundtrip->transfer.sent);
    close(fd);
    roundtrip->attempt.fd = -1;
}

static void end(struct roundtrip *roundtrip, enum outcome outcome, int error)
{
    close_fd(roundtrip);
    race_close(&roundtrip->race);
    roundtrip->ended = clock_now();
    roundtrip->outcome = outcome;
    roundtrip->error = error;
    roundtrip->state = ROUNDTRIP_OVER;
}

bool roundtrip_never_connected(const struct roundtrip *roundtrip)
{
    return roundtrip->state == ROUNDTRIP_OVER && roundtrip->connected == 0;
}

/* The present attempt failed. The round trip may go on with others. */
static void fail_to_connect(struct roundtrip *roundtrip, int error)
{
    close_fd(roundtrip);
    roundtrip->attempt.error = error;
    roundtrip->state = ROUNDTRIP_OVER;
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
    transfer_begin(&roundtrip->transfer, roundtrip->attempt.fd, roundtrip->message,
                   roundtrip->length);
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
    race_win(&roundtrip->race, roundtrip->target, &roundtrip->attempt);
    roundtrip->connected = now;
    roundtrip->target->working = roundtrip->attempt.peer;
    roundtrip->target->failing = false;
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
    if (transfer->sent > 0 && attempt_is_to_itself(roundtrip->attempt.fd)) {
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

    switch (attempt_begin(name, target->peers[roundtrip->attempt.peer].size, target->bind_address,
                          &roundtrip->attempt.fd)) {
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

/* --- several addresses --- */

static void make_present(struct roundtrip *roundtrip, struct attempt attempt)
{
    if (roundtrip->attempt.peer != attempt.peer)
        roundtrip->tcp = unknown_tcp;
    roundtrip->attempt = attempt;
}

static void try_peer(struct roundtrip *roundtrip, size_t peer)
{
    race_enter(&roundtrip->race, peer, roundtrip->deadline, &roundtrip->attempt);
    roundtrip->tcp = unknown_tcp;
    attempt(roundtrip);
}

/* Ends the round trip: no address could be connected to. */
static void fail(struct roundtrip *roundtrip)
{
    struct target *target = roundtrip->target;
    struct attempt lost = race_lose(&roundtrip->race, target, &roundtrip->attempt);

    make_present(roundtrip, lost);
    target->failing = true;
    if (target->working == roundtrip->race.first || target->working == lost.peer)
        target->working = SIZE_MAX;
    end(roundtrip, outcome_of_connecting(lost.error, peer_name(roundtrip)->sa_family), lost.error);
}

/* If the present attempt failed, goes on with others. */
static void try_others(struct roundtrip *roundtrip)
{
    struct race *race = &roundtrip->race;

    while (roundtrip_never_connected(roundtrip)) {
        size_t next = race_next(race, roundtrip->target);

        if (next == SIZE_MAX && race->count == 0) {
            fail(roundtrip);
            return;
        }
        race_set_aside(race, roundtrip->target, &roundtrip->attempt);
        if (next != SIZE_MAX) {
            try_peer(roundtrip, next);
        } else {
            make_present(roundtrip, race_take(race));
            roundtrip->state = ROUNDTRIP_CONNECTING;
        }
    }
}

void roundtrip_begin(struct roundtrip *roundtrip, const char *message, size_t length)
{
    struct transfer *transfer = &roundtrip->transfer;
    const struct target *target = roundtrip->target;

    roundtrip->message = message;
    roundtrip->length = length;
    roundtrip->attempt = (struct attempt){.fd = -1};
    race_begin(&roundtrip->race, target);
    roundtrip->tcp = unknown_tcp;
    roundtrip->connected = 0;
    transfer->first_at = transfer->replied_at = transfer->closed_at = 0;
    roundtrip->deadline = roundtrip->begun + roundtrip->timeout;
    if (target->count == 0) {
        end(roundtrip, target->outcome, target->error);
        return;
    }
    try_peer(roundtrip, race_next(&roundtrip->race, target));
    try_others(roundtrip);
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
    switch (handshake_step(&roundtrip->handshake, roundtrip->attempt.fd)) {
    case HANDSHAKE_MORE:
        break;
    case HANDSHAKE_DONE:
        begin_transfer(roundtrip);
        break;
    case HANDSHAKE_FAILED:
        end(roundtrip, OUTCOME_HANDSHAKE, errno);
    }
}

static void step_connecting(struct roundtrip *roundtrip)
{
    struct attempt answered = roundtrip->attempt;

    if (!race_answered(&roundtrip->race, &answered))
        return;
    make_present(roundtrip, answered);
    if (attempt_finish(answered.fd) == 0) {
        tcp_read(&roundtrip->tcp, answered.fd, false, 0);
        connected(roundtrip);
    } else {
        fail_to_connect(roundtrip, errno);
    }
    try_others(roundtrip);
}

void roundtrip_step(struct roundtrip *roundtrip, int events)
{
    switch (roundtrip->state) {
    case ROUNDTRIP_CONNECTING:
        step_connecting(roundtrip);
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

int64_t roundtrip_timer(const struct roundtrip *roundtrip)
{
    switch (roundtrip->state) {
    case ROUNDTRIP_QUEUED:
        return earlier(roundtrip->retry_at, roundtrip->deadline);
    case ROUNDTRIP_CONNECTING:
        return race_next(&roundtrip->race, roundtrip->target) != SIZE_MAX
                   ? earlier(roundtrip->race.next_at, roundtrip->deadline)
                   : roundtrip->deadline;
    case ROUNDTRIP_CLOSING:
        return earlier(roundtrip->transfer.replied_at + TRANSFER_CLOSE_TIME, roundtrip->deadline);
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
        fail(roundtrip);
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
    bool connecting = roundtrip->state <= ROUNDTRIP_CONNECTING;

    if (!connecting || clock_now() >= roundtrip->deadline) {
        roundtrip_expire(roundtrip);
        return;
    }
    if (roundtrip->state == ROUNDTRIP_QUEUED) {
        attempt(roundtrip);
    } else {
        race_add(&roundtrip->race, &roundtrip->attempt);
        try_peer(roundtrip, race_next(&roundtrip->race, roundtrip->target));
    }
    try_others(roundtrip);
}

void roundtrip_run(struct roundtrip *roundtrip, enum roundtrip_state state)
{
    bool (*interrupted)(void) = roundtrip->target->interrupted;

    while (roundtrip->state < state) {
        struct pollfd polled[RACE_MOST + 1] = {
            {.fd = roundtrip->attempt.fd, .events = roundtrip_events(roundtrip)}};
        nfds_t count = 1 + race_poll(&roundtrip->race, polled + 1);
        int ready = poll(polled, count, clock_poll_timeout(roundtrip_timer(roundtrip)));

        if (ready > 0)
            roundtrip_step(roundtrip, polled[0].revents);
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
