/* SPDX-License-Identifier: MIT */
#include "client/net/attempt.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static void close_keeping_errno(int fd)
{
    int error = errno;

    close(fd);
    errno = error;
}

static int open_socket(const struct sockaddr *name, const struct bind_address *source, int flags)
{
    int fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    if (fd >= 0 && source && bind_address_given(source) && bind_address_apply(source, fd) < 0) {
        close_keeping_errno(fd);
        return -1;
    }
    return fd;
}

enum attempt attempt_begin(const struct sockaddr *name, socklen_t size,
                           const struct bind_address *source, int *fd)
{
    int new = open_socket(name, source, SOCK_NONBLOCK);

    if (new < 0)
        return ATTEMPT_FAILED;
    *fd = new;
    if (connect(new, name, size) == 0)
        return ATTEMPT_CONNECTED;
    /* Interrupted, it goes on in the background all the same. */
    if (errno == EINPROGRESS || errno == EINTR)
        return ATTEMPT_UNDERWAY;
    close_keeping_errno(new);
    *fd = -1;
    return ATTEMPT_FAILED;
}

bool attempt_met_itself(int fd, const struct sockaddr *name)
{
    struct sockaddr_storage own;
    socklen_t size = sizeof own;

    if (name->sa_family != AF_INET && name->sa_family != AF_INET6)
        return false;
    memset(&own, 0, sizeof own);
    return getsockname(fd, (struct sockaddr *)&own, &size) == 0 && memcmp(&own, name, size) == 0;
}

int attempt_settle(int fd, const struct sockaddr *name)
{
    socklen_t size = sizeof(int);
    int error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -1;
    if (error == 0 && !attempt_met_itself(fd, name))
        return 0;
    errno = error != 0 ? error : ECONNREFUSED;
    return -1;
}

static int await_writable(int fd, int64_t deadline)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int ready;

    do {
        ready = poll(&wait, 1, clock_poll_timeout(deadline));
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0 ? 0 : -1;
}

static int attempt_inet(const struct sockaddr *name, socklen_t size,
                        const struct bind_address *source, int64_t deadline)
{
    int fd;

    switch (attempt_begin(name, size, source, &fd)) {
    case ATTEMPT_FAILED:
        return -1;
    case ATTEMPT_UNDERWAY:
        if (await_writable(fd, deadline) < 0)
            break;
        /* fallthrough */
    case ATTEMPT_CONNECTED:
        if (attempt_settle(fd, name) == 0)
            return fd;
    }
    close_keeping_errno(fd);
    return -1;
}

/*
 * Without blocking, a full backlog of AF_UNIX is an error at once. So the call blocks, and the
 * send timeout, which holds for connect too, bounds it.
 */
static int connect_unix(int fd, const struct sockaddr *name, socklen_t size, int64_t deadline)
{
    int result;

    do {
        int64_t left = (deadline - clock_now()) / CLOCK_USEC;
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

static int attempt_unix(const struct sockaddr *name, socklen_t size, int64_t deadline)
{
    int fd = open_socket(name, NULL, 0);

    if (fd < 0 || connect_unix(fd, name, size, deadline) == 0)
        return fd;
    close_keeping_errno(fd);
    return -1;
}

int attempt(const struct sockaddr *name, socklen_t size, const struct bind_address *source,
            int64_t deadline)
{
    if (name->sa_family == AF_UNIX)
        return attempt_unix(name, size, deadline);
    return attempt_inet(name, size, source, deadline);
}
