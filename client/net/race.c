/* SPDX-License-Identifier: MIT */
#include "client/net/race.h"

#include "common/clock.h"

#include <errno.h>
#include <unistd.h>

/* RFC 8305, 5: how long an address may take to answer before the next one is tried, too. */
#define ATTEMPT_DELAY (250 * CLOCK_MSEC)

/* The same for an address that worked before: its second SYN, which Linux sends after a second, had
 * as long, too. So one lost packet does not make another address the working one. */
#define KNOWN_DELAY (CLOCK_SECOND + ATTEMPT_DELAY)

/* Returns whether it is the first of its address. */
static bool count(struct target *target, const struct attempt *attempt, int error)
{
    struct target_peer *peer = &target->peers[attempt->peer];

    peer->lost_nsec += attempt->lost;
    peer->last_failure = outcome_of_connecting(error, peer->name.ss_family);
    return peer->failures++ == 0;
}

/* Returns the attempt with the time after which another one went on. */
static struct attempt left_behind(const struct attempt *present)
{
    struct attempt attempt = *present;

    if (attempt.lost == 0)
        attempt.lost = clock_now() - attempt.begun;
    return attempt;
}

/* Counts one that is not reported as the end of the round trip. `others` can still succeed, or one
 * has. */
static void count_failure(struct race *race, struct target *target, struct attempt attempt,
                          int error, bool others)
{
    attempt = left_behind(&attempt);
    attempt.error = error;
    race->lost++;
    if (count(target, &attempt, error) && target->failed)
        target->failed(target, &attempt, others);
}

static void count_answered_failure(struct race *race, struct target *target)
{
    if (race->failed.begun != 0)
        count_failure(race, target, race->failed, race->failed.error, true);
    race->failed.begun = 0;
}

/* Returns whether the attempt had as long to be answered as any has by itself. */
static bool had_its_time(const struct attempt *attempt)
{
    return attempt->lost > 0 || clock_now() - attempt->begun >= ATTEMPT_DELAY;
}

static size_t place_in_ring(const struct race *race, size_t peer)
{
    return (peer + race->total - race->first) % race->total;
}

void race_begin(struct race *race, const struct target *target)
{
    *race = (struct race){.total = target->count};
    race->known = target->working < target->count;
    if (race->known)
        race->first = target->working;
}

size_t race_next(const struct race *race, const struct target *target)
{
    if (race->count == RACE_MOST)
        return SIZE_MAX;
    if (target->working < race->total && place_in_ring(race, target->working) >= race->next)
        return target->working;
    for (size_t place = race->next; place < race->total; place++) {
        size_t peer = (race->first + place) % race->total;

        if (target->peers[peer].current)
            return peer;
    }
    return SIZE_MAX;
}

void race_enter(struct race *race, size_t peer, int64_t deadline, struct attempt *present)
{
    size_t place = place_in_ring(race, peer);
    int64_t now = clock_now(), share = (deadline - now) / (int64_t)(race->total - place);
    int64_t delay = race->known && place == 0 ? KNOWN_DELAY : ATTEMPT_DELAY;

    *present = (struct attempt){.fd = -1, .peer = peer, .begun = now};
    race->tried++;
    race->next = place + 1;
    race->next_at = now + (share < delay ? share : delay);
}

void race_add(struct race *race, const struct attempt *present)
{
    race->running[race->count++] = left_behind(present);
}

struct attempt race_take(struct race *race)
{
    struct attempt first = race->running[0];

    race->running[0] = race->running[--race->count];
    return first;
}

bool race_answered(struct race *race, struct attempt *present)
{
    struct pollfd polled[RACE_MOST + 1] = {{.fd = present->fd, .events = POLLOUT}};
    nfds_t count = 1 + race_poll(race, polled + 1);

    if (count == 1)
        return true;
    if (poll(polled, count, 0) <= 0)
        return false;
    for (size_t i = 0; i < race->count && polled[0].revents == 0; i++)
        if (polled[i + 1].revents != 0) {
            struct attempt answered = race->running[i];

            race->running[i] = *present;
            *present = answered;
            return true;
        }
    return polled[0].revents != 0;
}

void race_set_aside(struct race *race, struct target *target, const struct attempt *present)
{
    count_answered_failure(race, target);
    race->failed = left_behind(present);
}

void race_win(struct race *race, struct target *target, const struct attempt *present)
{
    count_answered_failure(race, target);
    for (size_t i = 0; i < race->count; i++)
        if (had_its_time(&race->running[i]) && race->running[i].begun < present->begun)
            count_failure(race, target, race->running[i], ETIMEDOUT, true);
    race_close(race);
}

struct attempt race_lose(struct race *race, struct target *target, const struct attempt *present)
{
    struct attempt answered = race->failed, last = left_behind(present), reported = last;

    for (size_t i = 0; i < race->count; i++)
        count_failure(race, target, race->running[i], ETIMEDOUT, false);
    race_close(race);
    if (answered.begun != 0 && last.error == ETIMEDOUT) {
        count_failure(race, target, last, ETIMEDOUT, false);
        reported = answered;
    } else if (answered.begun != 0) {
        count_failure(race, target, answered, answered.error, false);
    }
    if (target->count > 1)
        (void)count(target, &reported, reported.error);
    return reported;
}

void race_close(struct race *race)
{
    while (race->count > 0)
        close(race->running[--race->count].fd);
}

nfds_t race_poll(const struct race *race, struct pollfd *polled)
{
    for (size_t i = 0; i < race->count; i++)
        polled[i] = (struct pollfd){.fd = race->running[i].fd, .events = POLLOUT};
    return (nfds_t)race->count;
}
