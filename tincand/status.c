/* SPDX-License-Identifier: MIT */
#include "tincand/status.h"

#include "common/text.h"
#include "tincand/loop.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* The shortest time between two reports of the counts, in microseconds. */
#define INTERVAL_USEC UINT64_C(1000000)

/* Returns a datagram socket connected to NOTIFY_SOCKET, a path or an @ and a name; or -1. */
static int connect_to_manager(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = path ? strlen(path) : 0;
    int fd;

    if (length < 2 || length >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return -1;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address,
                           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Returns false if the manager has no room for it now, and may have later. */
static bool notify(const struct status *status, const char *lines)
{
    return status->fd < 0 || send(status->fd, lines, strlen(lines), MSG_NOSIGNAL) >= 0 ||
           (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM);
}

/* --- the watchdog --- */

static int on_watchdog(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct status *status = userdata;

    (void)usec;
    (void)notify(status, "WATCHDOG=1");
    loop_timer_set(timer, loop_now(sd_event_source_get_event(timer)) + status->watchdog_usec);
    return 0;
}

/* A server that can't feed the watchdog still serves. */
static void start_watchdog(struct status *status, sd_event *event)
{
    uint64_t limit;

    if (status->fd < 0 || sd_watchdog_enabled(0, &limit) <= 0)
        return;
    status->watchdog_usec = limit / 2; /* as sd_watchdog_enabled(3) recommends */
    if (loop_timer_add(event, &status->watchdog, on_watchdog, status) >= 0)
        loop_timer_set(status->watchdog, loop_now(event));
}

/* --- the counts --- */

static void add_count(struct text *text, uint64_t count, const char *what)
{
    if (count > 0)
        text_addf(text, ", %" PRIu64 " %s", count, what);
}

static void add_counts(const struct status *status, struct text *text)
{
    const struct session_counts *counts = status->counts;
    uint64_t lost = log_queue_dropped(status->log);

    text_addf(text, "open %zu, echoed %" PRIu64, counts->open, counts->results[RESULT_ECHOED]);
    for (enum result_code code = RESULT_EOF; code <= RESULT_ERROR; code++)
        add_count(text, counts->results[code], result_word(code));
    add_count(text, counts->turned_away, "turned away");
    add_count(text, lost, lost == 1 ? "log line lost" : "log lines lost");
}

static void report(struct status *status)
{
    char buffer[512];
    struct text text;

    status->sent = loop_now(sd_event_source_get_event(status->interval));
    text_init(&text, buffer, sizeof buffer);
    text_addf(&text, "%s\nSTATUS=", status->state);
    add_counts(status, &text);
    if (notify(status, text.start)) {
        status->state = "";
        status->sent_changes = status->counts->changes;
    } else {
        loop_timer_set(status->interval, status->sent + INTERVAL_USEC);
    }
}

void status_send(struct status *status, const char *state)
{
    status->state = state;
    report(status);
}

static int on_interval_over(sd_event_source *timer, uint64_t usec, void *userdata)
{
    (void)timer, (void)usec;
    report(userdata);
    return 0;
}

void status_update(struct status *status)
{
    if (status->counts->changes != status->sent_changes && !loop_timer_is_set(status->interval))
        loop_timer_set(status->interval, status->sent + INTERVAL_USEC);
}

int status_open(struct status *status, sd_event *event, const struct session_counts *counts,
                struct log_queue *log)
{
    *status =
        (struct status){.counts = counts, .log = log, .state = "", .fd = connect_to_manager()};
    start_watchdog(status, event);
    return loop_timer_add(event, &status->interval, on_interval_over, status);
}

void status_close(struct status *status)
{
    status->interval = sd_event_source_unref(status->interval);
    status->watchdog = sd_event_source_unref(status->watchdog);
    if (status->fd > 0)
        close(status->fd);
    status->fd = -1;
}
