/* SPDX-License-Identifier: MIT */
/* Timers of an event loop, on the monotonic clock: time in which the machine sleeps counts for
 * nobody. They may be a millisecond late, so that they go off together. */
#ifndef TINCAN_TINCAND_TIMER_H
#define TINCAN_TINCAND_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/*
 * Adds a timer that is off. Returns 0 and sets `*timer`, which the caller gives to
 * sd_event_source_unref(3); or returns a negative errno value.
 */
int timer_add(sd_event *event, sd_event_source **timer, sd_event_time_handler_t handler,
              void *userdata);

/* Has the timer go off once at `usec`; one that is past is now. */
void timer_set(sd_event_source *timer, uint64_t usec);

/* Whether it is to go off. */
bool timer_is_on(sd_event_source *timer);

/* The time at which this turn of the event loop began, in microseconds. */
uint64_t timer_now(sd_event *event);

#endif
