/* SPDX-License-Identifier: MIT */
#include "client/net/handshake.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void handshake_begin(struct handshake *handshake, uint32_t port)
{
    int length = snprintf(handshake->line, sizeof handshake->line, "CONNECT %u\n", (unsigned)port);

    handshake->length = (size_t)length;
    handshake->sent = 0;
    handshake->state = HANDSHAKE_SENDING;
}

short handshake_events(const struct handshake *handshake)
{
    return handshake->state == HANDSHAKE_SENDING ? POLLOUT : POLLIN;
}

static enum handshake_status failure(int error)
{
    if (error == EAGAIN || error == EINTR)
        return HANDSHAKE_MORE;
    errno = error == EPIPE ? ECONNRESET : error;
    return HANDSHAKE_FAILED;
}

static enum handshake_status send_request(struct handshake *handshake, int fd)
{
    ssize_t put = send(fd, handshake->line + handshake->sent, handshake->length - handshake->sent,
                       MSG_NOSIGNAL);

    if (put < 0)
        return failure(errno);
    handshake->sent += (size_t)put;
    if (handshake->sent == handshake->length) {
        handshake->state = HANDSHAKE_RECEIVING;
        handshake->length = 0;
    }
    return HANDSHAKE_MORE;
}

/* Returns whether the line may become "OK NUMBER" and a newline; sets `*whole` if it is that. */
static bool is_answer(const char *line, size_t length, bool *whole)
{
    static const char start[] = "OK ";
    size_t at = 0;

    *whole = false;
    for (; at < length && start[at] != '\0'; at++)
        if (line[at] != start[at])
            return false;
    while (at < length && line[at] >= '0' && line[at] <= '9')
        at++;
    if (at == length)
        return true;
    *whole = line[at] == '\n' && at > strlen(start) && at + 1 == length;
    return *whole;
}

static enum handshake_status receive_answer(struct handshake *handshake, int fd)
{
    size_t room = sizeof handshake->line - handshake->length;
    ssize_t got = room > 0 ? recv(fd, handshake->line + handshake->length, room, 0) : 0;
    bool whole;

    if (got < 0)
        return failure(errno);
    if (got == 0)
        return failure(room > 0 ? ECONNRESET : EPROTO);
    handshake->length += (size_t)got;
    if (!is_answer(handshake->line, handshake->length, &whole))
        return failure(EPROTO);
    return whole ? HANDSHAKE_DONE : HANDSHAKE_MORE;
}

enum handshake_status handshake_step(struct handshake *handshake, int fd)
{
    return (handshake->state == HANDSHAKE_SENDING ? send_request : receive_answer)(handshake, fd);
}
