/* SPDX-License-Identifier: MIT */
#include "tincand/timer.h"

#include <time.h>

#define SLACK_USEC 1000

int timer_add(sd_event *event, sd_event_source **timer, sd_event_time_handler_t handler,
              void *userdata)
{
    int error = sd_event_add_time(event, timer, CLOCK_MONOTONIC, 0, SLACK_USEC, handler, userdata);

    return error < 0 ? error : sd_event_source_set_enabled(*timer, SD_EVENT_OFF);
}

void timer_set(sd_event_source *timer, uint64_t usec)
{
    (void)sd_event_source_set_time(timer, usec);
    (void)sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

bool timer_is_on(sd_event_source *timer)
{
    return sd_event_source_get_enabled(timer, NULL) > 0;
}

uint64_t timer_now(sd_event *event)
{
    uint64_t usec = 0;

    (void)sd_event_now(event, CLOCK_MONOTONIC, &usec);
    return usec;
}
