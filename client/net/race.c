/* SPDX-License-Identifier: MIT */
#include "client/net/race.h"

#include <errno.h>
#include <unistd.h>

static void count_failure(struct race *race, struct target *target, struct attempt attempt,
                          int error)
{
    struct target_peer *peer = &target->peers[attempt.peer];

    attempt.error = error;
    race->lost++;
    peer->lost_nsec += attempt.lost;
    peer->last_failure = outcome_of_connecting(error, peer->name.ss_family);
    if (peer->failures++ == 0 && target->failed)
        target->failed(target, &attempt);
}

static void count_answered_failure(struct race *race, struct target *target)
{
    if (race->failed.begun != 0)
        count_failure(race, target, race->failed, race->failed.error);
    race->failed.begun = 0;
}

void race_add(struct race *race, struct attempt attempt)
{
    race->running[race->count++] = attempt;
}

struct attempt race_swap(struct race *race, size_t index, struct attempt attempt)
{
    struct attempt other = race->running[index];

    race->running[index] = attempt.fd >= 0 ? attempt : race->running[--race->count];
    return other;
}

void race_set_aside(struct race *race, struct target *target, struct attempt attempt)
{
    count_answered_failure(race, target);
    race->failed = attempt;
}

void race_win(struct race *race, struct target *target, int64_t begun)
{
    count_answered_failure(race, target);
    for (size_t i = 0; i < race->count; i++)
        if (race->running[i].begun < begun)
            count_failure(race, target, race->running[i], ETIMEDOUT);
    race_close(race);
}

struct attempt race_lose(struct race *race, struct target *target, struct attempt last)
{
    struct attempt answered = race->failed;

    for (size_t i = 0; i < race->count; i++)
        count_failure(race, target, race->running[i], ETIMEDOUT);
    race_close(race);
    if (answered.begun == 0)
        return last;
    if (last.error != ETIMEDOUT) {
        count_answered_failure(race, target);
        return last;
    }
    count_failure(race, target, last, ETIMEDOUT);
    return answered;
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
