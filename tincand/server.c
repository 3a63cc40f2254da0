/* SPDX-License-Identifier: MIT */
#include "tincand/server.h"

#include "tincand/acceptor.h"
#include "tincand/loop.h"
#include "tincand/status.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>

/* After so many connections at once, what they took is given back to the system. */
#define MANY 1000

struct server {
    const struct limits *limits;
    sd_event *event;
    struct acceptor acceptor;
    struct sessions sessions;
    struct status status;
    sd_event_source *idle, *grace;
    uint64_t idle_since; /* on the event loop's clock */
    size_t most_open;    /* connections at once since the server was idle */
    bool stopping;
};

/* What is to be done when nothing is open. */
static void rest_or_leave(struct server *server)
{
    if (server->status.open > 0)
        return;
    if (server->stopping)
        (void)sd_event_exit(server->event, 0);
    if (server->most_open >= MANY)
        (void)malloc_trim(0);
    server->most_open = 0;
    server->idle_since = loop_now(server->event);
    if (server->limits->idle_exit && !loop_timer_is_set(server->idle))
        loop_timer_set(server->idle, server->idle_since + server->limits->idle_exit);
}

static void on_released(void *userdata)
{
    struct server *server = userdata;

    acceptor_allow(&server->acceptor, true);
    rest_or_leave(server);
}

static bool admit(void *userdata, int fd, const struct sockaddr_storage *address)
{
    struct server *server = userdata;

    if (server->most_open <= server->status.open)
        server->most_open = server->status.open + 1;
    if (server->status.open + 1 == server->limits->max_connections)
        acceptor_allow(&server->acceptor, false);
    if (sessions_admit(&server->sessions, fd, address))
        return true;
    acceptor_allow(&server->acceptor, true);
    return false;
}

static void stop(struct server *server)
{
    status_send(&server->status, "STOPPING=1");
    acceptor_close(&server->acceptor);
    server->stopping = true;
    loop_timer_set(server->grace, loop_now(server->event) + server->limits->grace);
    rest_or_leave(server);
}

static int on_grace_over(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct server *server = userdata;

    (void)timer, (void)usec;
    sessions_end_all(&server->sessions);
    return 0;
}

/* A second signal is from somebody who doesn't want to wait. */
static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct server *server = userdata;

    (void)source, (void)info;
    if (server->stopping)
        on_grace_over(NULL, 0, server);
    else
        stop(server);
    return 0;
}

static int on_idle(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct server *server = userdata;
    uint64_t end = server->idle_since + server->limits->idle_exit;

    (void)usec;
    if (server->status.open > 0 || server->stopping)
        return 0;
    if (loop_now(server->event) < end)
        loop_timer_set(timer, end);
    else
        stop(server);
    return 0;
}

/* Whether who started this wants the signal ignored, as nohup(1) does. */
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
    int error = sd_event_new(&server->event);

    if (error < 0)
        return error;
    server->acceptor.event = server->sessions.event = server->event;
    if ((error = add_signals(server)) < 0 ||
        (error = status_open(&server->status, server->event, server->sessions.log)) < 0 ||
        (error = sessions_open(&server->sessions)) < 0 ||
        (error = loop_timer_add(server->event, &server->idle, on_idle, server)) < 0 ||
        (error = loop_timer_add(server->event, &server->grace, on_grace_over, server)) < 0)
        return error;
    return acceptor_open(&server->acceptor);
}

static void tear_down(struct server *server)
{
    server->stopping = true;
    acceptor_close(&server->acceptor);
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
    static struct server server; /* with the pool's input rather large for a stack */
    int error;

    server.limits = limits;
    server.acceptor = (struct acceptor){
        .listeners = listeners,
        .log = log,
        .admit = admit,
        .userdata = &server,
    };
    server.sessions.settings = settings;
    server.sessions.limits = limits;
    server.sessions.log = log;
    server.sessions.status = &server.status;
    server.sessions.released = on_released;
    server.sessions.userdata = &server;
    error = set_up(&server);
    if (error >= 0) {
        status_send(&server.status, "READY=1");
        rest_or_leave(&server);
        error = sd_event_loop(server.event);
    }
    tear_down(&server);
    return error;
}
