/* SPDX-License-Identifier: MIT */
#include "handler/log_now.h"

#include "handler/deadline.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a write to a pipe that filled up at the last moment may be stuck. */
#define STUCK_USEC 20000

/*
 * Inherited descriptors may not be made non-blocking: the flag would be everybody's. A socket can
 * be asked not to wait; for anything else poll(2) tells, and should another process take the room
 * in between, the moved deadline ends the wait.
 */
void log_now(const struct log *log, const struct text *text)
{
    struct pollfd ready = {.fd = log->fd, .events = POLLOUT};

    if (log->sink == LOG_NOWHERE ||
        send(log->fd, text->start, text->length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
        log->sink == LOG_TO_SYSLOG)
        return;
    if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
        return;
    deadline_move(STUCK_USEC);
    if (write(log->fd, text->start, text->length) < 0)
        return; /* nobody is left to tell */
}
