/* SPDX-License-Identifier: MIT */
#include "handler/deadline.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

/*
 * The signal can arrive after the flag was checked and before the system call that it should
 * interrupt. So the timer repeats, and its next signal ends that call.
 */
#define REPEAT_USEC 20000

static volatile sig_atomic_t passed;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    passed = 1;
}

static int set_timer(uint64_t usec)
{
    struct itimerval timer = {.it_interval.tv_usec = REPEAT_USEC};

    timer.it_value.tv_sec = (time_t)(usec / 1000000);
    timer.it_value.tv_usec = (suseconds_t)(usec % 1000000);
    return setitimer(ITIMER_REAL, &timer, NULL);
}

int deadline_start(uint64_t usec)
{
    struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART: calls must end */
    sigset_t alarm_only;

    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    if (sigaction(SIGALRM, &action, NULL) < 0)
        return -1;
    /* A pending alarm, or one due from an inherited timer, is not this deadline. */
    if (set_timer(usec) < 0 || sigprocmask(SIG_UNBLOCK, &alarm_only, NULL) < 0)
        return -1;
    passed = 0;
    return 0;
}

void deadline_move(uint64_t usec)
{
    set_timer(usec);
    passed = 0;
}

bool deadline_passed(void)
{
    return passed != 0;
}
