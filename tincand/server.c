/* SPDX-License-Identifier: MIT */
#include "tincand/server.h"

#include "tincand/acceptor.h"
#include "tincand/loop.h"
#include "tincand/sessions.h"
#include "tincand/status.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

/* How often, and after what pause, the event loop is tried again when it fails. */
#define RETRIES    100
#define RETRY_NSEC 10000000

/* After this many connections at once, free memory is returned to the system. */
#define TRIM_CONNECTIONS 1000

struct server {
    const struct limits *limits;
    sd_event *event;
    struct acceptor acceptor;
    struct sessions sessions;
    struct status status;
    sd_event_source *idle, *grace;
    uint64_t idle_since;   /* in loop_now() */
    uint64_t seen_changes; /* sessions.counts.changes at the last update() */
    size_t peak;           /* connections at once since the server was idle */
    bool stopping;
};

/* Nothing is open: ends a server that stops, starts the idle time of any other. */
static void become_idle(struct server *server)
{
    if (server->stopping)
        (void)sd_event_exit(server->event, 0);
    if (server->peak >= TRIM_CONNECTIONS)
        (void)malloc_trim(0);
    server->peak = 0;
    server->idle_since = loop_now(server->event);
    if (server->limits->idle_exit && !loop_timer_is_set(server->idle))
        loop_timer_set(server->idle, server->idle_since + server->limits->idle_exit);
}

/* Acts on what the sessions did in an iteration of the loop. */
static void update(struct server *server)
{
    const struct session_counts *counts = &server->sessions.counts;

    acceptor_update(&server->acceptor);
    if (counts->changes == server->seen_changes)
        return;
    server->seen_changes = counts->changes;
    status_update(&server->status);
    if (counts->open > server->peak)
        server->peak = counts->open;
    if (counts->open == 0)
        become_idle(server);
}

static void stop(struct server *server)
{
    acceptor_close(&server->acceptor);
    status_send(&server->status, "STOPPING=1");
    server->stopping = true;
    loop_timer_set(server->grace, loop_now(server->event) + server->limits->grace);
    if (server->sessions.counts.open == 0)
        become_idle(server);
}

static int on_grace_over(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct server *server = userdata;

    (void)timer, (void)usec;
    sessions_end_all(&server->sessions);
    return 0;
}

/* The first signal stops the server, the second one also ends the exchanges in progress. */
static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct server *server = userdata;

    (void)source, (void)info;
    if (server->stopping)
        sessions_end_all(&server->sessions);
    else
        stop(server);
    return 0;
}

static int on_idle_over(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct server *server = userdata;
    uint64_t end = server->idle_since + server->limits->idle_exit;

    (void)usec;
    if (server->sessions.counts.open > 0 || server->stopping)
        return 0;
    if (loop_now(server->event) < end)
        loop_timer_set(timer, end);
    else
        stop(server);
    return 0;
}

/* Returns whether the signal was ignored at start, as nohup(1) sets it. */
static bool is_ignored(int signal)
{
    struct sigaction action;

    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static int add_signals(struct server *server)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    int error = 0;

    for (size_t i = 0; i < sizeof signals / sizeof signals[0] && error >= 0; i++) {
        sigset_t set;
        if (is_ignored(signals[i]))
            continue;
        sigemptyset(&set);
        sigaddset(&set, signals[i]);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
            return -errno;
        error = sd_event_add_signal(server->event, NULL, signals[i], on_signal, server);
    }
    return error;
}

static int set_up(struct server *server)
{
    struct sessions *sessions = &server->sessions;
    int error = sd_event_new(&server->event);

    if (error < 0)
        return error;
    server->acceptor.event = sessions->event = server->event;
    if ((error = add_signals(server)) < 0 || (error = sessions_open(sessions)) < 0 ||
        (error = status_open(&server->status, server->event, &sessions->counts, sessions->log)) <
            0 ||
        (error = loop_timer_add(server->event, &server->idle, on_idle_over, server)) < 0 ||
        (error = loop_timer_add(server->event, &server->grace, on_grace_over, server)) < 0)
        return error;
    return acceptor_open(&server->acceptor);
}

/* Returns whether the same call may go well next time. */
static bool is_transient(int error)
{
    return error == -EAGAIN || error == -EINTR || error == -ENOMEM || error == -ENOBUFS ||
           error == -EIO;
}

/*
 * Runs one iteration of the event loop; again if it fails for a reason that may pass. Returns what
 * sd_event_run(3) does. After timerfd_settime(2) has failed, sd-event believes that the timer is
 * set, until one of its timers is changed.
 */
static int run_once(struct server *server, bool busy)
{
    const struct timespec pause = {.tv_nsec = RETRY_NSEC};
    int error = sd_event_run(server->event, busy ? 0 : UINT64_MAX);

    for (int retry = 0; retry < RETRIES && is_transient(error); retry++) {
        uint64_t usec = 0;
        if (retry > 0)
            (void)nanosleep(&pause, NULL);
        (void)sd_event_source_get_time(server->grace, &usec);
        (void)sd_event_source_set_time(server->grace, usec);
        error = sd_event_run(server->event, 0);
    }
    return error;
}

/* Runs the event loop to its end. Returns 0 or a negative errno value. */
static int run(struct server *server)
{
    int error;

    status_send(&server->status, "READY=1");
    become_idle(server);
    for (;;) {
        error = run_once(server, sessions_resume(&server->sessions));
        if (error < 0 || sd_event_get_state(server->event) == SD_EVENT_FINISHED)
            break;
        update(server);
    }
    if (error >= 0)
        (void)sd_event_get_exit_code(server->event, &error);
    return error;
}

/* Exchanges in progress are finished, also where the event loop has failed. */
static void tear_down(struct server *server)
{
    acceptor_close(&server->acceptor);
    sessions_drain(&server->sessions, server->limits->grace);
    sessions_end_all(&server->sessions);
    sessions_close(&server->sessions);
    status_close(&server->status);
    sd_event_source_unref(server->idle);
    sd_event_source_unref(server->grace);
    sd_event_unref(server->event);
}

int server_run(struct listeners *listeners, const struct settings *settings,
               const struct limits *limits, struct log_queue *log)
{
    static struct server server; /* too large for a stack, with the workspace */
    int error;

    server.limits = limits;
    server.sessions.settings = settings;
    server.sessions.limits = limits;
    server.sessions.log = log;
    server.acceptor = (struct acceptor){
        .listeners = listeners,
        .sessions = &server.sessions,
        .log = log,
    };
    error = set_up(&server);
    if (error >= 0)
        error = run(&server);
    tear_down(&server);
    return error;
}
