/* SPDX-License-Identifier: MIT */
/* Waiting for many descriptors, the signals of a user, and a moment, all at once. */
#ifndef TINCAN_CLIENT_PROBE_WATCHER_H
#define TINCAN_CLIENT_PROBE_WATCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct watcher {
    int epoll, signals;
    int bell; /* an eventfd that the first signal to end rings */
};

enum watcher_signal {
    WATCHER_NO_SIGNAL,
    WATCHER_INTERIM, /* SIGQUIT */
    WATCHER_END,     /* SIGINT or SIGTERM */
};

/*
 * From now on SIGQUIT and the first of SIGINT and SIGTERM, unless ignored, come out of
 * watcher_signal. That first one also interrupts a system call, as writing to who does not read is
 * one, and the next kills. There is one watcher at a time. Returns 0, or -1 with errno; in both
 * cases it ends with watcher_free.
 */
int watcher_init(struct watcher *watcher);

void watcher_free(struct watcher *watcher);

/*
 * Watches `fd` for the events of poll(2) that it `wants`; `*watched` are those it was watched for,
 * 0 at first. Closing the descriptor ends that. `what` comes back with the events. Returns 0, or -1
 * with errno.
 */
int watcher_set(struct watcher *watcher, int fd, short *watched, short wants, void *what);

/*
 * Waits until there are events, at most `size`, or until the moment (of clock_now); `precisely` to
 * the nanosecond as far as the kernel can, else to the millisecond above, for one call less. An
 * event of no `what` is a signal. Returns how many there are, or -1 with errno.
 */
int watcher_wait(struct watcher *watcher, struct epoll_event *events, int size, int64_t until,
                 bool precisely);

/* The next signal that came. */
enum watcher_signal watcher_signal(struct watcher *watcher);

#endif
