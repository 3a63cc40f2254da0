/* SPDX-License-Identifier: MIT */
/*
 * The open connections of a server in its event loop: each is stepped when it is ready, ended at
 * its deadline, counted with its source, and logged once.
 */
#ifndef TINCAN_TINCAND_SESSIONS_H
#define TINCAN_TINCAND_SESSIONS_H

#include "handler/settings.h"
#include "tincand/connection.h"
#include "tincand/log_queue.h"
#include "tincand/loop.h"
#include "tincand/sources.h"
#include "tincand/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct limits {
    size_t max_connections; /* at once; above that they wait in the kernel's queue */
    size_t max_per_source;  /* at once of one source; above that they are closed */
    size_t max_memory;      /* for messages, in bytes; above that input waits in the kernel */
    uint64_t grace;         /* for what is in flight when the server is told to stop, in us */
    uint64_t idle_exit;     /* the server ends when it has been idle so long, in us; 0: never */
};

TAILQ_HEAD(session_list, session);

struct sessions {
    sd_event *event;
    const struct settings *settings;
    const struct limits *limits;
    struct log_queue *log;
    struct status *status;            /* which says how many are open */
    void (*released)(void *userdata); /* a session has ended, and there is room for another */
    void *userdata;
    struct loop_poller poller;
    struct loop_timeouts exchanges, lingering;
    struct session_list starved; /* those who wait for memory */
    struct sources sources;
    struct pool pool;
};

/* Begins, with all that stands before `poller` set. Returns 0 or a negative errno value. */
int sessions_open(struct sessions *sessions);

/*
 * Takes over a connection, non-blocking, accepted from `address`, and serves it, at once if it can
 * be. Returns whether there was memory for it; else it is closed.
 */
bool sessions_admit(struct sessions *sessions, int fd, const struct sockaddr_storage *address);

/* Ends all: those without an outcome have timed out. */
void sessions_end_all(struct sessions *sessions);

/* Gives back what sessions_open() took; all have to be ended. */
void sessions_close(struct sessions *sessions);

#endif
