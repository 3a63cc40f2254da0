/* SPDX-License-Identifier: MIT */
#include "tincand/sessions.h"

#include "common/clock.h"
#include "common/frame.h"
#include "tincand/loop.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

struct session {
    struct loop_timeout timeout; /* first; for the deadline */
    struct connection connection;
    struct sessions *sessions;
    struct source *source; /* NULL where sources are not counted */
    uint32_t events;       /* waited for; meaningless unless `waits` */
    TAILQ_ENTRY(session) link;
    bool waits;    /* it had to wait, and is the poller's since then */
    bool starved;  /* is in that list, by the link */
    bool reported; /* its outcome is counted and logged */
};

/* Counts and logs the outcome, once. */
static void report(struct session *session)
{
    struct sessions *sessions = session->sessions;
    struct result *result = &session->connection.result;
    struct peer peer;

    if (session->reported)
        return;
    session->reported = true;
    sessions->status->results[result->code]++;
    status_touch(sessions->status);
    if (sessions->settings->quiet && result->code != RESULT_ERROR)
        return;
    if (sessions->settings->no_preview)
        result->message = NULL;
    connection_name(&session->connection, &peer);
    log_queue_result(sessions->log, result, peer.name);
}

static void enter_starved(struct session *session)
{
    if (!session->starved)
        TAILQ_INSERT_TAIL(&session->sessions->starved, session, link);
    session->starved = true;
}

static void leave_starved(struct session *session)
{
    if (session->starved)
        TAILQ_REMOVE(&session->sessions->starved, session, link);
    session->starved = false;
}

/* Waits for events on the connection. Returns 0 or a negative errno value. */
static int wait_for(struct session *session, uint32_t events)
{
    struct loop_poller *poller = &session->sessions->poller;
    int fd = session->connection.fd, error = 0;

    if (!session->waits)
        error = loop_poller_add(poller, fd, events, session);
    else if (session->events != events)
        error = loop_poller_change(poller, fd, events, session);
    session->waits = error == 0;
    session->events = events;
    return error;
}

/* Lets those who wait for memory try again, as many as there is some for. */
static void feed_starved(struct sessions *sessions)
{
    size_t turns = connection_turns(&sessions->pool);
    struct session *session;

    while (turns-- > 0 && (session = TAILQ_FIRST(&sessions->starved))) {
        leave_starved(session);
        session->connection.state = CONNECTION_RECEIVING;
        (void)wait_for(session, EPOLLIN);
    }
}

static void forget_message(struct session *session)
{
    if (connection_forget(&session->connection, &session->sessions->pool))
        feed_starved(session->sessions);
}

static void release(struct session *session)
{
    struct sessions *sessions = session->sessions;

    loop_timeout_cancel(&session->timeout);
    leave_starved(session);
    forget_message(session);
    close(session->connection.fd);
    if (session->source)
        sources_leave(&sessions->sources, session->source);
    free(session);
    sessions->status->open--;
    status_touch(sessions->status);
    sessions->released(sessions->userdata);
}

/* The event loop can't wait for the connection: it ends, and no other. */
static void give_up(struct session *session, int error)
{
    if (session->connection.state < CONNECTION_LINGERING) {
        connection_end(&session->connection, &session->sessions->pool, RESULT_ERROR);
        result_fail(&session->connection.result, EX_OSERR, "cannot wait for the connection", error);
    }
    report(session);
    release(session);
}

/* Arranges what comes next after a step. */
static void proceed(struct session *session)
{
    struct sessions *sessions = session->sessions;
    enum connection_state state = session->connection.state;
    uint32_t events = EPOLLIN;
    int error;

    if (state >= CONNECTION_LINGERING) {
        report(session);
        forget_message(session);
    }
    if (state == CONNECTION_OVER) {
        release(session);
        return;
    }
    if (state == CONNECTION_REPLYING)
        events = EPOLLOUT;
    if (state == CONNECTION_STARVED) {
        enter_starved(session);
        events = EPOLLIN | EPOLLET; /* only more than there is already, or a peer that is gone */
    } else {
        leave_starved(session);
    }
    error = wait_for(session, events);
    if (error < 0)
        give_up(session, -error);
    else if (state == CONNECTION_LINGERING)
        loop_timeout_start(&sessions->lingering, &session->timeout, loop_now(sessions->event));
    else
        loop_timeout_start(&sessions->exchanges, &session->timeout, session->connection.started);
}

static void on_ready(void *data, uint32_t events)
{
    struct session *session = data;

    if (session->starved && (events & (EPOLLHUP | EPOLLERR)))
        connection_end(&session->connection, &session->sessions->pool, RESULT_EOF);
    else
        connection_step(&session->connection, &session->sessions->pool);
    proceed(session);
}

static void expire(struct loop_timeout *timeout)
{
    struct session *session = (struct session *)timeout;

    connection_end(&session->connection, &session->sessions->pool, RESULT_TIMEOUT);
    proceed(session);
}

/* Counts the connection with its source. Returns whether it may stay. */
static bool enter_source(struct session *session)
{
    struct sessions *sessions = session->sessions;

    if (sessions->limits->max_per_source >= sessions->limits->max_connections)
        return true;
    session->source =
        sources_enter(&sessions->sources, session->connection.fd, &session->connection.peer);
    if (session->source)
        return true;
    sessions->status->turned_away++;
    return false;
}

bool sessions_admit(struct sessions *sessions, int fd, const struct sockaddr_storage *address)
{
    struct session *session = malloc(sizeof *session);

    if (!session) {
        close(fd);
        return false;
    }
    *session = (struct session){.sessions = sessions};
    connection_begin(&session->connection, &sessions->pool, fd, address, clock_usec());
    sessions->status->open++;
    status_touch(sessions->status);
    if (!enter_source(session)) {
        release(session);
        return true;
    }
    /* More often than not the message is there already. */
    connection_step(&session->connection, &sessions->pool);
    proceed(session);
    return true;
}

int sessions_open(struct sessions *sessions)
{
    int error;

    sessions->pool.settings = sessions->settings;
    sessions->pool.max_memory = sessions->limits->max_memory;
    sessions->sources = (struct sources){.limit = sessions->limits->max_per_source};
    TAILQ_INIT(&sessions->starved);
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
