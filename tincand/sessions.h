/* SPDX-License-Identifier: MIT */
/*
 * The open connections of a server in its event loop: each is stepped when its socket is ready,
 * ended at its deadline, counted with its source, and logged once.
 */
#ifndef TINCAN_TINCAND_SESSIONS_H
#define TINCAN_TINCAND_SESSIONS_H

#include "handler/result.h"
#include "handler/settings.h"
#include "tincand/connection.h"
#include "tincand/limits.h"
#include "tincand/log_queue.h"
#include "tincand/loop.h"
#include "tincand/sources.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

/* What happened so far. Only the sessions write it. */
struct session_counts {
    size_t open;                        /* connections now */
    uint64_t results[RESULT_ERROR + 1]; /* exchanges that ended, by result */
    uint64_t turned_away;               /* closed at once: their source had too many */
    uint64_t changes;                   /* how often any of these changed */
};

struct sessions {
    sd_event *event;
    const struct settings *settings;
    const struct limits *limits;
    struct log_queue *log;
    struct session_counts counts;
    struct loop_poller poller;
    struct loop_timeouts exchanges, lingering;
    sd_event_source *memory_retry; /* set: connections wait for memory */
    struct sources sources;
    struct memory_share all; /* of all connections, where sources are not counted */
    struct workspace workspace;
};

/* Starts with no session; needs the fields before `counts`. Returns 0 or a negative errno value. */
int sessions_open(struct sessions *sessions);

/* Returns whether another connection may be added. */
bool sessions_have_room(const struct sessions *sessions);

/*
 * Takes over a connection, non-blocking, accepted from `address`, and serves it, at once if
 * possible. Returns whether there was memory for it; if not, it is closed.
 */
bool sessions_add(struct sessions *sessions, int fd, const struct sockaddr_storage *address);

/* Lets connections that wait for memory continue if there is some for them. To be called in each
 * iteration of the loop; returns whether it has to be called again at once. */
bool sessions_resume(struct sessions *sessions);

/* Serves the open sessions for at most `usec`, without the event loop, which has failed. */
void sessions_drain(struct sessions *sessions, uint64_t usec);

/* Ends all sessions; the result of those that have none yet is a timeout. */
void sessions_end_all(struct sessions *sessions);

/* Releases what sessions_open() took; all sessions must have ended. */
void sessions_close(struct sessions *sessions);

#endif
