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

int engine_init(struct engine *engine, size_t size)
{
    *engine = (struct engine){.size = size, .settled = SIZE_MAX};
    engine->watcher = (struct watcher){-1, -1, -1};
    engine->flights = calloc(size, sizeof *engine->flights);
    engine->places = calloc(size, sizeof *engine->places);
    if (!engine->flights || !engine->places)
        return -1;
    while (engine->free < size) {
        /* The last of the stack is used first, and is to be the first in memory. */
        engine->places[engine->free] = size - 1 - engine->free;
        engine->flights[engine->free].state = FLIGHT_OVER;
        engine->free++;
    }
    return watcher_init(&engine->watcher);
}

void engine_free(struct engine *engine)
{
    for (size_t i = 0; engine->flights && i < engine->size; i++)
        converse_free(&engine->flights[i].talk);
    free(engine->flights);
    free(engine->places);
    watcher_free(&engine->watcher);
}

static void earlier(int64_t *moment, int64_t other)
{
    if (other < *moment)
        *moment = other;
}

static void begin_at(struct engine *engine, struct flight *flight, size_t peer)
{
    size_t left = engine->settled == SIZE_MAX ? flight->target->count - peer : 1;
    int64_t now = peer == 0 ? flight->begun : clock_now();

    flight->attempted = now;
    flight->until = now + (flight->deadline - now) / (int64_t)left;
    flight_begin(flight, peer);
}

/* Whether a flight that missed is to go to the next address, which has begun then. */
static bool go_on_to_next(struct engine *engine, struct flight *flight)
{
    size_t next = engine->settled == SIZE_MAX ? flight->peer + 1 : engine->settled;

    if (!flight_missed(flight) || next <= flight->peer || next == flight->target->count)
        return false;
    if (engine->told <= flight->peer) {
        engine->told = flight->peer + 1;
        engine->listener->address(engine->listener->context, flight);
    }
    begin_at(engine, flight, next);
    return true;
}

static void finish(struct engine *engine, struct flight *flight)
{
    if (flight->connected != 0)
        engine->settled = flight->peer;
    if (flight->outcome == OUTCOME_LOCAL && engine->plan->interval == 0)
        engine->pause_until = clock_now() + PAUSE_TIME;
    if (engine->listener->probe(engine->listener->context, flight) < 0)
        engine->stopped = true;
    engine->places[engine->free++] = (size_t)(flight - engine->flights);
}

/* Has the flight's descriptor watched for what it wants: mostly one call in all its life. */
static void watch(struct engine *engine, struct flight *flight)
{
    earlier(&engine->expiry, flight_until(flight));
    if (watcher_set(&engine->watcher, flight->fd, &flight->watched, flight_wants(flight), flight) ==
        0)
        return;
    flight_give_up(flight, errno);
    finish(engine, flight);
}

/* After anything was done with the flight, which `was_queueing` before. */
static void look_after(struct engine *engine, struct flight *flight, bool was_queueing)
{
    while (flight->state == FLIGHT_OVER)
        if (!go_on_to_next(engine, flight)) {
            engine->queueing -= was_queueing;
            finish(engine, flight);
            return;
        }
    engine->queueing += (flight->state == FLIGHT_QUEUEING);
    engine->queueing -= was_queueing;
    watch(engine, flight);
}

/* When the next probe is due, or CLOCK_NEVER when none is or none can begin. */
static int64_t next_due(const struct engine *engine)
{
    const struct engine_plan *plan = engine->plan;

    if (engine->free == 0 || (plan->count > 0 && engine->begun == plan->count))
        return CLOCK_NEVER;
    if (plan->interval == 0)
        return engine->pause_until;
    return engine->start + (int64_t)engine->begun * plan->interval;
}

static void begin_next(struct engine *engine, int64_t due)
{
    struct flight *flight = &engine->flights[engine->places[--engine->free]];
    const struct engine_plan *plan = engine->plan;
    int64_t now = clock_now();

    flight->sequence = ++engine->begun;
    flight->target = plan->target;
    flight->due = plan->interval == 0 ? now : due;
    flight->begun = now;
    flight->deadline = now + plan->timeout;
    flight->message = plan->message;
    flight->length = plan->length;
    begin_at(engine, flight, engine->settled == SIZE_MAX ? 0 : engine->settled);
    look_after(engine, flight, false);
}

static void begin_due(struct engine *engine)
{
    int64_t due;

    /* Where each fails at once there is no end to this: signals and time get their turn too. */
    for (size_t i = 0; i < engine->size && !engine->stopped; i++) {
        due = next_due(engine);
        if (due > clock_now() || due >= engine->plan->until)
            return;
        begin_next(engine, due);
    }
}

/* Calls `with` for every flight that is under way. */
static void each_flight(struct engine *engine, int64_t now,
                        void (*with)(struct engine *engine, struct flight *flight, int64_t now))
{
    for (size_t i = 0; i < engine->size; i++)
        if (engine->flights[i].state != FLIGHT_OVER)
            with(engine, &engine->flights[i], now);
}

static void expire(struct engine *engine, struct flight *flight, int64_t now)
{
    bool queueing = flight->state == FLIGHT_QUEUEING;

    if (flight_until(flight) > now) {
        earlier(&engine->expiry, flight_until(flight));
        return;
    }
    flight_expire(flight);
    look_after(engine, flight, queueing);
}

static void retry(struct engine *engine, struct flight *flight, int64_t now)
{
    (void)now;
    if (flight->state == FLIGHT_QUEUEING) {
        flight_step(flight, 0);
        look_after(engine, flight, true);
    }
}

static void cut_short(struct engine *engine, struct flight *flight, int64_t now)
{
    /* An echo that only the server's end is awaited of is one. */
    if (flight->talk.judged && flight->state == FLIGHT_TALKING) {
        flight_expire(flight);
        flight->talk.left_open = false; /* for all that is known */
        finish(engine, flight);
    } else if (now >= engine->plan->until && now - flight->begun >= FAIR_TIME) {
        flight->deadline = flight->until = now;
        flight_expire(flight);
        finish(engine, flight);
    } else {
        engine->unfinished++;
        flight_abandon(flight);
        engine->places[engine->free++] = (size_t)(flight - engine->flights);
    }
}

static void take_signals(struct engine *engine, enum engine_end *end)
{
    enum watcher_signal signal;

    while ((signal = watcher_signal(&engine->watcher)) != WATCHER_NO_SIGNAL) {
        if (signal == WATCHER_END)
            *end = ENGINE_INTERRUPTED;
        else if (engine->listener->interim(engine->listener->context) < 0)
            engine->stopped = true;
    }
}

/* The next moment at which there is something to do without an event. */
static int64_t wake_time(const struct engine *engine)
{
    int64_t moment = engine->plan->until;

    earlier(&moment, next_due(engine));
    earlier(&moment, engine->expiry);
    earlier(&moment, engine->next_tick);
    if (engine->queueing > 0)
        earlier(&moment, clock_now() + QUEUE_TIME);
    return moment;
}

static void handle_events(struct engine *engine, const struct epoll_event *events, int count,
                          enum engine_end *end)
{
    for (int i = 0; i < count; i++) {
        struct flight *flight = events[i].data.ptr;

        if (!flight) {
            take_signals(engine, end);
        } else {
            flight_step(flight, (int)events[i].events);
            look_after(engine, flight, false);
        }
    }
}

static void handle_time(struct engine *engine)
{
    int64_t now = clock_now();

    if (engine->queueing > 0)
        each_flight(engine, now, retry);
    if (now >= engine->expiry) {
        engine->expiry = CLOCK_NEVER;
        each_flight(engine, now, expire);
    }
    if (now >= engine->next_tick) {
        engine->next_tick = now + engine->plan->tick;
        if (engine->listener->tick(engine->listener->context, now) < 0)
            engine->stopped = true;
    }
}

static enum engine_end turn(struct engine *engine, bool *over)
{
    struct epoll_event events[EVENTS];
    enum engine_end end = ENGINE_DONE;
    int count;

    begin_due(engine);
    *over = true;
    if (engine->stopped)
        return ENGINE_STOPPED;
    if (engine->free == engine->size && engine->begun == engine->plan->count &&
        engine->plan->count > 0)
        return ENGINE_DONE;
    count = watcher_wait(&engine->watcher, events, EVENTS, wake_time(engine),
                         engine->plan->interval > 0);
    if (count < 0 && errno != EINTR)
        return ENGINE_FAILED;
    handle_events(engine, events, count, &end);
    handle_time(engine);
    if (end == ENGINE_DONE && clock_now() >= engine->plan->until)
        end = ENGINE_DEADLINE;
    *over = end != ENGINE_DONE;
    return end;
}

enum engine_end engine_run(struct engine *engine, const struct engine_plan *plan,
                           const struct engine_listener *listener)
{
    enum engine_end end;
    bool over = false;

    engine->plan = plan;
    engine->listener = listener;
    engine->begun = engine->unfinished = engine->queueing = 0;
    engine->start = clock_now();
    engine->expiry = CLOCK_NEVER;
    engine->next_tick = plan->tick > 0 ? engine->start + plan->tick : CLOCK_NEVER;
    engine->pause_until = 0;
    engine->stopped = false;
    do {
        end = turn(engine, &over);
    } while (!over);
    each_flight(engine, clock_now(), cut_short);
    return end;
}
