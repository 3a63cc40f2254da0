/* SPDX-License-Identifier: MIT */
/*
 * Accepts connections from the listening sockets and hands them to the sessions. Connections that
 * can't be accepted yet, for lack of room or descriptors, wait in the kernel's queue.
 */
#ifndef TINCAN_TINCAND_ACCEPTOR_H
#define TINCAN_TINCAND_ACCEPTOR_H

#include "tincand/listeners.h"
#include "tincand/log_queue.h"
#include "tincand/sessions.h"

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct acceptor {
    sd_event *event;
    struct listeners *listeners;
    struct sessions *sessions;
    struct log_queue *log;
    sd_event_source *sources[LISTENERS_MAX];
    sd_event_source *retry; /* set: accepting is paused, after an error that may last */
    uint64_t error_logged;  /* when, in loop_now(); 0: never */
    bool polling;           /* the listening sockets are polled */
};

/* Starts to accept; needs the fields before `sources`. Returns 0 or a negative errno value. */
int acceptor_open(struct acceptor *acceptor);

/*
 * Polls the listening sockets if another connection may be accepted, and stops polling them if not:
 * they are ready as long as a connection waits there. To be called in each iteration of the loop.
 */
void acceptor_update(struct acceptor *acceptor);

/*
 * Closes the listening sockets. Connections in the queue of a socket that the server opened itself
 * are accepted first, as far as there is room: they would be lost with the queue. A socket that was
 * handed over stays open in the process it came from, for the next server.
 */
void acceptor_close(struct acceptor *acceptor);

#endif
