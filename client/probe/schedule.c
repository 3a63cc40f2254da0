/* SPDX-License-Identifier: MIT */
#include "client/probe/schedule.h"

#include "common/clock.h"

#include <errno.h>
#include <stdlib.h>

#define EVENTS     64
#define TICK       (250 * CLOCK_MSEC)
#define PAUSE_TIME (10 * CLOCK_MSEC) /* after an error of this machine, which may pass */

/* A probe that the end of the run cuts short is lost if it is this old, whatever ended the run. */
#define FAIR_TIME CLOCK_SECOND
#define AGE_UNIT  (10 * CLOCK_MSEC) /* to which its age is rounded for reports */

int schedule_init(struct schedule *schedule, size_t size)
{
    schedule->size = size;
    schedule->roundtrips = calloc(size, sizeof *schedule->roundtrips);
    schedule->free_slots = calloc(size, sizeof *schedule->free_slots);
    if (!schedule->roundtrips || !schedule->free_slots)
        return -1;
    while (schedule->free < size) {
        /* The top of the stack is used first: make it the first in memory. */
        schedule->free_slots[schedule->free] = size - 1 - schedule->free;
        schedule->roundtrips[schedule->free].state = ROUNDTRIP_OVER;
        schedule->free++;
    }
    return 0;
}

void schedule_free(struct schedule *schedule)
{
    for (size_t i = 0; schedule->roundtrips && i < schedule->size; i++)
        transfer_free(&schedule->roundtrips[i].transfer);
    free(schedule->roundtrips);
    free(schedule->free_slots);
    watcher_free(&schedule->watcher);
}

static void lower(int64_t *moment, int64_t other)
{
    if (other < *moment)
        *moment = other;
}

static void free_slot(struct schedule *schedule, const struct roundtrip *roundtrip)
{
    schedule->free_slots[schedule->free++] = (size_t)(roundtrip - schedule->roundtrips);
}

static void finish(struct schedule *schedule, struct roundtrip *roundtrip)
{
    if (roundtrip->outcome == OUTCOME_LOCAL && schedule->plan->interval == 0)
        schedule->pause_until = clock_now() + PAUSE_TIME;
    if (schedule->plan->roundtrip(schedule->plan->context, roundtrip) < 0)
        schedule->stopped = true;
    free_slot(schedule, roundtrip);
}

/*
 * Finishes the round trip if it is over; else watches for its events and its timer. Its events
 * seldom change, so that this mostly takes one call of epoll_ctl(2) in the life of a connection.
 */
static void finish_or_watch(struct schedule *schedule, struct roundtrip *roundtrip)
{
    if (roundtrip->state != ROUNDTRIP_OVER) {
        lower(&schedule->next_timer, roundtrip_timer(roundtrip));
        if (watcher_set(&schedule->watcher, roundtrip->attempt.fd, &roundtrip->attempt.watched,
                        roundtrip_events(roundtrip), roundtrip) == 0)
            return;
        roundtrip_give_up(roundtrip, errno);
    }
    finish(schedule, roundtrip);
}

/* Returns when the next probe is to begin, or CLOCK_NEVER if none is left or no slot is free. */
static int64_t next_due(const struct schedule *schedule)
{
    const struct schedule_plan *plan = schedule->plan;

    uint64_t round = schedule->begun / plan->target_count;
    int64_t place = (int64_t)(schedule->begun % plan->target_count);

    if (schedule->free == 0 || (plan->count > 0 && round == plan->count))
        return CLOCK_NEVER;
    if (plan->interval == 0)
        return schedule->pause_until;
    return schedule->start + (int64_t)round * plan->interval +
           place * plan->interval / (int64_t)plan->target_count;
}

static void begin_next(struct schedule *schedule, int64_t due)
{
    size_t slot = schedule->free_slots[--schedule->free];
    struct roundtrip *roundtrip = &schedule->roundtrips[slot];
    const struct schedule_plan *plan = schedule->plan;
    int64_t now = clock_now();

    if (slot >= schedule->used)
        schedule->used = slot + 1;
    roundtrip->target = plan->targets[schedule->begun % plan->target_count];
    roundtrip->sequence = schedule->begun++ / plan->target_count + 1;
    roundtrip->overdue = false;
    roundtrip->due = plan->interval == 0 ? now : due;
    roundtrip->begun = now;
    roundtrip->timeout = plan->timeout;
    target_refresh(roundtrip->target);
    roundtrip_begin(roundtrip, plan->message, plan->length);
    finish_or_watch(schedule, roundtrip);
}

static void begin_due(struct schedule *schedule)
{
    /* If each fails at once this would never end: signals and time must get their turn too. */
    for (size_t i = 0; i < schedule->size && !schedule->stopped; i++) {
        int64_t due = next_due(schedule);

        if (due > clock_now() || due >= schedule->plan->until)
            return;
        begin_next(schedule, due);
    }
}

/* Calls `function` for each running probe. */
static void each_roundtrip(struct schedule *schedule, int64_t now,
                           void (*function)(struct schedule *schedule, struct roundtrip *roundtrip,
                                            int64_t now))
{
    for (size_t i = 0; i < schedule->used; i++)
        if (schedule->roundtrips[i].state != ROUNDTRIP_OVER)
            function(schedule, &schedule->roundtrips[i], now);
}

static void check_timer(struct schedule *schedule, struct roundtrip *roundtrip, int64_t now)
{
    if (roundtrip_timer(roundtrip) > now) {
        lower(&schedule->next_timer, roundtrip_timer(roundtrip));
        return;
    }
    roundtrip_timer_expired(roundtrip);
    finish_or_watch(schedule, roundtrip);
}

static void cut_short(struct schedule *schedule, struct roundtrip *roundtrip, int64_t now)
{
    int64_t age = now - roundtrip->begun;

    if (roundtrip->state == ROUNDTRIP_CLOSING) {
        roundtrip_expire(roundtrip);
        finish(schedule, roundtrip);
    } else if (age >= FAIR_TIME && !schedule->stopped) {
        roundtrip->timeout = (age + AGE_UNIT / 2) / AGE_UNIT * AGE_UNIT;
        roundtrip->deadline = now;
        roundtrip_expire(roundtrip);
        finish(schedule, roundtrip);
    } else {
        roundtrip_abandon(roundtrip);
        if (schedule->plan->cut_short)
            schedule->plan->cut_short(schedule->plan->context, roundtrip);
        free_slot(schedule, roundtrip);
    }
}

static void report_running(struct schedule *schedule, struct roundtrip *roundtrip, int64_t now)
{
    if (schedule->plan->running)
        schedule->plan->running(schedule->plan->context, roundtrip, now);
}

static void report_interim(struct schedule *schedule)
{
    each_roundtrip(schedule, clock_now(), report_running);
    if (schedule->plan->interim && schedule->plan->interim(schedule->plan->context) < 0)
        schedule->stopped = true;
}

static void take_signals(struct schedule *schedule, enum schedule_end *end)
{
    enum watcher_signal signal;

    while ((signal = watcher_signal(&schedule->watcher)) != WATCHER_NO_SIGNAL) {
        if (signal == WATCHER_END)
            *end = SCHEDULE_INTERRUPTED;
        else
            report_interim(schedule);
    }
}

/* Returns the next moment at which there is something to do without an event. */
static int64_t wake_time(const struct schedule *schedule)
{
    int64_t moment = schedule->plan->until;

    lower(&moment, next_due(schedule));
    lower(&moment, schedule->next_timer);
    lower(&moment, schedule->next_tick);
    return moment;
}

static void handle_events(struct schedule *schedule, const struct epoll_event *events, int count,
                          enum schedule_end *end)
{
    for (int i = 0; i < count; i++) {
        struct roundtrip *roundtrip = events[i].data.ptr;

        if (!roundtrip) {
            take_signals(schedule, end);
        } else if (roundtrip->state != ROUNDTRIP_OVER) { /* else one of several attempts ended it */
            roundtrip_step(roundtrip, (int)events[i].events);
            finish_or_watch(schedule, roundtrip);
        }
    }
}

static void tick(struct schedule *schedule, int64_t now)
{
    const struct schedule_plan *plan = schedule->plan;

    schedule->next_tick = now + TICK;
    each_roundtrip(schedule, now, report_running);
    if (plan->tick(plan->context, now, schedule->begun / plan->target_count) < 0)
        schedule->stopped = true;
}

static void handle_time(struct schedule *schedule)
{
    int64_t now = clock_now();

    if (now >= schedule->next_timer) {
        schedule->next_timer = CLOCK_NEVER;
        each_roundtrip(schedule, now, check_timer);
    }
    if (now >= schedule->next_tick)
        tick(schedule, now);
}

/* Begins what is due, waits once, and handles what came. */
static enum schedule_end run_once(struct schedule *schedule)
{
    struct epoll_event events[EVENTS];
    enum schedule_end end = SCHEDULE_RUNNING;
    int count;

    begin_due(schedule);
    if (schedule->stopped)
        return SCHEDULE_STOPPED;
    if (schedule->free == schedule->size && schedule->plan->count > 0 &&
        schedule->begun == schedule->plan->count * schedule->plan->target_count)
        return SCHEDULE_DONE;
    count = watcher_wait(&schedule->watcher, events, EVENTS, wake_time(schedule),
                         schedule->plan->interval > 0);
    if (count < 0 && errno != EINTR)
        return SCHEDULE_FAILED;
    handle_events(schedule, events, count, &end);
    handle_time(schedule);
    if (end == SCHEDULE_RUNNING && clock_now() >= schedule->plan->until)
        end = SCHEDULE_DEADLINE;
    return end;
}

enum schedule_end schedule_run(struct schedule *schedule, const struct schedule_plan *plan)
{
    enum schedule_end end;
    int error;

    schedule->plan = plan;
    schedule->begun = 0;
    schedule->start = clock_now();
    schedule->next_timer = CLOCK_NEVER;
    schedule->next_tick = plan->tick ? schedule->start + TICK : CLOCK_NEVER;
    schedule->pause_until = 0;
    schedule->stopped = false;
    do {
        end = run_once(schedule);
    } while (end == SCHEDULE_RUNNING);
    error = errno;
    each_roundtrip(schedule, clock_now(), cut_short);
    errno = error;
    return end;
}
