/* SPDX-License-Identifier: MIT */
#include "client/net/transfer.h"

#include "common/clock.h"
#include "common/tag.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FIRST_REPLY_SIZE ((size_t)4096)

void transfer_begin(struct transfer *transfer, int fd, const char *message, size_t length)
{
    *transfer = (struct transfer){
        .reply = transfer->reply,
        .reply_size = transfer->reply_size,
        .fd = fd,
        .message = message,
        .length = length,
        .started = clock_now(),
    };
}

void transfer_free(struct transfer *transfer)
{
    free(transfer->reply);
}

short transfer_events(const struct transfer *transfer)
{
    return transfer->state == TRANSFER_SENDING ? POLLIN | POLLOUT : POLLIN;
}

/* The reply is as long as can be, or complete. */
static void end_with_reply(struct transfer *transfer)
{
    transfer->compared =
        verify(transfer->message, transfer->length, transfer->reply, transfer->reply_length);
    if (transfer->compared.kind != VERIFY_INTACT)
        transfer->outcome = OUTCOME_ALTERED;
    else if (transfer->extra > 0)
        transfer->outcome = OUTCOME_EXTRA;
    transfer->state = transfer->outcome == OUTCOME_ECHOED ? TRANSFER_CLOSING : TRANSFER_OVER;
}

/* The connection ended, with `error` or 0, before the reply was complete. */
static void end_without_reply(struct transfer *transfer, int error)
{
    enum outcome outcome = transfer->reply_length > 0 ? OUTCOME_TRUNCATED : OUTCOME_CLOSED;

    if (error != 0)
        outcome = outcome_of_errno(error, AF_UNSPEC);
    /* On an established connection this is the kernel giving up on sending. */
    transfer->outcome = outcome == OUTCOME_FILTERED ? OUTCOME_TIMEOUT : outcome;
    transfer->error = error;
    transfer->state = TRANSFER_OVER;
}

static int make_room(struct transfer *transfer)
{
    size_t size = transfer->reply_size ? transfer->reply_size * 2 : FIRST_REPLY_SIZE;
    char *larger;

    if (transfer->reply_length < transfer->reply_size)
        return 0;
    larger = realloc(transfer->reply, size);
    if (!larger)
        return -1;
    transfer->reply = larger;
    transfer->reply_size = size;
    return 0;
}

/* Adds `size` bytes that stand behind the reply in its buffer to it, up to a null byte. */
static void extend_reply(struct transfer *transfer, size_t size)
{
    const char *start = transfer->reply + transfer->reply_length;
    const char *null = memchr(start, '\0', size);
    int64_t now = clock_now();

    if (transfer->first_at == 0)
        transfer->first_at = now;
    if (null) {
        transfer->complete = true;
        transfer->replied_at = now;
        transfer->extra = size - (size_t)(null - start) - 1;
        size = (size_t)(null - start);
    }
    transfer->reply_length += size;
}

static void receive_reply(struct transfer *transfer)
{
    /* A reply longer than this can't be intact, whatever follows. */
    size_t limit = transfer->length + TAG_MAX + 1, room;
    ssize_t got;

    if (make_room(transfer) < 0) {
        end_without_reply(transfer, errno);
        return;
    }
    room = (transfer->reply_size < limit ? transfer->reply_size : limit) - transfer->reply_length;
    got = recv(transfer->fd, transfer->reply + transfer->reply_length, room, 0);
    if (got > 0) {
        extend_reply(transfer, (size_t)got);
        if (transfer->complete || transfer->reply_length == limit)
            end_with_reply(transfer);
    } else if (got == 0) {
        end_without_reply(transfer, transfer->send_error == EPIPE ? 0 : transfer->send_error);
    } else if (errno != EAGAIN && errno != EINTR) {
        end_without_reply(transfer, errno);
    }
}

static void send_message(struct transfer *transfer)
{
    size_t left =
        transfer->length - (transfer->sent < transfer->length ? transfer->sent : transfer->length);
    struct iovec parts[2] = {
        {.iov_base = (void *)(transfer->message + transfer->length - left), .iov_len = left},
        {.iov_base = (void *)"", .iov_len = 1},
    };
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t put = sendmsg(transfer->fd, &header, MSG_NOSIGNAL);

    if (put >= 0)
        transfer->sent += (size_t)put;
    else if (errno != EAGAIN && errno != EINTR)
        transfer->send_error = errno; /* a reply may still be there to be read */
    if (transfer->sent == transfer->length + 1 || transfer->send_error != 0)
        transfer->state = TRANSFER_RECEIVING;
}

/* The echo is here: reads what else comes before the server closes. */
static void receive_after_reply(struct transfer *transfer)
{
    char bytes[256];
    ssize_t got = recv(transfer->fd, bytes, sizeof bytes, 0);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    transfer->state = TRANSFER_OVER;
    transfer->closed_at = clock_now();
    /* An error, most often a reset, takes nothing from an echo that is here whole. */
    if (got > 0) {
        transfer->extra = (size_t)got;
        transfer->outcome = OUTCOME_EXTRA;
    }
}

void transfer_step(struct transfer *transfer, int events)
{
    if (transfer->state == TRANSFER_CLOSING) {
        receive_after_reply(transfer);
        return;
    }
    if (events & ~POLLOUT)
        receive_reply(transfer);
    if (transfer->state == TRANSFER_CLOSING && (events & POLLRDHUP))
        receive_after_reply(transfer); /* the server has closed already */
    if ((events & POLLOUT) && transfer->state == TRANSFER_SENDING)
        send_message(transfer);
}

void transfer_expire(struct transfer *transfer)
{
    if (transfer->state == TRANSFER_CLOSING)
        transfer->left_open = clock_now() >= transfer->replied_at + TRANSFER_CLOSE_TIME;
    else
        transfer->outcome = OUTCOME_TIMEOUT;
    transfer->state = TRANSFER_OVER;
}
