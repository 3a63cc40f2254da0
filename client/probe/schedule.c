/* SPDX-License-Identifier: MIT */
#include "client/probe/schedule.h"

#include "common/clock.h"

#include <errno.h>
#include <stdlib.h>

#define EVENTS     64
#define QUEUE_TIME (1 * CLOCK_MSEC)  /* between attempts at a full backlog */
#define PAUSE_TIME (10 * CLOCK_MSEC) /* after an error of this machine, which may pass */
/* A probe that the end of the run meets younger than this was not given the time to answer. */
#define FAIR_TIME CLOCK_SECOND

int schedule_init(struct schedule *schedule, size_t size)
{
    *schedule = (struct schedule){.size = size, .working = SIZE_MAX};
    schedule->watcher = (struct watcher){-1, -1, -1};
    schedule->roundtrips = calloc(size, sizeof *schedule->roundtrips);
    schedule->free_slots = calloc(size, sizeof *schedule->free_slots);
    if (!schedule->roundtrips || !schedule->free_slots)
        return -1;
    while (schedule->free < size) {
        /* The last of the stack is used first, and is to be the first in memory. */
        schedule->free_slots[schedule->free] = size - 1 - schedule->free;
        schedule->roundtrips[schedule->free].state = ROUNDTRIP_OVER;
        schedule->free++;
    }
    return watcher_init(&schedule->watcher);
}

void schedule_free(struct schedule *schedule)
{
    for (size_t i = 0; schedule->roundtrips && i < schedule->size; i++)
        transfer_free(&schedule->roundtrips[i].transfer);
    free(schedule->roundtrips);
    free(schedule->free_slots);
    watcher_free(&schedule->watcher);
}

static void earlier(int64_t *moment, int64_t other)
{
    if (other < *moment)
        *moment = other;
}

static void begin_at(struct schedule *schedule, struct roundtrip *roundtrip, size_t peer)
{
    size_t left = schedule->working == SIZE_MAX ? roundtrip->target->count - peer : 1;
    int64_t now = peer == 0 ? roundtrip->begun : clock_now();

    roundtrip->attempted = now;
    roundtrip->until = now + (roundtrip->deadline - now) / (int64_t)left;
    roundtrip_begin(roundtrip, peer);
}

/* Whether a roundtrip that missed is to go to the next address, which has begun then. */
static bool go_on_to_next(struct schedule *schedule, struct roundtrip *roundtrip)
{
    size_t next = schedule->working == SIZE_MAX ? roundtrip->peer + 1 : schedule->working;

    if (!roundtrip_missed(roundtrip) || next <= roundtrip->peer || next == roundtrip->target->count)
        return false;
    if (schedule->reported <= roundtrip->peer) {
        schedule->reported = roundtrip->peer + 1;
        schedule->listener->address(schedule->listener->context, roundtrip);
    }
    begin_at(schedule, roundtrip, next);
    return true;
}

static void finish(struct schedule *schedule, struct roundtrip *roundtrip)
{
    if (roundtrip->connected != 0)
        schedule->working = roundtrip->peer;
    if (roundtrip->outcome == OUTCOME_LOCAL && schedule->plan->interval == 0)
        schedule->pause_until = clock_now() + PAUSE_TIME;
    if (schedule->listener->probe(schedule->listener->context, roundtrip) < 0)
        schedule->stopped = true;
    schedule->free_slots[schedule->free++] = (size_t)(roundtrip - schedule->roundtrips);
}

/* Has the roundtrip's descriptor watched for what it wants: mostly one call in all its life. */
static void watch(struct schedule *schedule, struct roundtrip *roundtrip)
{
    earlier(&schedule->expiry, roundtrip_until(roundtrip));
    if (watcher_set(&schedule->watcher, roundtrip->fd, &roundtrip->watched,
                    roundtrip_wants(roundtrip), roundtrip) == 0)
        return;
    roundtrip_give_up(roundtrip, errno);
    finish(schedule, roundtrip);
}

/* After anything was done with the roundtrip, which `was_queueing` before. */
static void look_after(struct schedule *schedule, struct roundtrip *roundtrip, bool was_queueing)
{
    while (roundtrip->state == ROUNDTRIP_OVER)
        if (!go_on_to_next(schedule, roundtrip)) {
            schedule->queueing -= was_queueing;
            finish(schedule, roundtrip);
            return;
        }
    schedule->queueing += (roundtrip->state == ROUNDTRIP_QUEUEING);
    schedule->queueing -= was_queueing;
    watch(schedule, roundtrip);
}

/* When the next probe is due, or CLOCK_NEVER when none is or none can begin. */
static int64_t next_due(const struct schedule *schedule)
{
    const struct schedule_plan *plan = schedule->plan;

    if (schedule->free == 0 || (plan->count > 0 && schedule->begun == plan->count))
        return CLOCK_NEVER;
    if (plan->interval == 0)
        return schedule->pause_until;
    return schedule->start + (int64_t)schedule->begun * plan->interval;
}

static void begin_next(struct schedule *schedule, int64_t due)
{
    struct roundtrip *roundtrip = &schedule->roundtrips[schedule->free_slots[--schedule->free]];
    const struct schedule_plan *plan = schedule->plan;
    int64_t now = clock_now();

    roundtrip->sequence = ++schedule->begun;
    roundtrip->target = plan->target;
    roundtrip->due = plan->interval == 0 ? now : due;
    roundtrip->begun = now;
    roundtrip->deadline = now + plan->timeout;
    roundtrip->message = plan->message;
    roundtrip->length = plan->length;
    begin_at(schedule, roundtrip, schedule->working == SIZE_MAX ? 0 : schedule->working);
    look_after(schedule, roundtrip, false);
}

static void begin_due(struct schedule *schedule)
{
    int64_t due;

    /* Where each fails at once there is no end to this: signals and time get their turn too. */
    for (size_t i = 0; i < schedule->size && !schedule->stopped; i++) {
        due = next_due(schedule);
        if (due > clock_now() || due >= schedule->plan->until)
            return;
        begin_next(schedule, due);
    }
}

/* Calls `with` for every roundtrip that is under way. */
static void each_roundtrip(struct schedule *schedule, int64_t now,
                           void (*with)(struct schedule *schedule, struct roundtrip *roundtrip,
                                        int64_t now))
{
    for (size_t i = 0; i < schedule->size; i++)
        if (schedule->roundtrips[i].state != ROUNDTRIP_OVER)
            with(schedule, &schedule->roundtrips[i], now);
}

static void expire(struct schedule *schedule, struct roundtrip *roundtrip, int64_t now)
{
    bool queueing = roundtrip->state == ROUNDTRIP_QUEUEING;

    if (roundtrip_until(roundtrip) > now) {
        earlier(&schedule->expiry, roundtrip_until(roundtrip));
        return;
    }
    roundtrip_expire(roundtrip);
    look_after(schedule, roundtrip, queueing);
}

static void retry(struct schedule *schedule, struct roundtrip *roundtrip, int64_t now)
{
    (void)now;
    if (roundtrip->state == ROUNDTRIP_QUEUEING) {
        roundtrip_step(roundtrip, 0);
        look_after(schedule, roundtrip, true);
    }
}

static void cut_short(struct schedule *schedule, struct roundtrip *roundtrip, int64_t now)
{
    /* An echo that only the server's end is awaited of is one. */
    if (roundtrip->transfer.judged && roundtrip->state == ROUNDTRIP_TRANSFERRING) {
        roundtrip_expire(roundtrip);
        roundtrip->transfer.left_open = false; /* for all that is known */
        finish(schedule, roundtrip);
    } else if (now >= schedule->plan->until && now - roundtrip->begun >= FAIR_TIME) {
        roundtrip->deadline = roundtrip->until = now;
        roundtrip_expire(roundtrip);
        finish(schedule, roundtrip);
    } else {
        schedule->unfinished++;
        roundtrip_abandon(roundtrip);
        schedule->free_slots[schedule->free++] = (size_t)(roundtrip - schedule->roundtrips);
    }
}

static void take_signals(struct schedule *schedule, enum schedule_end *end)
{
    enum watcher_signal signal;

    while ((signal = watcher_signal(&schedule->watcher)) != WATCHER_NO_SIGNAL) {
        if (signal == WATCHER_END)
            *end = SCHEDULE_INTERRUPTED;
        else if (schedule->listener->interim(schedule->listener->context) < 0)
            schedule->stopped = true;
    }
}

/* The next moment at which there is something to do without an event. */
static int64_t wake_time(const struct schedule *schedule)
{
    int64_t moment = schedule->plan->until;

    earlier(&moment, next_due(schedule));
    earlier(&moment, schedule->expiry);
    earlier(&moment, schedule->next_tick);
    if (schedule->queueing > 0)
        earlier(&moment, clock_now() + QUEUE_TIME);
    return moment;
}

static void handle_events(struct schedule *schedule, const struct epoll_event *events, int count,
                          enum schedule_end *end)
{
    for (int i = 0; i < count; i++) {
        struct roundtrip *roundtrip = events[i].data.ptr;

        if (!roundtrip) {
            take_signals(schedule, end);
        } else {
            roundtrip_step(roundtrip, (int)events[i].events);
            look_after(schedule, roundtrip, false);
        }
    }
}

static void handle_time(struct schedule *schedule)
{
    int64_t now = clock_now();

    if (schedule->queueing > 0)
        each_roundtrip(schedule, now, retry);
    if (now >= schedule->expiry) {
        schedule->expiry = CLOCK_NEVER;
        each_roundtrip(schedule, now, expire);
    }
    if (now >= schedule->next_tick) {
        schedule->next_tick = now + schedule->plan->tick;
        if (schedule->listener->tick(schedule->listener->context, now) < 0)
            schedule->stopped = true;
    }
}

static enum schedule_end turn(struct schedule *schedule, bool *over)
{
    struct epoll_event events[EVENTS];
    enum schedule_end end = SCHEDULE_DONE;
    int count;

    begin_due(schedule);
    *over = true;
    if (schedule->stopped)
        return SCHEDULE_STOPPED;
    if (schedule->free == schedule->size && schedule->begun == schedule->plan->count &&
        schedule->plan->count > 0)
        return SCHEDULE_DONE;
    count = watcher_wait(&schedule->watcher, events, EVENTS, wake_time(schedule),
                         schedule->plan->interval > 0);
    if (count < 0 && errno != EINTR)
        return SCHEDULE_FAILED;
    handle_events(schedule, events, count, &end);
    handle_time(schedule);
    if (end == SCHEDULE_DONE && clock_now() >= schedule->plan->until)
        end = SCHEDULE_DEADLINE;
    *over = end != SCHEDULE_DONE;
    return end;
}

enum schedule_end schedule_run(struct schedule *schedule, const struct schedule_plan *plan,
                               const struct schedule_listener *listener)
{
    enum schedule_end end;
    bool over = false;

    schedule->plan = plan;
    schedule->listener = listener;
    schedule->begun = schedule->unfinished = schedule->queueing = 0;
    schedule->start = clock_now();
    schedule->expiry = CLOCK_NEVER;
    schedule->next_tick = plan->tick > 0 ? schedule->start + plan->tick : CLOCK_NEVER;
    schedule->pause_until = 0;
    schedule->stopped = false;
    do {
        end = turn(schedule, &over);
    } while (!over);
    each_roundtrip(schedule, clock_now(), cut_short);
    return end;
}
