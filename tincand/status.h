/* SPDX-License-Identifier: MIT */
/*
 * Reports to the service manager over NOTIFY_SOCKET (sd_notify(3)): readiness, the watchdog, and
 * the server's counts, which systemctl status shows. Nothing here waits, as sd_notify(3) would when
 * the manager hangs and its socket is full: a report for which there is no room is sent anew a
 * second later, while the server runs.
 */
#ifndef TINCAN_TINCAND_STATUS_H
#define TINCAN_TINCAND_STATUS_H

#include "tincand/log_queue.h"
#include "tincand/sessions.h"

#include <stdint.h>
#include <systemd/sd-event.h>

struct status {
    const struct session_counts *counts;
    struct log_queue *log;     /* counts the lines it dropped */
    const char *state;         /* to be sent with the next report; empty for no change */
    int fd;                    /* connected to the service manager, non-blocking; or -1 */
    sd_event_source *interval; /* set: the next report is due */
    sd_event_source *watchdog; /* NULL: none is wanted */
    uint64_t watchdog_usec;    /* between two messages to the watchdog */
    uint64_t sent;             /* when the last report was sent or tried, in loop_now() */
    uint64_t sent_changes;     /* counts->changes in the last that the manager has */
};

/*
 * Connects to the service manager, if there is one, and feeds its watchdog as long as the event
 * loop runs. `counts` and `log` must outlive `status`. Returns 0 or a negative errno value.
 */
int status_open(struct status *status, sd_event *event, const struct session_counts *counts,
                struct log_queue *log);

/* Schedules a report, a second after the last, if the counts have changed since. */
void status_update(struct status *status);

/*
 * Reports at once that the server is in `state` (`READY=1` or `STOPPING=1`; empty for no change)
 * and the counts: `open 3, echoed 1204, 2 eof, 1 invalid-utf8, 4 turned away, 1 log line lost`.
 * Zeros are left out, but for the first two.
 */
void status_send(struct status *status, const char *state);

void status_close(struct status *status);

#endif
