/* SPDX-License-Identifier: MIT */
#include "tincand/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* How late a timer may be, in microseconds. */
#define TIMER_SLACK 1000

/* Polled descriptors served before timers, signals and new connections are looked at again. */
#define POLL_BATCH 64

/* --- timers --- */

int loop_timer_add(sd_event *event, sd_event_source **timer, sd_event_time_handler_t handler,
                   void *userdata)
{
    int error = sd_event_add_time(event, timer, CLOCK_MONOTONIC, 0, TIMER_SLACK, handler, userdata);

    return error < 0 ? error : sd_event_source_set_enabled(*timer, SD_EVENT_OFF);
}

void loop_timer_set(sd_event_source *timer, uint64_t usec)
{
    (void)sd_event_source_set_time(timer, usec);
    (void)sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

bool loop_timer_is_set(sd_event_source *timer)
{
    return sd_event_source_get_enabled(timer, NULL) > 0;
}

uint64_t loop_now(sd_event *event)
{
    uint64_t usec = 0;

    (void)sd_event_now(event, CLOCK_MONOTONIC, &usec);
    return usec;
}

/* --- timeouts --- */

static void expire_until(struct loop_timeouts *timeouts, uint64_t usec)
{
    struct loop_timeout *entry;

    while ((entry = TAILQ_FIRST(&timeouts->entries)) && entry->deadline <= usec)
        timeouts->expire(entry);
}

static int on_deadline(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct loop_timeouts *timeouts = userdata;

    (void)usec;
    expire_until(timeouts, loop_now(sd_event_source_get_event(timer)));
    if (!TAILQ_EMPTY(&timeouts->entries))
        loop_timer_set(timer, TAILQ_FIRST(&timeouts->entries)->deadline);
    return 0;
}

int loop_timeouts_open(struct loop_timeouts *timeouts, sd_event *event, uint64_t usec,
                       void (*expire)(struct loop_timeout *))
{
    *timeouts = (struct loop_timeouts){.usec = usec, .expire = expire};
    TAILQ_INIT(&timeouts->entries);
    return loop_timer_add(event, &timeouts->timer, on_deadline, timeouts);
}

void loop_timeout_start(struct loop_timeouts *timeouts, struct loop_timeout *entry, uint64_t since)
{
    if (entry->queue == timeouts)
        return;
    loop_timeout_cancel(entry);
    entry->queue = timeouts;
    entry->deadline = since + timeouts->usec;
    TAILQ_INSERT_TAIL(&timeouts->entries, entry, link);
    if (!loop_timer_is_set(timeouts->timer))
        loop_timer_set(timeouts->timer, entry->deadline);
}

void loop_timeout_cancel(struct loop_timeout *entry)
{
    if (entry->queue)
        TAILQ_REMOVE(&entry->queue->entries, entry, link);
    entry->queue = NULL;
}

void loop_timeouts_expire_all(struct loop_timeouts *timeouts)
{
    expire_until(timeouts, UINT64_MAX);
}

void loop_timeouts_close(struct loop_timeouts *timeouts)
{
    timeouts->timer = sd_event_source_unref(timeouts->timer);
}

/* --- poller --- */

void loop_poller_run(struct loop_poller *poller, uint64_t usec)
{
    struct epoll_event events[POLL_BATCH];
    int count = epoll_wait(poller->fd, events, POLL_BATCH, (int)(usec / 1000));

    for (int i = 0; i < count; i++)
        poller->ready(events[i].data.ptr, events[i].events);
}

static int on_poller_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    (void)source, (void)fd, (void)revents;
    loop_poller_run(userdata, 0);
    return 0;
}

int loop_poller_open(struct loop_poller *poller, sd_event *event,
                     void (*ready)(void *data, uint32_t events))
{
    int error;

    *poller = (struct loop_poller){.fd = epoll_create1(EPOLL_CLOEXEC), .ready = ready};
    if (poller->fd < 0)
        return -errno;
    error = sd_event_add_io(event, &poller->source, poller->fd, EPOLLIN, on_poller_ready, poller);
    if (error < 0)
        close(poller->fd);
    return error;
}

static int control(struct loop_poller *poller, int operation, int fd, uint32_t events, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};

    return epoll_ctl(poller->fd, operation, fd, &event) < 0 ? -errno : 0;
}

int loop_poller_add(struct loop_poller *poller, int fd, uint32_t events, void *data)
{
    return control(poller, EPOLL_CTL_ADD, fd, events, data);
}

int loop_poller_change(struct loop_poller *poller, int fd, uint32_t events, void *data)
{
    return control(poller, EPOLL_CTL_MOD, fd, events, data);
}

void loop_poller_close(struct loop_poller *poller)
{
    if (!poller->source)
        return;
    poller->source = sd_event_source_disable_unref(poller->source);
    close(poller->fd);
}
