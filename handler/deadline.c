/* SPDX-License-Identifier: MIT */
#include "handler/deadline.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The signal can arrive after the flag was checked and before the system call that it should
 * interrupt. So the timer repeats, and its next signal ends that call. */
#define REPEAT_USEC 20000

static volatile sig_atomic_t passed;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    passed = 1;
}

int deadline_move(uint64_t usec)
{
    const struct itimerval timer = {
        .it_value = {.tv_sec = (time_t)(usec / 1000000), .tv_usec = (suseconds_t)(usec % 1000000)},
        .it_interval = {.tv_usec = REPEAT_USEC},
    };
    int status = setitimer(ITIMER_REAL, &timer, NULL);

    passed = 0; /* an alarm until now was for an earlier deadline, or an inherited timer's */
    return status;
}

int deadline_start(uint64_t usec)
{
    struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART: calls must end */
    sigset_t alarm_only;

    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    if (sigaction(SIGALRM, &action, NULL) < 0 || sigprocmask(SIG_UNBLOCK, &alarm_only, NULL) < 0)
        return -1;
    return deadline_move(usec);
}

bool deadline_passed(void)
{
    return passed != 0;
}

void deadline_bound_reply(int fd, uint64_t usec)
{
    unsigned msec = (unsigned)((usec + 999) / 1000);

    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &msec, sizeof msec);
}
