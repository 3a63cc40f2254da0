/* SPDX-License-Identifier: MIT */
#include "tincand/notify.h"

#include "tincand/loop.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* A datagram socket to the manager, whose address is a path, or a name behind an @; or -1. */
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

static int on_watchdog(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct notify *notify = userdata;

    (void)usec;
    notify_send(notify, "WATCHDOG=1");
    loop_timer_set(timer, loop_now(sd_event_source_get_event(timer)) + notify->interval);
    return 0;
}

void notify_open(struct notify *notify, sd_event *event)
{
    uint64_t patience;

    *notify = (struct notify){.fd = connect_to_manager()};
    if (notify->fd < 0 || sd_watchdog_enabled(0, &patience) <= 0)
        return;
    notify->interval = patience / 2; /* says sd_watchdog_enabled(3) */
    if (loop_timer_add(event, &notify->watchdog, on_watchdog, notify) >= 0)
        loop_timer_set(notify->watchdog, loop_now(event));
}

void notify_send(const struct notify *notify, const char *state)
{
    if (notify->fd >= 0)
        (void)send(notify->fd, state, strlen(state), MSG_NOSIGNAL);
}

void notify_close(struct notify *notify)
{
    notify->watchdog = sd_event_source_unref(notify->watchdog);
    if (notify->fd > 0)
        close(notify->fd);
    notify->fd = -1;
}
