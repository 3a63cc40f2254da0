/* SPDX-License-Identifier: MIT */
#include "client/talk/waiting.h"

#include "client/display.h"
#include "common/clock.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/time.h>

#define HINT ", Ctrl-C gives up"

static volatile sig_atomic_t given_up;
static struct sigaction before;
static int64_t begun;
static bool wanted, shown;

/* SIGALRM only interrupts what waits. */
static void on_signal(int signal)
{
    if (signal == SIGINT)
        given_up = 1;
}

static void set_alarm(time_t seconds)
{
    const struct itimerval each = {.it_interval.tv_sec = seconds, .it_value.tv_sec = seconds};

    setitimer(ITIMER_REAL, &each, NULL);
}

void waiting_begin(bool show)
{
    /* A call that writes goes on, while poll(2) is interrupted all the same. */
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    given_up = 0;
    wanted = show && display_is_screen(stdout);
    begun = clock_now();
    sigaction(SIGINT, NULL, &before);
    if (before.sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    set_alarm(1);
}

bool waiting_given_up(void)
{
    return given_up != 0;
}

double waiting_seconds(void)
{
    return (double)(clock_now() - begun) / (double)CLOCK_SECOND;
}

bool waiting_interrupted(void)
{
    int seconds = (int)waiting_seconds();

    if (wanted && seconds > 0 && !given_up) {
        waiting_hide();
        printf("waiting %d s%s", seconds, display_columns(stdout) >= 40 ? HINT : "");
        fflush(stdout);
        shown = true;
    }
    return waiting_given_up();
}

void waiting_hide(void)
{
    /* The terminal itself shows Ctrl-C as ^C. */
    if (shown || (wanted && given_up))
        fputs("\r\033[K", stdout);
    shown = false;
}

void waiting_end(void)
{
    set_alarm(0);
    waiting_hide();
    sigaction(SIGINT, &before, NULL);
}
