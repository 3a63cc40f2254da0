/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/event.h"

#include "tests/fuzz/input.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#define SOURCES_MAX 16

struct sd_event_source {
    enum { FREE, IO, TIMER, SIGNAL } kind;
    int enabled;
    int number; /* the descriptor, or the signal */
    uint64_t time;
    bool pending; /* the signal has arrived */
    void *userdata;
    sd_event_io_handler_t on_io;
    sd_event_time_handler_t on_time;
    sd_event_signal_handler_t on_signal;
};

struct sd_event {
    struct sd_event_source sources[SOURCES_MAX];
    uint64_t now; /* when this iteration began */
    int exit_code;
    bool exiting, finished;
};

static sd_event loop;

void event_reset(void)
{
    memset(&loop, 0, sizeof loop);
    loop.now = world_now();
}

static bool is_ready(const sd_event_source *source)
{
    if (source->enabled == SD_EVENT_OFF)
        return false;
    switch (source->kind) {
    case IO:
        return world_is_ready(source->number);
    case TIMER:
        return source->time <= world_now();
    case SIGNAL:
        return source->pending;
    case FREE:
        break;
    }
    return false;
}

static int dispatch(sd_event_source *source)
{
    struct signalfd_siginfo info = {.ssi_signo = (uint32_t)source->number};

    loop.now = world_now();
    if (source->enabled == SD_EVENT_ONESHOT)
        source->enabled = SD_EVENT_OFF;
    switch (source->kind) {
    case IO:
        return source->on_io(source, source->number, 1, source->userdata);
    case TIMER:
        return source->on_time(source, source->time, source->userdata);
    case SIGNAL:
        source->pending = false;
        return source->on_signal(source, &info, source->userdata);
    case FREE:
        break;
    }
    return 0;
}

/* Returns one of the sources that are ready, or NULL. */
static sd_event_source *find_ready(void)
{
    sd_event_source *ready[SOURCES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < SOURCES_MAX; i++)
        if (is_ready(&loop.sources[i]))
            ready[count++] = &loop.sources[i];
    return count > 0 ? ready[count > 1 ? world_choose(count) : 0] : NULL;
}

int sd_event_run(sd_event *event, uint64_t timeout)
{
    sd_event_source *source;
    int error = world_loop_error();

    if (error != 0)
        return -error;
    if (event->exiting) {
        event->finished = true;
        return 0;
    }
    world_step(false);
    while (!(source = find_ready()) && timeout > 0)
        world_step(true);
    if (source)
        require(dispatch(source) >= 0, "no handler of an event fails");
    return source != NULL;
}

uint64_t event_next_timer(void)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < SOURCES_MAX; i++)
        if (loop.sources[i].kind == TIMER && loop.sources[i].enabled && loop.sources[i].time < next)
            next = loop.sources[i].time;
    return next;
}

void event_raise(int signal_number)
{
    for (size_t i = 0; i < SOURCES_MAX; i++)
        if (loop.sources[i].kind == SIGNAL && loop.sources[i].number == signal_number)
            loop.sources[i].pending = true;
}

/* --- sources --- */

static sd_event_source *add(sd_event_source **result, sd_event_source source)
{
    for (size_t i = 0; i < SOURCES_MAX; i++) {
        if (loop.sources[i].kind != FREE)
            continue;
        loop.sources[i] = source;
        if (result)
            *result = &loop.sources[i];
        return &loop.sources[i];
    }
    require(false, "there are few sources of events");
    return NULL;
}

int sd_event_new(sd_event **event)
{
    *event = &loop;
    return 0;
}

int sd_event_add_io(sd_event *event, sd_event_source **source, int fd, uint32_t events,
                    sd_event_io_handler_t handler, void *userdata)
{
    (void)event, (void)events;
    add(source, (sd_event_source){.kind = IO,
                                  .number = fd,
                                  .on_io = handler,
                                  .userdata = userdata,
                                  .enabled = SD_EVENT_ON});
    return 0;
}

int sd_event_add_time(sd_event *event, sd_event_source **source, clockid_t clock, uint64_t usec,
                      uint64_t accuracy, sd_event_time_handler_t handler, void *userdata)
{
    (void)event, (void)clock, (void)accuracy;
    add(source, (sd_event_source){.kind = TIMER,
                                  .time = usec,
                                  .on_time = handler,
                                  .userdata = userdata,
                                  .enabled = SD_EVENT_ONESHOT});
    return 0;
}

int sd_event_add_signal(sd_event *event, sd_event_source **source, int number,
                        sd_event_signal_handler_t handler, void *userdata)
{
    (void)event;
    add(source, (sd_event_source){.kind = SIGNAL,
                                  .number = number,
                                  .on_signal = handler,
                                  .userdata = userdata,
                                  .enabled = SD_EVENT_ON});
    return 0;
}

int sd_event_now(sd_event *event, clockid_t clock, uint64_t *usec)
{
    (void)clock;
    *usec = event->now;
    return 0;
}

int sd_event_exit(sd_event *event, int code)
{
    event->exiting = true;
    event->exit_code = code;
    return 0;
}

int sd_event_get_state(sd_event *event)
{
    return event->finished ? SD_EVENT_FINISHED : SD_EVENT_INITIAL;
}

int sd_event_get_exit_code(sd_event *event, int *code)
{
    *code = event->exit_code;
    return 0;
}

sd_event *sd_event_unref(sd_event *event)
{
    (void)event;
    return NULL;
}

sd_event *sd_event_source_get_event(sd_event_source *source)
{
    (void)source;
    return &loop;
}

int sd_event_source_get_enabled(sd_event_source *source, int *enabled)
{
    (void)enabled;
    return source->enabled != SD_EVENT_OFF;
}

int sd_event_source_set_enabled(sd_event_source *source, int enabled)
{
    source->enabled = enabled;
    return 0;
}

int sd_event_source_get_time(sd_event_source *source, uint64_t *usec)
{
    *usec = source->time;
    return 0;
}

int sd_event_source_set_time(sd_event_source *source, uint64_t usec)
{
    source->time = usec;
    return 0;
}

sd_event_source *sd_event_source_unref(sd_event_source *source)
{
    if (source)
        *source = (sd_event_source){.kind = FREE};
    return NULL;
}

sd_event_source *sd_event_source_disable_unref(sd_event_source *source)
{
    return sd_event_source_unref(source);
}

int sd_watchdog_enabled(int unset, uint64_t *usec)
{
    (void)unset, (void)usec;
    return 0;
}
