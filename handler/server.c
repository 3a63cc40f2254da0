/* SPDX-License-Identifier: MIT */
#include "server.h"

#include "connection.h"
#include "deadline.h"
#include "exchange.h"
#include "sources.h"
#include "tally.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sysexits.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

/* Connections accepted from one socket before the others, and those that are open, have their turn.
 */
#define ACCEPT_TURN 64

/* How long accepting rests when the system has no descriptor or memory for a connection. */
#define REST_USEC UINT64_C(100000)

/* The least time from one to the next, in us. */
#define STATUS_USEC    UINT64_C(1000000)
#define COMPLAINT_USEC UINT64_C(1000000)

#define TIMER_SLACK                                                                                \
    UINT64_C(1000) /* timers may be this late, in us, so that they go off together */

/* One of the connections. */
struct entry {
    struct connection connection;
    struct server *server;
    struct source *source;
    sd_event_source *io; /* NULL until it has to wait for the first time */
    uint64_t deadline;
    struct queue *queue; /* NULL until then, too */
    TAILQ_ENTRY(entry) in_queue, in_starved;
    bool starved;  /* is in that list */
    bool reported; /* its outcome is counted and logged */
};

TAILQ_HEAD(entries, entry);

/* Connections in the order of their deadlines, which is that of their coming: all are given the
 * same time. So one timer is enough for all. */
struct queue {
    struct server *server;
    struct entries entries;
    uint64_t usec;          /* what each is given */
    sd_event_source *timer; /* where it is on: not later than the deadline of the first */
};

struct server {
    sd_event *event;
    struct listeners *listeners;
    const struct server_limits *limits;
    const struct settings *settings;
    struct log_queue *log;
    sd_event_source *accepting[LISTENERS_MOST];
    sd_event_source *rest, *status, *idle, *grace;
    struct queue exchanges, lingering;
    struct entries starved;
    struct sources sources;
    struct tally tally;
    uint64_t status_sent, complained, idle_since; /* on the event loop's clock */
    bool accepts;                                 /* the listening sockets are looked at */
    bool resting;                                 /* accepting has to wait for the system */
    bool stopping;                                /* nothing more is accepted */
    struct pool pool;
};

/* --- timers --- */

static uint64_t now(const struct server *server)
{
    uint64_t usec = 0;

    (void)sd_event_now(server->event, CLOCK_MONOTONIC, &usec);
    return usec;
}

/* Adds a timer that is off. Returns 0 or a negative errno value. */
static int add_timer(struct server *server, sd_event_source **timer,
                     sd_event_time_handler_t handler, void *userdata)
{
    int error =
        sd_event_add_time(server->event, timer, CLOCK_MONOTONIC, 0, TIMER_SLACK, handler, userdata);

    return error < 0 ? error : sd_event_source_set_enabled(*timer, SD_EVENT_OFF);
}

static void set_timer(sd_event_source *timer, uint64_t usec)
{
    (void)sd_event_source_set_time(timer, usec);
    (void)sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static bool is_on(sd_event_source *timer)
{
    return sd_event_source_get_enabled(timer, NULL) > 0;
}

/* --- what the operator is told --- */

static int send_status(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct server *server = userdata;
    char buffer[512];
    struct text text;

    (void)timer;
    server->status_sent = usec;
    server->tally.lost_lines = log_queue_dropped(server->log);
    text_init(&text, buffer, sizeof buffer);
    tally_add(&server->tally, &text);
    (void)sd_notifyf(0, "STATUS=%s", text.start);
    return 0;
}

/* The status has changed; it is sent at most once a second. */
static void touch_status(struct server *server)
{
    if (!is_on(server->status))
        set_timer(server->status, server->status_sent + STATUS_USEC);
}

/* Counts and logs the outcome of a connection, once. */
static void report(struct entry *entry)
{
    struct server *server = entry->server;
    struct outcome *outcome = &entry->connection.outcome;
    struct peer peer;

    if (entry->reported)
        return;
    entry->reported = true;
    server->tally.results[outcome->result]++;
    touch_status(server);
    if (server->settings->quiet && outcome->result != RESULT_ERROR)
        return;
    if (server->settings->no_preview)
        outcome->message = NULL;
    connection_name(&entry->connection, &peer);
    log_queue_outcome(server->log, outcome, peer.name);
}

/* --- accepting, or not --- */

/* Looks at the listening sockets where connections can be had, and else leaves them to the kernel.
 */
static void set_accepting(struct server *server)
{
    bool accepts = !server->stopping && !server->resting &&
                   server->tally.open < server->limits->max_connections;

    if (accepts == server->accepts)
        return;
    server->accepts = accepts;
    for (size_t i = 0; i < server->listeners->count; i++)
        (void)sd_event_source_set_enabled(server->accepting[i],
                                          accepts ? SD_EVENT_ON : SD_EVENT_OFF);
}

static int end_rest(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct server *server = userdata;

    (void)timer, (void)usec;
    server->resting = false;
    set_accepting(server);
    return 0;
}

/* The listening sockets stay ready while connections can't be accepted: looking at them would be
 * spinning. */
static void rest(struct server *server, int error)
{
    char buffer[256];
    struct text sentence;

    text_init(&sentence, buffer, sizeof buffer);
    text_add(&sentence, "cannot accept connections for the moment: ");
    text_add(&sentence, strerror(error));
    text_add(&sentence,
             "; they wait in the kernel's queue; see LimitNOFILE= and --max-connections");
    if (now(server) >= server->complained + COMPLAINT_USEC) {
        server->complained = now(server);
        log_queue_sentence(server->log, LOG_ERR, sentence.start);
    }
    server->resting = true;
    set_timer(server->rest, now(server) + REST_USEC);
    set_accepting(server);
}

/* --- the life of a connection --- */

static int on_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata);

/* The server is done when nothing is open and nothing more is accepted. */
static void leave_if_done(struct server *server)
{
    if (server->tally.open > 0)
        return;
    if (server->stopping)
        (void)sd_event_exit(server->event, 0);
    server->idle_since = now(server);
    if (server->limits->idle_exit && !is_on(server->idle))
        set_timer(server->idle, server->idle_since + server->limits->idle_exit);
}

static void enter_starved(struct entry *entry)
{
    if (!entry->starved)
        TAILQ_INSERT_TAIL(&entry->server->starved, entry, in_starved);
    entry->starved = true;
}

static void leave_starved(struct entry *entry)
{
    if (entry->starved)
        TAILQ_REMOVE(&entry->server->starved, entry, in_starved);
    entry->starved = false;
}

/* Lets those who wait for memory try again, as many as there is some for. */
static void feed_starved(struct server *server)
{
    size_t most = 1 + (server->pool.max_memory - server->pool.used_memory) / CONNECTION_TURN_BYTES;
    struct entry *entry;

    while (most-- > 0 && (entry = TAILQ_FIRST(&server->starved))) {
        leave_starved(entry);
        entry->connection.state = CONNECTION_RECEIVING;
        (void)sd_event_source_set_io_events(entry->io, EPOLLIN);
    }
}

static void forget_message(struct entry *entry)
{
    struct server *server = entry->server;
    bool had_memory = entry->connection.size > 0;

    connection_forget(&entry->connection, &server->pool);
    if (had_memory)
        feed_starved(server);
}

static void leave_queue(struct entry *entry)
{
    if (entry->queue)
        TAILQ_REMOVE(&entry->queue->entries, entry, in_queue);
    entry->queue = NULL;
}

static void enter_queue(struct entry *entry, struct queue *queue, uint64_t since)
{
    if (entry->queue == queue)
        return;
    leave_queue(entry);
    entry->queue = queue;
    entry->deadline = since + queue->usec;
    TAILQ_INSERT_TAIL(&queue->entries, entry, in_queue);
    if (!is_on(queue->timer))
        set_timer(queue->timer, entry->deadline);
}

/* Waits for events on the connection. Returns 0 or a negative errno value. */
static int wait_for(struct entry *entry, uint32_t events)
{
    struct server *server = entry->server;

    if (entry->io)
        return sd_event_source_set_io_events(entry->io, events);
    return sd_event_add_io(server->event, &entry->io, entry->connection.fd, events, on_ready,
                           entry);
}

static void release(struct entry *entry)
{
    struct server *server = entry->server;

    leave_queue(entry);
    leave_starved(entry);
    forget_message(entry);
    sd_event_source_disable_unref(entry->io);
    connection_close(&entry->connection, &server->pool);
    if (entry->source)
        sources_leave(&server->sources, entry->source);
    free(entry);
    server->tally.open--;
    set_accepting(server);
    leave_if_done(server);
}

/* A connection that the event loop has no memory for: it ends, and no other. */
static void give_up(struct entry *entry, int error)
{
    if (entry->connection.state < CONNECTION_LINGERING) {
        connection_end(&entry->connection, &entry->server->pool, RESULT_ERROR);
        outcome_fail(&entry->connection.outcome, EX_OSERR, "cannot wait for the connection", error);
    }
    report(entry);
    release(entry);
}

/* Arranges what is to come after a step. */
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
    if (state == CONNECTION_STARVED) {
        enter_starved(entry);
        events = 0; /* which still tells of a peer that is gone */
    } else if (state == CONNECTION_REPLYING) {
        events = EPOLLOUT;
    }
    error = wait_for(entry, events);
    if (error < 0)
        give_up(entry, -error);
    else if (state == CONNECTION_LINGERING)
        enter_queue(entry, &server->lingering, now(server));
    else
        enter_queue(entry, &server->exchanges, entry->connection.started);
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

static void end_all(struct queue *queue, uint64_t deadline)
{
    struct entry *entry;

    while ((entry = TAILQ_FIRST(&queue->entries)) && entry->deadline <= deadline) {
        connection_end(&entry->connection, &queue->server->pool, RESULT_TIMEOUT);
        proceed(entry);
    }
}

static int on_deadline(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct queue *queue = userdata;

    (void)usec;
    end_all(queue, now(queue->server));
    if (!TAILQ_EMPTY(&queue->entries))
        set_timer(timer, TAILQ_FIRST(&queue->entries)->deadline);
    return 0;
}

/* --- from a listening socket to a connection --- */

/* Counts the connection with its source. Returns whether it may stay. */
static bool enter_source(struct entry *entry)
{
    struct server *server = entry->server;

    if (server->sources.limit >= server->limits->max_connections)
        return true;
    if (sources_enter(&server->sources, entry->connection.fd, &entry->connection.peer,
                      &entry->source) == SOURCES_ENTERED)
        return true;
    server->tally.turned_away++;
    touch_status(server);
    return false;
}

static void admit(struct server *server, int fd, const struct sockaddr_storage *address)
{
    struct entry *entry = malloc(sizeof *entry);

    if (!entry) {
        close(fd);
        rest(server, ENOMEM);
        return;
    }
    *entry = (struct entry){.server = server};
    connection_begin(&entry->connection, &server->pool, fd, address, deadline_clock());
    server->tally.open++;
    if (!enter_source(entry)) {
        release(entry);
        return;
    }
    /* More often than not the message is there already. */
    connection_step(&entry->connection, &server->pool);
    proceed(entry);
}

/* Accepts a connection. Returns whether there may be another. */
static bool accept_one(struct server *server, int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof address;
    int connection = accept4(fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (connection >= 0) {
        admit(server, connection, &address);
        return true;
    }
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        rest(server, errno);
        return false;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
        (void)sd_event_exit(server->event, -errno);
        return false;
    default:
        return true; /* what befell that one connection, says accept(2), is no matter */
    }
}

static int on_listener(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct server *server = userdata;

    (void)source, (void)revents;
    for (int turn = 0; turn < ACCEPT_TURN && server->accepts; turn++) {
        if (!accept_one(server, fd))
            break;
        set_accepting(server);
    }
    return 0;
}

/* --- from beginning to end --- */

/* What waits in the queue of a socket that is ours alone would be lost with it. What was handed
 * over stays open with who handed it over, and the next server serves those who wait. */
static void take_waiting(struct server *server)
{
    for (size_t i = 0; i < server->listeners->count; i++)
        while (server->listeners->list[i].own &&
               server->tally.open < server->limits->max_connections &&
               accept_one(server, server->listeners->list[i].fd))
            ;
}

static void stop(struct server *server)
{
    server->stopping = true;
    (void)sd_notify(0, "STOPPING=1");
    set_accepting(server);
    take_waiting(server);
    for (size_t i = 0; i < server->listeners->count; i++)
        server->accepting[i] = sd_event_source_disable_unref(server->accepting[i]);
    listeners_close(server->listeners);
    set_timer(server->grace, now(server) + server->limits->grace);
    leave_if_done(server);
}

static int on_grace_over(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct server *server = userdata;

    (void)timer, (void)usec;
    end_all(&server->exchanges, UINT64_MAX);
    end_all(&server->lingering, UINT64_MAX);
    return 0;
}

/* A second signal is somebody who doesn't want to wait. */
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

    if (server->tally.open > 0)
        return 0;
    if (usec < end)
        set_timer(timer, end);
    else
        stop(server);
    return 0;
}

static int add_signals(struct server *server)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        int error = sd_event_add_signal(server->event, NULL, signals[i], on_signal, server);
        if (error < 0)
            return error;
    }
    return 0;
}

static int add_timers(struct server *server)
{
    const struct {
        sd_event_source **timer;
        sd_event_time_handler_t handler;
        void *userdata;
    } timers[] = {
        {&server->exchanges.timer, on_deadline, &server->exchanges},
        {&server->lingering.timer, on_deadline, &server->lingering},
        {&server->status, send_status, server},
        {&server->rest, end_rest, server},
        {&server->idle, on_idle, server},
        {&server->grace, on_grace_over, server},
    };

    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
        int error = add_timer(server, timers[i].timer, timers[i].handler, timers[i].userdata);
        if (error < 0)
            return error;
    }
    return 0;
}

static int add_listeners(struct server *server)
{
    for (size_t i = 0; i < server->listeners->count; i++) {
        int error = sd_event_add_io(server->event, &server->accepting[i],
                                    server->listeners->list[i].fd, EPOLLIN, on_listener, server);
        if (error < 0)
            return error;
    }
    server->accepts = true;
    return 0;
}

static int set_up(struct server *server)
{
    int error = sd_event_new(&server->event);

    if (error < 0 || (error = add_signals(server)) < 0 || (error = add_timers(server)) < 0 ||
        (error = add_listeners(server)) < 0 ||
        (error = sd_event_set_watchdog(server->event, true)) < 0)
        return error;
    return 0;
}

static void tear_down(struct server *server)
{
    sd_event_source *timers[] = {server->exchanges.timer,
                                 server->lingering.timer,
                                 server->status,
                                 server->rest,
                                 server->idle,
                                 server->grace};

    end_all(&server->exchanges, UINT64_MAX);
    end_all(&server->lingering, UINT64_MAX);
    for (size_t i = 0; i < server->listeners->count; i++)
        sd_event_source_unref(server->accepting[i]);
    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++)
        sd_event_source_unref(timers[i]);
    sd_event_unref(server->event);
    listeners_close(server->listeners);
}

int server_run(struct listeners *listeners, const struct settings *settings,
               const struct server_limits *limits, struct log_queue *log)
{
    static struct server server; /* with the pool's input rather large for a stack */
    int error;

    server =
        (struct server){.listeners = listeners, .settings = settings, .limits = limits, .log = log};
    server.exchanges = (struct queue){.server = &server, .usec = settings->timeout};
    server.lingering = (struct queue){.server = &server, .usec = EXCHANGE_LINGER_USEC};
    TAILQ_INIT(&server.exchanges.entries);
    TAILQ_INIT(&server.lingering.entries);
    TAILQ_INIT(&server.starved);
    server.sources.limit = limits->max_per_source;
    server.pool.settings = settings;
    server.pool.max_memory = limits->max_memory;
    error = set_up(&server);
    if (error >= 0) {
        (void)sd_notify(0, "READY=1\nSTATUS=open 0, echoed 0");
        leave_if_done(&server);
        error = sd_event_loop(server.event);
    }
    tear_down(&server);
    return error;
}
