/* SPDX-License-Identifier: MIT */
/* Waits for many descriptors, the signals of a user, and a moment, all at once. */
#ifndef TINCAN_CLIENT_PROBE_WATCHER_H
#define TINCAN_CLIENT_PROBE_WATCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct watcher {
    int epoll;
    int interim; /* a signalfd for SIGQUIT */
    int end;     /* an eventfd that the first SIGINT or SIGTERM makes readable */
};

enum watcher_signal {
    WATCHER_NO_SIGNAL,
    WATCHER_INTERIM, /* SIGQUIT */
    WATCHER_END,     /* SIGINT or SIGTERM */
};

/* Raises the limit of descriptors as far as allowed. Returns how many more can be opened. */
uint64_t watcher_capacity(void);

/*
 * From now on watcher_signal() returns SIGQUIT and the first of SIGINT and SIGTERM, unless they are
 * ignored. That first one also interrupts a blocking system call, such as writing to a pipe that
 * is not read; the next one kills. There can be one watcher at a time. Returns 0, or -1 with errno.
 * In both cases the caller ends it with watcher_free().
 */
int watcher_init(struct watcher *watcher);

void watcher_free(struct watcher *watcher);

/*
 * Watches `fd`, unless that is -1, for `events` of poll(2), until it is closed. `*watched` are
 * those that it is watched for already, 0 at first. `data` comes back with the events and must not
 * be NULL. Returns 0, or -1 with errno.
 */
int watcher_set(struct watcher *watcher, int fd, short *watched, short events, void *data);

/*
 * Waits until there are events, at most `size`, or until the moment (of clock_now): `precisely` to
 * the nanosecond as far as the kernel can, else to the millisecond above, which saves a call. An
 * event whose data is NULL is a signal. Returns how many there are, or -1 with errno.
 */
int watcher_wait(struct watcher *watcher, struct epoll_event *events, int size, int64_t until,
                 bool precisely);

/* Returns the next signal that came. */
enum watcher_signal watcher_signal(struct watcher *watcher);

/* Returns whether WATCHER_END is to come, without taking it. */
bool watcher_ended(void);

#endif
