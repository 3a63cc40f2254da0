/* SPDX-License-Identifier: MIT */
#include "server.h"

#include "acceptor.h"
#include "connection.h"
#include "deadline.h"
#include "exchange.h"
#include "queue.h"
#include "sources.h"
#include "status.h"
#include "timer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

/* One of the connections. */
struct entry {
    struct waiter waiter; /* first; for the deadline */
    struct connection connection;
    struct server *server;
    struct source *source; /* NULL where sources are not counted */
    sd_event_source *io;   /* NULL until it has to wait for the first time */
    TAILQ_ENTRY(entry) link;
    bool starved;  /* is in that list, by the link */
    bool reported; /* its outcome is counted and logged */
};

struct server {
    const struct settings *settings;
    const struct server_limits *limits;
    struct log_queue *log;
    sd_event *event;
    struct acceptor acceptor;
    struct queue exchanges, lingering;
    TAILQ_HEAD(entries, entry) starved; /* those who wait for memory */
    struct sources sources;
    struct status status;
    sd_event_source *idle, *grace;
    uint64_t idle_since; /* on the event loop's clock */
    bool stopping;
    struct pool pool;
};

/* --- one connection --- */

/* Counts and logs the outcome, once. */
static void report(struct entry *entry)
{
    struct server *server = entry->server;
    struct outcome *outcome = &entry->connection.outcome;
    struct peer peer;

    if (entry->reported)
        return;
    entry->reported = true;
    server->status.results[outcome->result]++;
    status_touch(&server->status);
    if (server->settings->quiet && outcome->result != RESULT_ERROR)
        return;
    if (server->settings->no_preview)
        outcome->message = NULL;
    connection_name(&entry->connection, &peer);
    log_queue_outcome(server->log, outcome, peer.name);
}

static void enter_starved(struct entry *entry)
{
    if (!entry->starved)
        TAILQ_INSERT_TAIL(&entry->server->starved, entry, link);
    entry->starved = true;
}

static void leave_starved(struct entry *entry)
{
    if (entry->starved)
        TAILQ_REMOVE(&entry->server->starved, entry, link);
    entry->starved = false;
}

/* Lets those who wait for memory try again, as many as there is some for. */
static void feed_starved(struct server *server)
{
    size_t used = server->pool.used_memory, most = server->pool.max_memory;
    size_t turns = 1 + (used < most ? most - used : 0) / CONNECTION_TURN_BYTES;
    struct entry *entry;

    while (turns-- > 0 && (entry = TAILQ_FIRST(&server->starved))) {
        leave_starved(entry);
        entry->connection.state = CONNECTION_RECEIVING;
        (void)sd_event_source_set_io_events(entry->io, EPOLLIN);
    }
}

static void forget_message(struct entry *entry)
{
    if (connection_forget(&entry->connection, &entry->server->pool))
        feed_starved(entry->server);
}

/* What is to be done when nothing is open. */
static void rest_or_leave(struct server *server)
{
    if (server->status.open > 0)
        return;
    if (server->stopping)
        (void)sd_event_exit(server->event, 0);
    server->idle_since = timer_now(server->event);
    if (server->limits->idle_exit && !timer_is_on(server->idle))
        timer_set(server->idle, server->idle_since + server->limits->idle_exit);
}

static void release(struct entry *entry)
{
    struct server *server = entry->server;

    queue_leave(&entry->waiter);
    leave_starved(entry);
    forget_message(entry);
    sd_event_source_disable_unref(entry->io);
    connection_close(&entry->connection, &server->pool);
    if (entry->source)
        sources_leave(&server->sources, entry->source);
    free(entry);
    server->status.open--;
    status_touch(&server->status);
    acceptor_allow(&server->acceptor, true);
    rest_or_leave(server);
}

static int on_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata);

/* Waits for events on the connection. Returns 0 or a negative errno value. */
static int wait_for(struct entry *entry, uint32_t events)
{
    if (entry->io)
        return sd_event_source_set_io_events(entry->io, events);
    return sd_event_add_io(entry->server->event, &entry->io, entry->connection.fd, events, on_ready,
                           entry);
}

/* The event loop can't wait for the connection: it ends, and no other. */
static void give_up(struct entry *entry, int error)
{
    if (entry->connection.state < CONNECTION_LINGERING) {
        connection_end(&entry->connection, &entry->server->pool, RESULT_ERROR);
        outcome_fail(&entry->connection.outcome, EX_OSERR, "cannot wait for the connection", error);
    }
    report(entry);
    release(entry);
}

/* Arranges what comes next after a step. */
static void proceed(struct entry *entry)
{
    struct server *server = entry->server;
    enum connection_state state = entry->connection.state;
    uint32_t events = EPOLLIN;
    int error;

    if (state >= CONNECTION_LINGERING) {
        report(entry);
        forget_message(entry);
    }
    if (state == CONNECTION_OVER) {
        release(entry);
        return;
    }
    if (state == CONNECTION_REPLYING)
        events = EPOLLOUT;
    if (state == CONNECTION_STARVED) {
        enter_starved(entry);
        events = 0; /* which still tells of a peer that is gone */
    }
    error = wait_for(entry, events);
    if (error < 0)
        give_up(entry, -error);
    else if (state == CONNECTION_LINGERING)
        queue_enter(&server->lingering, &entry->waiter, timer_now(server->event));
    else
        queue_enter(&server->exchanges, &entry->waiter, entry->connection.started);
}

static int on_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct entry *entry = userdata;

    (void)source, (void)fd, (void)revents;
    if (entry->starved)
        connection_end(&entry->connection, &entry->server->pool, RESULT_EOF);
    else
        connection_step(&entry->connection, &entry->server->pool);
    proceed(entry);
    return 0;
}

static void expire(struct waiter *waiter)
{
    struct entry *entry = (struct entry *)waiter;

    connection_end(&entry->connection, &entry->server->pool, RESULT_TIMEOUT);
    proceed(entry);
}

/* Counts the connection with its source. Returns whether it may stay. */
static bool enter_source(struct entry *entry)
{
    struct server *server = entry->server;

    if (server->limits->max_per_source >= server->limits->max_connections)
        return true;
    if (sources_enter(&server->sources, entry->connection.fd, &entry->connection.peer,
                      &entry->source) == SOURCES_ENTERED)
        return true;
    server->status.turned_away++;
    return false;
}

static bool admit(void *userdata, int fd, const struct sockaddr_storage *address)
{
    struct server *server = userdata;
    struct entry *entry = malloc(sizeof *entry);

    if (!entry) {
        close(fd);
        return false;
    }
    *entry = (struct entry){.server = server};
    connection_begin(&entry->connection, &server->pool, fd, address, deadline_clock());
    if (++server->status.open == server->limits->max_connections)
        acceptor_allow(&server->acceptor, false);
    if (!enter_source(entry)) {
        release(entry);
        return true;
    }
    /* More often than not the message is there already. */
    connection_step(&entry->connection, &server->pool);
    proceed(entry);
    return true;
}

/* --- the server --- */

static void stop(struct server *server)
{
    status_send(&server->status, "STOPPING=1");
    acceptor_close(&server->acceptor);
    server->stopping = true;
    timer_set(server->grace, timer_now(server->event) + server->limits->grace);
    rest_or_leave(server);
}

static int on_grace_over(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct server *server = userdata;

    (void)timer, (void)usec;
    queue_expire_all(&server->exchanges);
    queue_expire_all(&server->lingering);
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
    if (timer_now(server->event) < end)
        timer_set(timer, end);
    else
        stop(server);
    return 0;
}

static int add_signals(struct server *server)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    const size_t count = sizeof signals / sizeof signals[0];
    sigset_t set;
    int error = 0;

    sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    for (size_t i = 0; i < count && error >= 0; i++)
        error = sd_event_add_signal(server->event, NULL, signals[i], on_signal, server);
    return error;
}

static int set_up(struct server *server)
{
    int error = sd_event_new(&server->event);

    if (error < 0)
        return error;
    server->acceptor.event = server->event;
    if ((error = add_signals(server)) < 0 ||
        (error = status_open(&server->status, server->event, server->log)) < 0 ||
        (error = queue_open(&server->exchanges, server->event, server->settings->timeout, expire)) <
            0 ||
        (error = queue_open(&server->lingering, server->event, EXCHANGE_LINGER_USEC, expire)) < 0 ||
        (error = timer_add(server->event, &server->idle, on_idle, server)) < 0 ||
        (error = timer_add(server->event, &server->grace, on_grace_over, server)) < 0 ||
        (error = acceptor_open(&server->acceptor)) < 0)
        return error;
    return sd_event_set_watchdog(server->event, true);
}

static void tear_down(struct server *server)
{
    server->stopping = true;
    acceptor_close(&server->acceptor);
    queue_expire_all(&server->exchanges);
    queue_expire_all(&server->lingering);
    queue_close(&server->exchanges);
    queue_close(&server->lingering);
    status_close(&server->status);
    sd_event_source_unref(server->idle);
    sd_event_source_unref(server->grace);
    sd_event_unref(server->event);
}

static void begin(struct server *server, struct listeners *listeners)
{
    server->acceptor = (struct acceptor){
        .listeners = listeners,
        .log = server->log,
        .admit = admit,
        .userdata = server,
    };
    server->sources = (struct sources){.limit = server->limits->max_per_source};
    server->pool.settings = server->settings;
    server->pool.max_memory = server->limits->max_memory;
    TAILQ_INIT(&server->starved);
}

int server_run(struct listeners *listeners, const struct settings *settings,
               const struct server_limits *limits, struct log_queue *log)
{
    static struct server server; /* with the pool's input rather large for a stack */
    int error;

    server.settings = settings;
    server.limits = limits;
    server.log = log;
    begin(&server, listeners);
    error = set_up(&server);
    if (error >= 0) {
        status_send(&server.status, "READY=1");
        rest_or_leave(&server);
        error = sd_event_loop(server.event);
    }
    tear_down(&server);
    return error;
}
