/* SPDX-License-Identifier: MIT */
/*
 * Waiting for many descriptors in an event loop of sd-event(3), which sees them as one. sd-event
 * fetches all that is ready to handle the first of it, then all again for the second: with 10,000
 * ready at the same time that is 5 ms for each.
 */
#ifndef TINCAN_TINCAND_POLLER_H
#define TINCAN_TINCAND_POLLER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct poller {
    int fd;                  /* of epoll(7) */
    sd_event_source *source; /* NULL: not open */
    void (*ready)(void *data, uint32_t events);
};

/* Begins, with nobody to wait for. Returns 0 or a negative errno value. */
int poller_open(struct poller *poller, sd_event *event, void (*ready)(void *data, uint32_t events));

/*
 * Waits for `events` of epoll(7) on `fd`, and calls ready(data, events) whenever there are any, or
 * an error or hang-up: once, or instead of what it waited for there before. That call may close
 * this descriptor, which ends the waiting, but no other. Returns 0 or a negative errno value.
 */
int poller_add(struct poller *poller, int fd, uint32_t events, void *data);
int poller_change(struct poller *poller, int fd, uint32_t events, void *data);

/* Does nothing to one that is not open. */
void poller_close(struct poller *poller);

#endif
