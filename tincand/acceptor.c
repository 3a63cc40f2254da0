/* SPDX-License-Identifier: MIT */
#include "tincand/acceptor.h"

#include "tincand/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <syslog.h>

/* Connections accepted from one socket before the other sockets and the sessions are served. */
#define ACCEPT_BATCH 64

/* How long accepting is paused when the system has no descriptor or memory for a connection. */
#define RETRY_USEC UINT64_C(100000)

/* The shortest time between two log lines about that. */
#define LOG_INTERVAL_USEC UINT64_C(1000000)

/* Returns what to do about an error of accept(2) that may last. */
static const char *advice_for(int error)
{
    switch (error) {
    case EMFILE:
        return "raise that limit (LimitNOFILE=), or lower --max-connections";
    case ENFILE:
        return "raise fs.file-max, the limit of the whole machine";
    case EACCES:
    case EPERM:
        return "a firewall or a security module forbids it";
    default:
        return "the machine is short of memory";
    }
}

static void log_error(struct acceptor *acceptor, int error)
{
    char buffer[256];
    struct text sentence;
    uint64_t now = loop_now(acceptor->event);

    if (acceptor->error_logged && now < acceptor->error_logged + LOG_INTERVAL_USEC)
        return;
    acceptor->error_logged = now;
    text_init(&sentence, buffer, sizeof buffer);
    text_addf(&sentence,
              "cannot accept connections for the moment: %s; they wait in the kernel's queue; %s",
              strerror(error), advice_for(error));
    log_queue_sentence(acceptor->log, LOG_ERR, sentence.start);
}

static int set_polling(struct acceptor *acceptor, bool polling)
{
    int error = 0;

    acceptor->polling = polling;
    for (size_t i = 0; i < acceptor->listeners->count && error >= 0; i++)
        error =
            sd_event_source_set_enabled(acceptor->sources[i], polling ? SD_EVENT_ON : SD_EVENT_OFF);
    return error;
}

static void pause_accepting(struct acceptor *acceptor, int error)
{
    log_error(acceptor, error);
    loop_timer_set(acceptor->retry, loop_now(acceptor->event) + RETRY_USEC);
    (void)set_polling(acceptor, false);
}

/* Expiring ends the pause; acceptor_update() does the rest. */
static int on_retry(sd_event_source *timer, uint64_t usec, void *userdata)
{
    (void)timer, (void)usec, (void)userdata;
    return 0;
}

static bool may_accept(const struct acceptor *acceptor)
{
    return sessions_have_room(acceptor->sessions) && !loop_timer_is_set(acceptor->retry);
}

void acceptor_update(struct acceptor *acceptor)
{
    bool polling = acceptor->retry && may_accept(acceptor);
    int error = 0;

    if (polling != acceptor->polling)
        error = set_polling(acceptor, polling);
    if (error < 0)
        pause_accepting(acceptor, -error);
}

/* Handles an error of accept(2). Returns whether to accept the next connection at once. */
static bool handle_error(struct acceptor *acceptor, int error)
{
    switch (error) {
    case EAGAIN:
        return false;
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EOPNOTSUPP:
        return true; /* an error of that one connection, says accept(2) */
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
        (void)sd_event_exit(acceptor->event, -error);
        return false;
    default:
        pause_accepting(acceptor, error); /* descriptors, memory, or a policy: it may last */
        return false;
    }
}

/* Accepts a connection. Returns whether to accept the next one at once. */
static bool accept_one(struct acceptor *acceptor, int listener)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof address;
    int fd = accept4(listener, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return handle_error(acceptor, errno);
    return sessions_add(acceptor->sessions, fd, &address) || handle_error(acceptor, ENOMEM);
}

static void accept_some(struct acceptor *acceptor, int listener, int most)
{
    while (most-- > 0 && may_accept(acceptor))
        if (!accept_one(acceptor, listener))
            break;
}

static int on_listener(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    (void)source, (void)revents;
    accept_some(userdata, fd, ACCEPT_BATCH);
    return 0;
}

int acceptor_open(struct acceptor *acceptor)
{
    int error = loop_timer_add(acceptor->event, &acceptor->retry, on_retry, acceptor);

    for (size_t i = 0; i < acceptor->listeners->count && error >= 0; i++)
        error = sd_event_add_io(acceptor->event, &acceptor->sources[i],
                                acceptor->listeners->list[i].fd, EPOLLIN, on_listener, acceptor);
    acceptor->polling = true;
    return error;
}

void acceptor_close(struct acceptor *acceptor)
{
    for (size_t i = 0; i < acceptor->listeners->count; i++)
        if (acceptor->retry && acceptor->listeners->list[i].own)
            accept_some(acceptor, acceptor->listeners->list[i].fd, SOMAXCONN);
    for (size_t i = 0; i < LISTENERS_MAX; i++)
        acceptor->sources[i] = sd_event_source_disable_unref(acceptor->sources[i]);
    acceptor->retry = sd_event_source_disable_unref(acceptor->retry);
    listeners_close(acceptor->listeners);
}
