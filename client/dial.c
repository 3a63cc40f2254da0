/* SPDX-License-Identifier: MIT */
#include "dial.h"

#include "clock.h"
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static int await_connection(int fd, int64_t deadline)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof(int);
    int ready, error;

    do {
        ready = poll(&wait, 1, clock_poll_time(deadline));
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        errno = ETIMEDOUT;
    if (ready <= 0)
        return -1;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -1;
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

/*
 * AF_UNIX has no connecting in the background: without blocking, a full backlog is an error at
 * once. So the call blocks, and the send timeout, which holds for connect too, bounds it.
 */
static int connect_unix(int fd, const struct sockaddr *name, socklen_t size, int64_t deadline)
{
    int result;

    do {
        int64_t left = deadline - clock_now();
        struct timeval limit = {.tv_sec = left / 1000000, .tv_usec = left % 1000000};

        if (left <= 0) { /* a limit of zero would mean none */
            errno = ETIMEDOUT;
            return -1;
        }
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
            return -1;
        result = connect(fd, name, size);
    } while (result < 0 && errno == EINTR);
    if (result < 0)
        return -1;
    return fcntl(fd, F_SETFL, O_NONBLOCK);
}

/*
 * Whether the connection goes to itself. TCP does that when a port of the ephemeral range, on
 * which nobody listens, happens to be picked as our own; the "echo" would then be our message.
 */
static bool connected_to_self(int fd, const struct sockaddr *peer)
{
    struct sockaddr_storage own;
    socklen_t size = sizeof own;

    if (peer->sa_family != AF_INET && peer->sa_family != AF_INET6)
        return false;
    memset(&own, 0, sizeof own);
    return getsockname(fd, (struct sockaddr *)&own, &size) == 0 && memcmp(&own, peer, size) == 0;
}

static int connect_inet(int fd, const struct sockaddr *name, socklen_t size, int64_t deadline)
{
    if (connect(fd, name, size) < 0) {
        /* Interrupted, it goes on in the background all the same. */
        if (errno != EINPROGRESS && errno != EINTR)
            return -1;
        if (await_connection(fd, deadline) < 0)
            return -1;
    }
    if (connected_to_self(fd, name)) {
        errno = ECONNREFUSED;
        return -1;
    }
    return 0;
}

/* Tries one address; returns the connected descriptor, or -1 with errno. */
static int attempt(const struct sockaddr *name, socklen_t size, int64_t deadline)
{
    bool local = name->sa_family == AF_UNIX;
    int fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | (local ? 0 : SOCK_NONBLOCK), 0);
    int error;

    if (fd < 0)
        return -1;
    if ((local ? connect_unix : connect_inet)(fd, name, size, deadline) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Tries one address and enters it in the result. */
static int record_attempt(const struct sockaddr *name, socklen_t size, int64_t deadline,
                          struct dial *dial)
{
    memset(&dial->peer, 0, sizeof dial->peer);
    memcpy(&dial->peer, name, size);
    dial->peer_size = size;
    dial->tried++;
    dial->fd = attempt(name, size, deadline);
    if (dial->fd >= 0)
        return dial->fd;
    dial->error = errno;
    dial->outcome = outcome_of_errno(errno, name->sa_family);
    /* A vsock port where nobody listens answers with a reset. */
    if (dial->outcome == OUTCOME_RESET)
        dial->outcome = OUTCOME_REFUSED;
    return -1;
}

static int dial_list(const struct addrinfo *list, int64_t deadline, struct dial *dial)
{
    int64_t left = 0;

    for (const struct addrinfo *each = list; each; each = each->ai_next)
        left++;
    for (; list; list = list->ai_next, left--) {
        int64_t now = clock_now();
        int64_t share = now + (deadline - now) / left;

        if (record_attempt(list->ai_addr, list->ai_addrlen, share, dial) >= 0)
            return dial->fd;
    }
    return -1;
}

int dial(const struct address *address, int family, int64_t deadline, struct dial *dial)
{
    struct addrinfo *list = NULL;

    *dial = (struct dial){.fd = -1};
    if (address->socket_size > 0)
        return record_attempt((const struct sockaddr *)&address->socket, address->socket_size,
                              deadline, dial);
    dial->resolver_error = resolve(address->host, address->port, family, deadline, &list);
    if (dial->resolver_error != 0) {
        dial->error = errno;
        dial->outcome = OUTCOME_UNRESOLVED;
        return -1;
    }
    dial_list(list, deadline, dial);
    freeaddrinfo(list);
    return dial->fd;
}
