/* SPDX-License-Identifier: MIT */
/*
 * What the server adds to the event loop of sd-event(3): timers, queues of timeouts, and a set of
 * polled descriptors. Times are in microseconds on the monotonic clock, which stops while the
 * machine is suspended. Functions that return int return 0 or a negative errno value.
 */
#ifndef TINCAN_TINCAND_LOOP_H
#define TINCAN_TINCAND_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

/* --- timers: they may be a millisecond late, so that one wakeup serves several --- */

/* Adds a timer that is off and sets `*timer`, which the caller releases with
 * sd_event_source_unref(3). */
int loop_timer_add(sd_event *event, sd_event_source **timer, sd_event_time_handler_t handler,
                   void *userdata);

/* Makes the timer expire once at `usec`; at once if that has passed. */
void loop_timer_set(sd_event_source *timer, uint64_t usec);

/* Returns whether the timer is set and has not expired. */
bool loop_timer_is_set(sd_event_source *timer);

/* Returns the time at which this iteration of the event loop began. */
uint64_t loop_now(sd_event *event);

/* --- timeouts: a FIFO with one timeout, so arrival order is deadline order --- */

/* Embedded in whatever has a timeout; all zero before its first use. */
struct loop_timeout {
    struct loop_timeouts *queue; /* NULL: in none */
    uint64_t deadline;
    TAILQ_ENTRY(loop_timeout) link;
};

struct loop_timeouts {
    TAILQ_HEAD(loop_timeout_list, loop_timeout) entries;
    uint64_t usec;                         /* the timeout of each entry */
    void (*expire)(struct loop_timeout *); /* called after the deadline; must remove the entry */
    sd_event_source *timer;                /* if set: not later than the first deadline */
};

/* Makes `timeouts` an empty queue. */
int loop_timeouts_open(struct loop_timeouts *timeouts, sd_event *event, uint64_t usec,
                       void (*expire)(struct loop_timeout *));

/* Moves `entry` to this queue, with the deadline `timeouts->usec` after `since`. Does nothing if it
 * is there already. */
void loop_timeout_start(struct loop_timeouts *timeouts, struct loop_timeout *entry, uint64_t since);

/* Removes `entry` from the queue it is in, if any. */
void loop_timeout_cancel(struct loop_timeout *entry);

/* Expires all entries now. */
void loop_timeouts_expire_all(struct loop_timeouts *timeouts);

/* Releases what loop_timeouts_open() took; the queue must be empty. */
void loop_timeouts_close(struct loop_timeouts *timeouts);

/* --- poller: an epoll(7) instance that the event loop sees as one descriptor --- */

/*
 * sd-event handles one event and then fetches all ready ones again: with 10,000 descriptors ready
 * at the same time that is 5 ms for each.
 */
struct loop_poller {
    int fd;
    sd_event_source *source; /* NULL: not open */
    void (*ready)(void *data, uint32_t events);
};

/* Makes `poller` an empty set. */
int loop_poller_open(struct loop_poller *poller, sd_event *event,
                     void (*ready)(void *data, uint32_t events));

/*
 * Adds `fd`, or changes what is polled: ready(data, events) is called whenever there are `events`,
 * an error or a hang-up. That call may close this descriptor, which removes it, but no other.
 */
int loop_poller_add(struct loop_poller *poller, int fd, uint32_t events, void *data);
int loop_poller_change(struct loop_poller *poller, int fd, uint32_t events, void *data);

/* Waits at most `usec` for events and handles them, without the event loop. */
void loop_poller_run(struct loop_poller *poller, uint64_t usec);

/* Releases what loop_poller_open() took; does nothing if that was not called or failed. */
void loop_poller_close(struct loop_poller *poller);

#endif
