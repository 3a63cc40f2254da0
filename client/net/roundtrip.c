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

/* RFC 8305, 5: how long an address may take to answer before the next one is tried, too. */
#define ATTEMPT_DELAY (250 * CLOCK_MSEC)

/* How long a server may take to close the connection after its reply. */
#define CLOSE_TIME CLOCK_SECOND

static int64_t earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static const struct sockaddr *peer_name(const struct roundtrip *roundtrip)
{
    return (const struct sockaddr *)&roundtrip->target->peers[roundtrip->peer].name;
}

/* Closes what is open, but for other attempts. */
static void close_fd(struct roundtrip *roundtrip)
{
    bool connected = roundtrip->connected != 0;

    if (roundtrip->fd < 0)
        return;
    tcp_read(&roundtrip->tcp, roundtrip->fd, connected, roundtrip->transfer.sent);
    close(roundtrip->fd);
    roundtrip->fd = -1;
}

static void end(struct roundtrip *roundtrip, enum outcome outcome, int error)
{
    close_fd(roundtrip);
    race_close(&roundtrip->race);
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
    roundtrip->error = error;
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
    race_win(&roundtrip->race, roundtrip->target, roundtrip->attempted);
    roundtrip->connected = now;
    roundtrip->target->working = roundtrip->peer;
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

/* --- several addresses --- */

/* Returns the present attempt as others are kept. */
static struct attempt present(const struct roundtrip *roundtrip)
{
    return (struct attempt){
        .fd = roundtrip->fd,
        .peer = roundtrip->peer,
        .watched = roundtrip->watched,
        .begun = roundtrip->attempted,
        .lost = roundtrip->lost > 0 ? roundtrip->lost : clock_now() - roundtrip->attempted,
        .error = roundtrip->error,
    };
}

static void make_present(struct roundtrip *roundtrip, struct attempt attempt)
{
    if (roundtrip->peer != attempt.peer)
        roundtrip->tcp = (struct tcp){.round_trip = -1, .unacknowledged = -1};
    roundtrip->fd = attempt.fd;
    roundtrip->peer = attempt.peer;
    roundtrip->watched = attempt.watched;
    roundtrip->attempted = attempt.begun;
    roundtrip->lost = attempt.lost;
    roundtrip->error = attempt.error;
}

/* Returns the index of the next address to try: the working one, if that is known and was not tried
 * yet. It is none of the target's if all were tried, or enough are being tried. */
static size_t next_peer(const struct roundtrip *roundtrip)
{
    const struct target *target = roundtrip->target;
    size_t next = roundtrip->next_peer;

    if (roundtrip->race.count == RACE_MOST)
        return SIZE_MAX;
    if (target->working != SIZE_MAX && target->working >= next)
        return target->working;
    while (next < target->count && !target->peers[next].current)
        next++;
    return next;
}

static void try_peer(struct roundtrip *roundtrip, size_t peer)
{
    int64_t now = clock_now();
    int64_t share = (roundtrip->deadline - now) / (int64_t)(roundtrip->target->count - peer);

    roundtrip->peer = peer;
    roundtrip->tried++;
    roundtrip->attempted = now;
    roundtrip->lost = 0;
    roundtrip->next_peer = peer + 1;
    roundtrip->next_at = now + earlier(ATTEMPT_DELAY, share);
    attempt(roundtrip);
}

/* Ends the round trip: no address could be connected to. */
static void fail(struct roundtrip *roundtrip)
{
    struct target *target = roundtrip->target;

    make_present(roundtrip, race_lose(&roundtrip->race, target, present(roundtrip)));
    target->failing = true;
    if (target->working == roundtrip->peer)
        target->working = SIZE_MAX;
    end(roundtrip, outcome_of_connecting(roundtrip->error, peer_name(roundtrip)->sa_family),
        roundtrip->error);
}

/* If the present attempt failed, goes on with others. */
static void try_others(struct roundtrip *roundtrip)
{
    struct race *race = &roundtrip->race;

    while (roundtrip_never_connected(roundtrip)) {
        size_t next = next_peer(roundtrip);

        if (next < roundtrip->target->count) {
            race_set_aside(race, roundtrip->target, present(roundtrip));
            try_peer(roundtrip, next);
        } else if (race->count > 0) {
            race_set_aside(race, roundtrip->target, present(roundtrip));
            make_present(roundtrip, race_swap(race, 0, present(roundtrip)));
            roundtrip->state = ROUNDTRIP_CONNECTING;
        } else {
            fail(roundtrip);
            return;
        }
    }
}

void roundtrip_begin(struct roundtrip *roundtrip, const char *message, size_t length)
{
    struct transfer *transfer = &roundtrip->transfer;
    const struct target *target = roundtrip->target;
    bool found = target->working != SIZE_MAX;

    roundtrip->message = message;
    roundtrip->length = length;
    roundtrip->fd = -1;
    roundtrip->peer = roundtrip->next_peer = roundtrip->tried = 0;
    roundtrip->race = (struct race){.count = 0};
    roundtrip->tcp = (struct tcp){.round_trip = -1, .unacknowledged = -1};
    roundtrip->connected = 0;
    transfer->first_at = transfer->replied_at = transfer->closed_at = 0;
    roundtrip->deadline = roundtrip->begun + roundtrip->timeout;
    if (target->count == 0) {
        end(roundtrip, target->outcome, target->error);
        return;
    }
    try_peer(roundtrip, next_peer(roundtrip));
    if (found)
        roundtrip->next_peer = SIZE_MAX;
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

/* Makes an attempt that was answered the present one. Returns whether there is one. */
static bool find_answered(struct roundtrip *roundtrip)
{
    struct pollfd polled[RACE_MOST + 1] = {{.fd = roundtrip->fd, .events = POLLOUT}};
    nfds_t count = 1 + race_poll(&roundtrip->race, polled + 1);

    if (count == 1)
        return true;
    if (poll(polled, count, 0) <= 0)
        return false;
    for (size_t i = 1; i < count && polled[0].revents == 0; i++)
        if (polled[i].revents != 0) {
            make_present(roundtrip, race_swap(&roundtrip->race, i - 1, present(roundtrip)));
            return true;
        }
    return polled[0].revents != 0;
}

static void step_connecting(struct roundtrip *roundtrip)
{
    if (!find_answered(roundtrip))
        return;
    if (attempt_finish(roundtrip->fd, peer_name(roundtrip)) == 0) {
        tcp_read(&roundtrip->tcp, roundtrip->fd, false, 0);
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
        return next_peer(roundtrip) < roundtrip->target->count
                   ? earlier(roundtrip->next_at, roundtrip->deadline)
                   : roundtrip->deadline;
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
        race_add(&roundtrip->race, present(roundtrip));
        try_peer(roundtrip, next_peer(roundtrip));
    }
    try_others(roundtrip);
}

void roundtrip_run(struct roundtrip *roundtrip, enum roundtrip_state state)
{
    bool (*interrupted)(void) = roundtrip->target->interrupted;

    while (roundtrip->state < state) {
        struct pollfd polled[RACE_MOST + 1] = {
            {.fd = roundtrip->fd, .events = roundtrip_events(roundtrip)}};
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
