/* SPDX-License-Identifier: MIT */
#include "tincand/acceptor.h"

#include "tincand/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>

/* Connections accepted from one socket before the others, and those that are open, have their turn.
 */
#define TURN 64

/* How long accepting rests when the system has no descriptor or memory for a connection. */
#define REST_USEC UINT64_C(100000)

/* The least time from one complaint about that to the next. */
#define COMPLAINT_USEC UINT64_C(1000000)

static void complain(struct acceptor *acceptor, int error)
{
    char buffer[256];
    struct text sentence;
    uint64_t now = loop_now(acceptor->event);

    if (acceptor->complained && now < acceptor->complained + COMPLAINT_USEC)
        return;
    acceptor->complained = now;
    text_init(&sentence, buffer, sizeof buffer);
    text_add(&sentence, "cannot accept connections for the moment: ");
    text_add(&sentence, strerror(error));
    text_add(&sentence,
             "; they wait in the kernel's queue; raise LimitNOFILE= and the like, or lower "
             "--max-connections");
    log_queue_sentence(acceptor->log, LOG_ERR, sentence.start);
}

static int set_watching(struct acceptor *acceptor, bool watching)
{
    int error = 0;

    acceptor->watching = watching;
    for (size_t i = 0; i < acceptor->listeners->count && error >= 0; i++)
        error = sd_event_source_set_enabled(acceptor->sources[i],
                                            watching ? SD_EVENT_ON : SD_EVENT_OFF);
    return error;
}

static void take_a_rest(struct acceptor *acceptor, int error)
{
    complain(acceptor, error);
    acceptor->resting = true;
    loop_timer_set(acceptor->rest, loop_now(acceptor->event) + REST_USEC);
    (void)set_watching(acceptor, false);
}

/* Looks at the listening sockets, or leaves them alone: as long as anybody waits there they are
 * ready, and looking at them without accepting would be spinning. */
static void watch(struct acceptor *acceptor)
{
    bool watching = acceptor->allowed && !acceptor->resting;
    int error = 0;

    if (watching != acceptor->watching)
        error = set_watching(acceptor, watching);
    if (error < 0)
        take_a_rest(acceptor, -error);
}

void acceptor_allow(struct acceptor *acceptor, bool allowed)
{
    acceptor->allowed = allowed;
    watch(acceptor);
}

static int on_rest_over(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct acceptor *acceptor = userdata;

    (void)timer, (void)usec;
    acceptor->resting = false;
    watch(acceptor);
    return 0;
}

/* After accepting failed: whether there may be another connection. */
static bool go_on_after(struct acceptor *acceptor, int error)
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
        return true; /* that one connection's misfortune, says accept(2) */
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
        (void)sd_event_exit(acceptor->event, -error);
        return false;
    default:
        take_a_rest(acceptor, error); /* descriptors, memory, or a policy: it may last */
        return false;
    }
}

/* Accepts a connection. Returns whether there may be another. */
static bool accept_one(struct acceptor *acceptor, int listener)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof address;
    int fd = accept4(listener, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return go_on_after(acceptor, errno);
    return acceptor->admit(acceptor->userdata, fd, &address) || go_on_after(acceptor, ENOMEM);
}

static int on_listener(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct acceptor *acceptor = userdata;

    (void)source, (void)revents;
    for (int turn = 0; turn < TURN && acceptor->watching; turn++)
        if (!accept_one(acceptor, fd))
            break;
    return 0;
}

int acceptor_open(struct acceptor *acceptor)
{
    int error = loop_timer_add(acceptor->event, &acceptor->rest, on_rest_over, acceptor);

    for (size_t i = 0; i < acceptor->listeners->count && error >= 0; i++)
        error = sd_event_add_io(acceptor->event, &acceptor->sources[i],
                                acceptor->listeners->list[i].fd, EPOLLIN, on_listener, acceptor);
    acceptor->allowed = acceptor->watching = true;
    return error;
}

void acceptor_close(struct acceptor *acceptor)
{
    for (size_t i = 0; i < acceptor->listeners->count; i++) {
        const struct listener *listener = &acceptor->listeners->list[i];
        for (int turn = 0; listener->own && acceptor->watching && turn < SOMAXCONN; turn++)
            if (!accept_one(acceptor, listener->fd))
                break;
    }
    for (size_t i = 0; i < LISTENERS_MOST; i++)
        acceptor->sources[i] = sd_event_source_disable_unref(acceptor->sources[i]);
    acceptor->rest = sd_event_source_disable_unref(acceptor->rest);
    listeners_close(acceptor->listeners);
}
