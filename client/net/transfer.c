/* SPDX-License-Identifier: MIT */
#include "client/net/transfer.h"

#include "common/clock.h"
#include "common/tag.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CLOSE_WAIT       CLOCK_SECOND
#define FIRST_REPLY_SIZE ((size_t)4096)

static bool has_sent(const struct transfer *transfer)
{
    return transfer->sent == transfer->length + 1;
}

/* The most that is read: a longer reply can't be intact, whatever follows. */
static size_t reply_limit(const struct transfer *transfer)
{
    return transfer->length + TAG_MAX + 1;
}

static void fail(struct transfer *transfer, int error)
{
    transfer->error = error;
    transfer->over = true;
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

/* Takes `size` bytes that stand behind the reply in its buffer into it, up to a null byte. */
static void accept_bytes(struct transfer *transfer, size_t size)
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
    if (transfer->reply_length == reply_limit(transfer))
        transfer->over = true;
}

/* Reads once. `last` says that the server has closed, so that the end is known without asking. */
static void receive_some(struct transfer *transfer, bool last)
{
    size_t room;
    ssize_t got;

    if (make_room(transfer) < 0) {
        fail(transfer, errno);
        return;
    }
    room = transfer->reply_size - transfer->reply_length;
    if (room > reply_limit(transfer) - transfer->reply_length)
        room = reply_limit(transfer) - transfer->reply_length;
    got = recv(transfer->fd, transfer->reply + transfer->reply_length, room, 0);
    if (got > 0) {
        accept_bytes(transfer, (size_t)got);
        if (last && transfer->complete && (size_t)got < room)
            transfer->closed_at = transfer->replied_at;
    } else if (got == 0) {
        fail(transfer, transfer->send_error == EPIPE ? 0 : transfer->send_error);
    } else if (errno != EAGAIN && errno != EINTR) {
        fail(transfer, errno);
    }
}

static void send_some(struct transfer *transfer)
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
    if (has_sent(transfer))
        transfer->sent_at = clock_now();
}

static bool wants_to_send(const struct transfer *transfer)
{
    return !has_sent(transfer) && transfer->send_error == 0 && !transfer->over &&
           !transfer->complete;
}

static void compare(struct transfer *transfer)
{
    transfer->compared =
        verify(transfer->message, transfer->length, transfer->reply, transfer->reply_length);
    if (transfer->compared.kind != VERIFY_INTACT)
        transfer->outcome = OUTCOME_ALTERED;
    else if (transfer->extra > 0)
        transfer->outcome = OUTCOME_EXTRA;
    else
        transfer->outcome = OUTCOME_ECHOED;
}

/* What a connection without a whole reply came to. */
static enum outcome judge_failure(const struct transfer *transfer)
{
    enum outcome outcome;

    if (transfer->timed_out)
        return OUTCOME_TIMEOUT;
    if (transfer->error == 0)
        return transfer->reply_length > 0 ? OUTCOME_TRUNCATED : OUTCOME_CLOSED;
    outcome = outcome_of_errno(transfer->error, AF_UNSPEC);
    /* On an established connection this is the kernel giving up on sending. */
    return outcome == OUTCOME_FILTERED ? OUTCOME_TIMEOUT : outcome;
}

static void judge(struct transfer *transfer)
{
    if (transfer->complete || transfer->reply_length == reply_limit(transfer))
        compare(transfer);
    else
        transfer->outcome = judge_failure(transfer);
    transfer->judged = true;
    transfer->ended = transfer->outcome != OUTCOME_ECHOED || transfer->closed_at != 0;
}

/* The reply is here and intact: what else comes before the server closes? */
static void look_beyond(struct transfer *transfer)
{
    char beyond[256];
    ssize_t got = recv(transfer->fd, beyond, sizeof beyond, 0);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    transfer->ended = true;
    transfer->closed_at = clock_now();
    /* An error, a reset above all, takes nothing from a reply that is here whole. */
    if (got > 0) {
        transfer->extra = (size_t)got;
        transfer->outcome = OUTCOME_EXTRA;
    }
}

void transfer_begin(struct transfer *transfer, int fd, const char *message, size_t length,
                    int64_t deadline)
{
    *transfer = (struct transfer){
        .reply = transfer->reply,
        .reply_size = transfer->reply_size,
        .fd = fd,
        .message = message,
        .length = length,
        .deadline = deadline,
        .started = clock_now(),
    };
}

short transfer_wants(const struct transfer *transfer)
{
    return wants_to_send(transfer) ? POLLIN | POLLOUT : POLLIN;
}

void transfer_step(struct transfer *transfer, int events)
{
    if (transfer->judged) {
        look_beyond(transfer);
        return;
    }
    if (events & ~POLLOUT)
        receive_some(transfer, (events & POLLRDHUP) != 0);
    if ((events & POLLOUT) && wants_to_send(transfer))
        send_some(transfer);
    if (transfer->over || transfer->complete)
        judge(transfer);
}

int64_t transfer_until(const struct transfer *transfer)
{
    int64_t until = transfer->replied_at + CLOSE_WAIT;

    return transfer->judged && until < transfer->deadline ? until : transfer->deadline;
}

void transfer_expire(struct transfer *transfer)
{
    if (transfer->judged) {
        transfer->left_open = transfer->ended = true;
        return;
    }
    transfer->timed_out = transfer->over = true;
    judge(transfer);
}

/* Waits for the connection and takes a step. */
static void advance(struct transfer *transfer)
{
    struct pollfd wait = {.fd = transfer->fd, .events = transfer_wants(transfer)};
    int ready = poll(&wait, 1, clock_poll_timeout(transfer_until(transfer)));

    if (ready > 0) {
        transfer_step(transfer, wait.revents);
    } else if (ready == 0 || (errno != EINTR && transfer->judged)) {
        transfer_expire(transfer);
    } else if (errno != EINTR) {
        fail(transfer, errno);
        judge(transfer);
    }
}

bool transfer_send(struct transfer *transfer)
{
    while (!transfer->judged && wants_to_send(transfer))
        advance(transfer);
    return has_sent(transfer);
}

enum outcome transfer_receive(struct transfer *transfer)
{
    while (!transfer->judged)
        advance(transfer);
    return transfer->outcome;
}

enum outcome transfer_finish(struct transfer *transfer)
{
    while (!transfer->ended)
        advance(transfer);
    return transfer->outcome;
}

enum outcome transfer(struct transfer *transfer, int fd, const char *message, size_t length,
                      int64_t deadline)
{
    transfer_begin(transfer, fd, message, length, deadline);
    transfer_send(transfer);
    transfer_receive(transfer);
    return transfer_finish(transfer);
}

void transfer_free(struct transfer *transfer)
{
    free(transfer->reply);
    transfer->reply = NULL;
    transfer->reply_size = 0;
}
