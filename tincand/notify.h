/* SPDX-License-Identifier: MIT */
/*
 * Telling the service manager what sd_notify(3) tells it, and the watchdog that all is well,
 * without ever waiting: sd_notify(3) itself does when the manager hangs and its queue is full.
 */
#ifndef TINCAN_TINCAND_NOTIFY_H
#define TINCAN_TINCAND_NOTIFY_H

#include <systemd/sd-event.h>

struct notify {
    int fd;                    /* connected to NOTIFY_SOCKET, non-blocking; or -1 */
    sd_event_source *watchdog; /* NULL: none */
    uint64_t interval;         /* in which the watchdog hears of us, in microseconds */
};

/* Connects to the service manager, if there is one, and keeps its watchdog content as long as the
 * event loop runs. What can't be done is left undone. */
void notify_open(struct notify *notify, sd_event *event);

/* Sends `state`, lines such as `READY=1`; dropped if the manager has no room for it. */
void notify_send(const struct notify *notify, const char *state);

void notify_close(struct notify *notify);

#endif
