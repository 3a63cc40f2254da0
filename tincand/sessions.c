/* SPDX-License-Identifier: MIT */
#include "tincand/sessions.h"

#include "common/clock.h"
#include "common/frame.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#define NO_MEMORY "cannot get memory for the connection"

/* How many connections that waited for memory continue before others are served. */
#define RESUME_BATCH 64

/* How often slow connections are looked for while others wait for memory. */
#define MEMORY_RETRY_USEC UINT64_C(100000)

/* How often draining looks at the clock. */
#define DRAIN_POLL_USEC UINT64_C(10000)

struct session {
    struct loop_timeout timeout; /* first: expire() gets its address */
    struct connection connection;
    struct sessions *sessions;
    struct source *source; /* NULL where sources are not counted */
    uint32_t events;       /* polled for, if `polled` */
    bool polled;           /* the connection is in the poller */
    bool reported;         /* its result was counted and logged */
};

/* Counts and logs the result of an exchange. */
static void log_result(struct sessions *sessions, struct result *result, const struct peer *peer)
{
    sessions->counts.results[result->code]++;
    sessions->counts.changes++;
    if (sessions->settings->quiet && result->code != RESULT_ERROR)
        return;
    if (sessions->settings->no_preview)
        result->message = NULL;
    log_queue_result(sessions->log, result, peer->name);
}

/* Counts and logs the result of the session, once. */
static void report(struct session *session)
{
    struct peer peer;

    if (session->reported)
        return;
    session->reported = true;
    connection_name(&session->connection, &peer);
    log_result(session->sessions, &session->connection.result, &peer);
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

/* --- one session --- */

static void close_session(struct session *session)
{
    struct sessions *sessions = session->sessions;

    loop_timeout_cancel(&session->timeout);
    connection_free_message(&session->connection, &sessions->workspace);
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
    uint32_t events = connection_wants_input(&session->connection) ? EPOLLIN : 0;
    int error;

    if (state == CONNECTION_NEEDS_MEMORY) {
        memory_wait(&sessions->workspace.memory, &session->connection.buffer);
        events |= EPOLLET; /* more input than there is already, or a peer that left */
    } else {
        memory_stop_waiting(&sessions->workspace.memory, &session->connection.buffer);
    }
    if (state == CONNECTION_REPLYING)
        events |= EPOLLOUT;
    else if (events == 0)
        events = EPOLLET; /* only a peer that left */
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

    if (connection_is_decided(&session->connection)) {
        report(session);
        connection_free_message(&session->connection, &session->sessions->workspace);
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

    if (session->connection.buffer.waiting && (events & (EPOLLHUP | EPOLLERR)))
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

/* --- waiting for memory --- */

static struct session *session_of(struct buffer *buffer)
{
    return (struct session *)((char *)buffer - offsetof(struct session, connection.buffer));
}

/* Ends a slow connection, for others that wait for its memory. */
static void end_slow(struct session *session)
{
    struct connection *connection = &session->connection;

    connection_end(connection, &session->sessions->workspace, RESULT_TIMEOUT);
    if (connection->result.code == RESULT_TIMEOUT) /* else its exchange was over, and it lingered */
        connection->result.error = "other peers needed its memory";
    update(session);
}

/* Lets one connection that waits for memory continue. Returns whether there was one. */
static bool resume_one(struct sessions *sessions)
{
    struct memory *memory = &sessions->workspace.memory;
    struct buffer *buffer = memory_next(memory);

    if (buffer) {
        connection_step(&session_of(buffer)->connection, &sessions->workspace);
        update(session_of(buffer));
        return true;
    }
    buffer = memory_slow(memory, clock_usec());
    if (buffer)
        end_slow(session_of(buffer));
    return buffer != NULL;
}

bool sessions_resume(struct sessions *sessions)
{
    if (!memory_has_changed(&sessions->workspace.memory))
        return false;
    for (int i = 0; i < RESUME_BATCH; i++)
        if (!resume_one(sessions)) {
            if (memory_is_contended(&sessions->workspace.memory) &&
                !loop_timer_is_set(sessions->memory_retry))
                loop_timer_set(sessions->memory_retry,
                               loop_now(sessions->event) + MEMORY_RETRY_USEC);
            return false;
        }
    return true;
}

/* Connections become slow as time passes; sessions_resume() does the rest. */
static int on_memory_retry(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct sessions *sessions = userdata;

    (void)timer, (void)usec;
    memory_retry(&sessions->workspace.memory);
    return 0;
}

/* --- all sessions --- */

/* Sources are not counted where each may have all connections. */
static bool counts_sources(const struct sessions *sessions)
{
    return sessions->limits->max_per_source < sessions->limits->max_connections;
}

/* Counts the connection with its source. Returns whether it may stay; otherwise it has its result,
 * or its source is at its limit, which is counted and not logged. */
static bool enter_source(struct session *session)
{
    struct sessions *sessions = session->sessions;

    session->connection.buffer.share = &sessions->all;
    if (!counts_sources(sessions))
        return true;
    session->source =
        sources_enter(&sessions->sources, session->connection.fd, &session->connection.peer);
    if (!session->source && errno == EUSERS) {
        sessions->counts.turned_away++;
        return false;
    }
    if (!session->source) {
        result_fail(&session->connection.result, EX_OSERR, NO_MEMORY, errno);
        report(session);
        return false;
    }
    session->connection.buffer.share = &session->source->memory;
    return true;
}

/* Closes and logs a connection for which there is no session. */
static void refuse_without_memory(struct sessions *sessions, int fd,
                                  const struct sockaddr_storage *address)
{
    struct peer peer = {.address = *address};
    struct result result = {0};

    result_fail(&result, EX_OSERR, NO_MEMORY, ENOMEM);
    peer_name(&peer, fd);
    log_result(sessions, &result, &peer);
    close(fd);
}

bool sessions_have_room(const struct sessions *sessions)
{
    return sessions->counts.open < sessions->limits->max_connections;
}

bool sessions_add(struct sessions *sessions, int fd, const struct sockaddr_storage *address)
{
    struct session *session = malloc(sizeof *session);

    if (!session) {
        refuse_without_memory(sessions, fd, address);
        return false;
    }
    *session = (struct session){.sessions = sessions};
    connection_begin(&session->connection, &sessions->workspace, fd, address);
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
    memory_init(&sessions->workspace.memory, sessions->limits->max_memory,
                (size_t)sessions->settings->max_bytes, counts_sources(sessions));
    memory_share_init(&sessions->all);
    sessions->sources = (struct sources){.limit = (size_t)sessions->limits->max_per_source};
    error = loop_poller_open(&sessions->poller, sessions->event, on_ready);
    if (error < 0)
        return error;
    error = loop_timeouts_open(&sessions->exchanges, sessions->event, sessions->settings->timeout,
                               expire);
    if (error < 0)
        return error;
    error = loop_timeouts_open(&sessions->lingering, sessions->event, FRAME_LINGER_USEC, expire);
    if (error < 0)
        return error;
    return loop_timer_add(sessions->event, &sessions->memory_retry, on_memory_retry, sessions);
}

void sessions_drain(struct sessions *sessions, uint64_t usec)
{
    uint64_t end = clock_usec() + usec;

    while (sessions->counts.open > 0 && clock_usec() < end) {
        bool busy = sessions_resume(sessions);
        loop_poller_run(&sessions->poller, busy ? 0 : DRAIN_POLL_USEC);
    }
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
    sessions->memory_retry = sd_event_source_unref(sessions->memory_retry);
    memory_end(&sessions->workspace.memory);
}
