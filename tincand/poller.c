/* SPDX-License-Identifier: MIT */
#include "tincand/poller.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Descriptors that are served before timers, signals and new connections have their turn. */
#define TURN 64

static int on_some_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct poller *poller = userdata;
    struct epoll_event events[TURN];
    int count = epoll_wait(fd, events, TURN, 0);

    (void)source, (void)revents;
    for (int i = 0; i < count; i++)
        poller->ready(events[i].data.ptr, events[i].events);
    return 0;
}

int poller_open(struct poller *poller, sd_event *event, void (*ready)(void *data, uint32_t events))
{
    int error;

    *poller = (struct poller){.fd = epoll_create1(EPOLL_CLOEXEC), .ready = ready};
    if (poller->fd < 0)
        return -errno;
    error = sd_event_add_io(event, &poller->source, poller->fd, EPOLLIN, on_some_ready, poller);
    if (error < 0)
        close(poller->fd);
    return error;
}

static int control(struct poller *poller, int operation, int fd, uint32_t events, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};

    return epoll_ctl(poller->fd, operation, fd, &event) < 0 ? -errno : 0;
}

int poller_add(struct poller *poller, int fd, uint32_t events, void *data)
{
    return control(poller, EPOLL_CTL_ADD, fd, events, data);
}

int poller_change(struct poller *poller, int fd, uint32_t events, void *data)
{
    return control(poller, EPOLL_CTL_MOD, fd, events, data);
}

void poller_close(struct poller *poller)
{
    if (!poller->source)
        return;
    poller->source = sd_event_source_disable_unref(poller->source);
    close(poller->fd);
}
