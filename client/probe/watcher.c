/* SPDX-License-Identifier: MIT */
#include "client/probe/watcher.h"

#include "common/clock.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Returns how many descriptors are open; a guess where there is no /proc. */
static uint64_t count_open(void)
{
    DIR *list = opendir("/proc/self/fd");
    uint64_t count = 0;

    if (!list)
        return 16;
    while (readdir(list))
        count++;
    closedir(list);
    return count - 3; /* ".", "..", and the descriptor of the list itself */
}

uint64_t watcher_capacity(void)
{
    struct rlimit limit;
    uint64_t open = count_open();

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};

        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    return limit.rlim_cur > open ? limit.rlim_cur - open : 0;
}

static int end_fd = -1;      /* the watcher's `end`, for the signal handler */
static sigset_t end_signals; /* SIGINT and SIGTERM, as far as they are not ignored */

/* A signal that is ignored from the start, as in the background of a shell, stays so. */
static void add_unless_ignored(sigset_t *set, int signal)
{
    struct sigaction action;

    if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
        sigaddset(set, signal);
}

static void set_end_handler(void (*handler)(int))
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct sigaction action = {.sa_handler = handler, .sa_mask = end_signals};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigismember(&end_signals, signals[i]) == 1)
            sigaction(signals[i], &action, NULL);
}

static void on_end_signal(int signal)
{
    static const uint64_t one = 1;
    int error = errno;

    (void)signal;
    (void)!write(end_fd, &one, sizeof one);
    set_end_handler(SIG_DFL);
    errno = error;
}

static int watch_signal_fd(struct watcher *watcher, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    return fd < 0 ? -1 : epoll_ctl(watcher->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int watch_signals(struct watcher *watcher)
{
    sigset_t set;

    sigemptyset(&set);
    add_unless_ignored(&set, SIGQUIT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -1;
    watcher->interim = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    watcher->end = end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watch_signal_fd(watcher, watcher->interim) < 0 ||
        watch_signal_fd(watcher, watcher->end) < 0)
        return -1;
    sigemptyset(&end_signals);
    add_unless_ignored(&end_signals, SIGINT);
    add_unless_ignored(&end_signals, SIGTERM);
    set_end_handler(on_end_signal);
    return 0;
}

int watcher_init(struct watcher *watcher)
{
    *watcher = (struct watcher){.epoll = epoll_create1(EPOLL_CLOEXEC), .interim = -1, .end = -1};
    if (watcher->epoll < 0)
        return -1;
    /* Probes begin as punctually as the kernel can: by default it may wake 50 us late. */
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
    return watch_signals(watcher);
}

void watcher_free(struct watcher *watcher)
{
    if (watcher->end >= 0) {
        set_end_handler(SIG_DFL);
        close(watcher->end);
    }
    if (watcher->interim >= 0)
        close(watcher->interim);
    if (watcher->epoll >= 0)
        close(watcher->epoll);
}

int watcher_set(struct watcher *watcher, int fd, short *watched, short events, void *data)
{
    struct epoll_event event = {.events = (uint32_t)events, .data.ptr = data};
    int operation = *watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (events == *watched || fd < 0)
        return 0;
    if (epoll_ctl(watcher->epoll, operation, fd, &event) < 0)
        return -1;
    *watched = events;
    return 0;
}

int watcher_wait(struct watcher *watcher, struct epoll_event *events, int size, int64_t until,
                 bool precisely)
{
    struct pollfd wait = {.fd = watcher->epoll, .events = POLLIN};
    int64_t left = until - clock_now();
    struct timespec time = {.tv_sec = (time_t)(left / CLOCK_SECOND),
                            .tv_nsec = (long)(left % CLOCK_SECOND)};

    if (!precisely)
        return epoll_wait(watcher->epoll, events, size, clock_poll_timeout(until));
    if (left > 0) {
        int ready = ppoll(&wait, 1, &time, NULL);

        if (ready <= 0)
            return ready;
    }
    return epoll_wait(watcher->epoll, events, size, 0);
}

bool watcher_ended(void)
{
    struct pollfd end = {.fd = end_fd, .events = POLLIN};

    return poll(&end, 1, 0) > 0;
}

enum watcher_signal watcher_signal(struct watcher *watcher)
{
    struct signalfd_siginfo info;
    uint64_t count;

    if (read(watcher->end, &count, sizeof count) == (ssize_t)sizeof count)
        return WATCHER_END;
    if (read(watcher->interim, &info, sizeof info) != (ssize_t)sizeof info)
        return WATCHER_NO_SIGNAL;
    return WATCHER_INTERIM;
}
