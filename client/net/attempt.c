/* SPDX-License-Identifier: MIT */
#include "client/net/attempt.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static enum attempt_status start(int fd, const struct sockaddr *name, socklen_t size,
                                 const struct bind_address *bind_address)
{
    if (bind_address && bind_address_given(bind_address) &&
        bind_address_apply(bind_address, fd) < 0)
        return ATTEMPT_FAILED;
    if (connect(fd, name, size) == 0)
        return ATTEMPT_CONNECTED;
    /* An interrupted connect(2) goes on in the background too. */
    if (errno == EINPROGRESS || errno == EINTR)
        return ATTEMPT_UNDERWAY;
    return errno == EAGAIN && name->sa_family == AF_UNIX ? ATTEMPT_BUSY : ATTEMPT_FAILED;
}

enum attempt_status attempt_begin(const struct sockaddr *name, socklen_t size,
                                  const struct bind_address *bind_address, int *fd)
{
    enum attempt_status status;
    int error;

    *fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0)
        return ATTEMPT_FAILED;
    status = start(*fd, name, size, bind_address);
    if (status == ATTEMPT_UNDERWAY || status == ATTEMPT_CONNECTED)
        return status;
    error = errno;
    close(*fd);
    *fd = -1;
    errno = error;
    return status;
}

bool attempt_is_to_itself(int fd)
{
    struct sockaddr_storage own, peer;
    socklen_t own_size = sizeof own, peer_size = sizeof peer;

    return getsockname(fd, (struct sockaddr *)&own, &own_size) == 0 &&
           getpeername(fd, (struct sockaddr *)&peer, &peer_size) == 0 && own_size == peer_size &&
           memcmp(&own, &peer, own_size) == 0;
}

int attempt_finish(int fd)
{
    socklen_t size = sizeof(int);
    int error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -1;
    if (error == 0 && attempt_is_to_itself(fd))
        error = ECONNREFUSED;
    errno = error;
    return error == 0 ? 0 : -1;
}

bool attempt_has_source(const struct sockaddr *name, socklen_t size)
{
    int fd = socket(name->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool has = fd < 0 || connect(fd, name, size) == 0 || errno != EADDRNOTAVAIL;

    if (fd >= 0)
        close(fd);
    return has;
}
