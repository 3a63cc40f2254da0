/* SPDX-License-Identifier: MIT */
#include "client/probe/watcher.h"

#include "common/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int bell = -1;   /* the watcher's, for the handler */
static sigset_t ending; /* of SIGINT and SIGTERM those that are watched for */

/* What was ignored from the start, as a shell has it for what runs in the background, stays so. */
static void add_unless_ignored(sigset_t *set, int signal)
{
    struct sigaction action;

    if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
        sigaddset(set, signal);
}

static void have_handled(void (*handler)(int))
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct sigaction action = {.sa_handler = handler, .sa_mask = ending};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigismember(&ending, signals[i]) == 1)
            sigaction(signals[i], &action, NULL);
}

static void ring(int signal)
{
    static const uint64_t one = 1;
    int error = errno;

    (void)signal;
    (void)!write(bell, &one, sizeof one);
    have_handled(SIG_DFL);
    errno = error;
}

static int add(struct watcher *watcher, int fd)
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
    watcher->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    watcher->bell = bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (add(watcher, watcher->signals) < 0 || add(watcher, watcher->bell) < 0)
        return -1;
    sigemptyset(&ending);
    add_unless_ignored(&ending, SIGINT);
    add_unless_ignored(&ending, SIGTERM);
    have_handled(ring);
    return 0;
}

int watcher_init(struct watcher *watcher)
{
    watcher->signals = -1;
    watcher->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (watcher->epoll < 0)
        return -1;
    /* Starts are as punctual as the kernel can make them; by default they may be 50 us late. */
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
    return watch_signals(watcher);
}

void watcher_free(struct watcher *watcher)
{
    if (watcher->bell >= 0) {
        have_handled(SIG_DFL);
        close(watcher->bell);
    }
    if (watcher->signals >= 0)
        close(watcher->signals);
    if (watcher->epoll >= 0)
        close(watcher->epoll);
}

int watcher_set(struct watcher *watcher, int fd, short *watched, short wants, void *what)
{
    struct epoll_event event = {.events = (uint32_t)wants, .data.ptr = what};
    int how = *watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (wants == *watched || fd < 0)
        return 0;
    if (epoll_ctl(watcher->epoll, how, fd, &event) < 0)
        return -1;
    *watched = wants;
    return 0;
}

int watcher_wait(struct watcher *watcher, struct epoll_event *events, int size, int64_t until,
                 bool precisely)
{
    struct pollfd wait = {.fd = watcher->epoll, .events = POLLIN};
    int64_t left = until - clock_now();
    struct timespec time = {.tv_sec = left / CLOCK_SECOND, .tv_nsec = left % CLOCK_SECOND};

    if (!precisely)
        return epoll_wait(watcher->epoll, events, size, clock_poll_timeout(until));
    if (left > 0 && ppoll(&wait, 1, &time, NULL) < 0)
        return -1;
    return epoll_wait(watcher->epoll, events, size, 0);
}

enum watcher_signal watcher_signal(struct watcher *watcher)
{
    struct signalfd_siginfo info;
    uint64_t rung;

    if (read(watcher->bell, &rung, sizeof rung) == (ssize_t)sizeof rung)
        return WATCHER_END;
    if (read(watcher->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return WATCHER_NO_SIGNAL;
    return WATCHER_INTERIM;
}
