/* SPDX-License-Identifier: MIT */
#include "common/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

void streams_fill(void)
{
    static const int flags[] = {O_WRONLY, O_RDONLY, O_WRONLY};

    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            open("/dev/null", flags[fd]); /* the lowest free number, which is this one */
}

/* Takes `written` bytes off the front of the parts. Returns the bytes left. */
static size_t advance(struct iovec *parts, int count, size_t written)
{
    size_t left = 0;

    for (int i = 0; i < count; i++) {
        size_t part = written < parts[i].iov_len ? written : parts[i].iov_len;
        parts[i].iov_base = (char *)parts[i].iov_base + part;
        parts[i].iov_len -= part;
        written -= part;
        left += parts[i].iov_len;
    }
    return left;
}

int streams_write(int fd, struct iovec *parts, int count)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};

    while (advance(parts, count, 0) > 0) {
        ssize_t written = writev(fd, parts, count);
        if (written >= 0)
            (void)advance(parts, count, (size_t)written);
        else if (errno == EAGAIN)
            (void)poll(&ready, 1, -1);
        else if (errno != EINTR)
            return -1;
    }
    return 0;
}
