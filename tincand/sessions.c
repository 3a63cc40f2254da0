/* SPDX-License-Identifier: MIT */
#include "tincand/sessions.h"

#include "common/clock.h"
#include "common/frame.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

struct session {
    struct loop_timeout timeout; /* first: expire() gets its address */
    struct connection connection;
    struct sessions *sessions;
    struct source *source; /* NULL where sources are not counted */
    uint32_t events;       /* polled for, if `polled` */
    TAILQ_ENTRY(session) link;
    bool polled;   /* the connection is in the poller */
    bool waiting;  /* for memory: in that list, by the link */
    bool reported; /* its result was counted and logged */
};

/* Counts and logs the result, once. */
static void report(struct session *session)
{
    struct sessions *sessions = session->sessions;
    struct result *result = &session->connection.result;
    struct peer peer;

    if (session->reported)
        return;
    session->reported = true;
    sessions->counts.results[result->code]++;
    sessions->counts.changes++;
    if (sessions->settings->quiet && result->code != RESULT_ERROR)
        return;
    if (sessions->settings->no_preview)
        result->message = NULL;
    connection_name(&session->connection, &peer);
    log_queue_result(sessions->log, result, peer.name);
}

/* Polls the connection for these events. Returns 0 or a negative errno value. */
static int poll_for(struct session *session, uint32_t events)
{
    struct loop_poller *poller = &session->sessions->poller;
    int fd = session->connection.fd, error = 0;

    if (!session->polled)
        error = loop_poller_add(poller, fd, events, session);
    else if (session->events != events)
        error = loop_poller_change(poller, fd, events, session);
    session->polled = error == 0;
    session->events = events;
    return error;
}

/* --- waiting for memory --- */

static void start_waiting(struct session *session)
{
    if (!session->waiting)
        TAILQ_INSERT_TAIL(&session->sessions->waiting, session, link);
    session->waiting = true;
}

static void stop_waiting(struct session *session)
{
    if (session->waiting)
        TAILQ_REMOVE(&session->sessions->waiting, session, link);
    session->waiting = false;
}

/* Lets as many sessions that wait for memory try again as there is some for. */
static void wake_waiting(struct sessions *sessions)
{
    size_t count = memory_wakeups(&sessions->workspace.memory);
    struct session *session;

    while (count-- > 0 && (session = TAILQ_FIRST(&sessions->waiting))) {
        stop_waiting(session);
        session->connection.state = CONNECTION_RECEIVING;
        (void)poll_for(session, EPOLLIN);
    }
}

static void free_message(struct session *session)
{
    if (connection_free_message(&session->connection, &session->sessions->workspace))
        wake_waiting(session->sessions);
}

/* --- one session --- */

static void close_session(struct session *session)
{
    struct sessions *sessions = session->sessions;

    loop_timeout_cancel(&session->timeout);
    stop_waiting(session);
    free_message(session);
    close(session->connection.fd);
    if (session->source)
        sources_leave(&sessions->sources, session->source);
    free(session);
    sessions->counts.open--;
    sessions->counts.changes++;
}

/* Ends a session whose connection can't be polled. */
static void fail_to_poll(struct session *session, int error)
{
    struct connection *connection = &session->connection;

    if (connection->state < CONNECTION_LINGERING) {
        connection_end(connection, &session->sessions->workspace, RESULT_ERROR);
        result_fail(&connection->result, EX_OSERR, "cannot wait for the connection", error);
    }
    report(session);
    close_session(session);
}

/* Sets what the session waits for next: an event, memory, a deadline. */
static void wait_for_next(struct session *session)
{
    struct sessions *sessions = session->sessions;
    enum connection_state state = session->connection.state;
    uint32_t events = state == CONNECTION_REPLYING ? EPOLLOUT : EPOLLIN;
    int error;

    if (state == CONNECTION_NEEDS_MEMORY) {
        start_waiting(session);
        events |= EPOLLET; /* more input than there is already, or a peer that left */
    } else {
        stop_waiting(session);
    }
    error = poll_for(session, events);
    if (error < 0)
        fail_to_poll(session, -error);
    else if (state == CONNECTION_LINGERING)
        loop_timeout_start(&sessions->lingering, &session->timeout, loop_now(sessions->event));
    else
        loop_timeout_start(&sessions->exchanges, &session->timeout, session->connection.started);
}

/* To be called whenever the state of the connection may have changed. May close the session. */
static void update(struct session *session)
{
    enum connection_state state = session->connection.state;

    if (state >= CONNECTION_LINGERING) {
        report(session);
        free_message(session);
    }
    if (state == CONNECTION_DONE)
        close_session(session);
    else
        wait_for_next(session);
}

static void on_ready(void *data, uint32_t events)
{
    struct session *session = data;
    struct workspace *workspace = &session->sessions->workspace;

    if (session->waiting && (events & (EPOLLHUP | EPOLLERR)))
        connection_end(&session->connection, workspace, RESULT_EOF);
    else
        connection_step(&session->connection, workspace);
    update(session);
}

static void expire(struct loop_timeout *timeout)
{
    struct session *session = (struct session *)timeout;

    connection_end(&session->connection, &session->sessions->workspace, RESULT_TIMEOUT);
    update(session);
}

/* --- all sessions --- */

/* Counts the connection with its source. Returns whether the source may have it. */
static bool enter_source(struct session *session)
{
    struct sessions *sessions = session->sessions;

    if (sessions->limits->max_per_source >= sessions->limits->max_connections)
        return true;
    session->source =
        sources_enter(&sessions->sources, session->connection.fd, &session->connection.peer);
    if (session->source)
        return true;
    sessions->counts.turned_away++;
    return false;
}

bool sessions_have_room(const struct sessions *sessions)
{
    return sessions->counts.open < sessions->limits->max_connections;
}

bool sessions_add(struct sessions *sessions, int fd, const struct sockaddr_storage *address)
{
    struct session *session = malloc(sizeof *session);

    if (!session) {
        close(fd);
        return false;
    }
    *session = (struct session){.sessions = sessions};
    connection_begin(&session->connection, &sessions->workspace, fd, address, clock_usec());
    sessions->counts.open++;
    sessions->counts.changes++;
    if (!enter_source(session)) {
        close_session(session);
        return true;
    }
    /* More often than not the message has arrived with the connection. */
    connection_step(&session->connection, &sessions->workspace);
    update(session);
    return true;
}

int sessions_open(struct sessions *sessions)
{
    int error;

    sessions->workspace.settings = sessions->settings;
    memory_init(&sessions->workspace.memory, (size_t)sessions->limits->max_memory,
                (size_t)sessions->settings->max_bytes);
    sessions->sources = (struct sources){.limit = (size_t)sessions->limits->max_per_source};
    TAILQ_INIT(&sessions->waiting);
    error = loop_poller_open(&sessions->poller, sessions->event, on_ready);
    if (error < 0)
        return error;
    error = loop_timeouts_open(&sessions->exchanges, sessions->event, sessions->settings->timeout,
                               expire);
    if (error < 0)
        return error;
    return loop_timeouts_open(&sessions->lingering, sessions->event, FRAME_LINGER_USEC, expire);
}

void sessions_end_all(struct sessions *sessions)
{
    loop_timeouts_expire_all(&sessions->exchanges);
    loop_timeouts_expire_all(&sessions->lingering);
}

void sessions_close(struct sessions *sessions)
{
    loop_poller_close(&sessions->poller);
    loop_timeouts_close(&sessions->exchanges);
    loop_timeouts_close(&sessions->lingering);
}
