/* SPDX-License-Identifier: MIT */
#include "client/net/transfer.h"

#include "common/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CLOSE_WAIT       CLOCK_SECOND
#define FIRST_REPLY_SIZE ((size_t)4096)

static bool has_sent(const struct converse *talk)
{
    return talk->sent == talk->length + 1;
}

/* The most that is read: a longer reply can't be intact, whatever follows. */
static size_t reply_limit(const struct converse *talk)
{
    return talk->length + VERIFY_TAG_MAX + 1;
}

static void fail(struct converse *talk, int error)
{
    talk->error = error;
    talk->over = true;
}

static int make_room(struct converse *talk)
{
    size_t size = talk->reply_size ? talk->reply_size * 2 : FIRST_REPLY_SIZE;
    char *larger;

    if (talk->reply_length < talk->reply_size)
        return 0;
    larger = realloc(talk->reply, size);
    if (!larger)
        return -1;
    talk->reply = larger;
    talk->reply_size = size;
    return 0;
}

/* Takes `size` bytes that stand behind the reply in its buffer into it, up to a null byte. */
static void accept_bytes(struct converse *talk, size_t size)
{
    const char *start = talk->reply + talk->reply_length;
    const char *null = memchr(start, '\0', size);
    int64_t now = clock_now();

    if (talk->first_at == 0)
        talk->first_at = now;
    if (null) {
        talk->complete = true;
        talk->replied_at = now;
        talk->extra = size - (size_t)(null - start) - 1;
        size = (size_t)(null - start);
    }
    talk->reply_length += size;
    if (talk->reply_length == reply_limit(talk))
        talk->over = true;
}

/* Reads once. `last` says that the server has closed, so that the end is known without asking. */
static void receive_some(struct converse *talk, bool last)
{
    size_t room;
    ssize_t got;

    if (make_room(talk) < 0) {
        fail(talk, errno);
        return;
    }
    room = talk->reply_size - talk->reply_length;
    if (room > reply_limit(talk) - talk->reply_length)
        room = reply_limit(talk) - talk->reply_length;
    got = recv(talk->fd, talk->reply + talk->reply_length, room, 0);
    if (got > 0) {
        accept_bytes(talk, (size_t)got);
        if (last && talk->complete && (size_t)got < room)
            talk->closed_at = talk->replied_at;
    } else if (got == 0) {
        fail(talk, talk->send_error == EPIPE ? 0 : talk->send_error);
    } else if (errno != EAGAIN && errno != EINTR) {
        fail(talk, errno);
    }
}

static void send_some(struct converse *talk)
{
    size_t left = talk->length - (talk->sent < talk->length ? talk->sent : talk->length);
    struct iovec parts[2] = {
        {.iov_base = (void *)(talk->message + talk->length - left), .iov_len = left},
        {.iov_base = (void *)"", .iov_len = 1},
    };
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t put = sendmsg(talk->fd, &header, MSG_NOSIGNAL);

    if (put >= 0)
        talk->sent += (size_t)put;
    else if (errno != EAGAIN && errno != EINTR)
        talk->send_error = errno; /* a reply may still be there to be read */
    if (has_sent(talk))
        talk->sent_at = clock_now();
}

static bool wants_to_send(const struct converse *talk)
{
    return !has_sent(talk) && talk->send_error == 0 && !talk->over && !talk->complete;
}

static void compare(struct converse *talk)
{
    talk->compared = verify(talk->message, talk->length, talk->reply, talk->reply_length);
    if (talk->compared.kind != VERIFY_INTACT)
        talk->outcome = OUTCOME_ALTERED;
    else if (talk->extra > 0)
        talk->outcome = OUTCOME_EXTRA;
    else
        talk->outcome = OUTCOME_ECHOED;
}

/* What a connection without a whole reply came to. */
static enum outcome judge_failure(const struct converse *talk)
{
    enum outcome outcome;

    if (talk->timed_out)
        return OUTCOME_TIMEOUT;
    if (talk->error == 0)
        return talk->reply_length > 0 ? OUTCOME_TRUNCATED : OUTCOME_CLOSED;
    outcome = outcome_of_errno(talk->error, AF_UNSPEC);
    /* On an established connection this is the kernel giving up on sending. */
    return outcome == OUTCOME_FILTERED ? OUTCOME_TIMEOUT : outcome;
}

static void judge(struct converse *talk)
{
    if (talk->complete || talk->reply_length == reply_limit(talk))
        compare(talk);
    else
        talk->outcome = judge_failure(talk);
    talk->judged = true;
    talk->ended = talk->outcome != OUTCOME_ECHOED || talk->closed_at != 0;
}

/* The reply is here and intact: what else comes before the server closes? */
static void look_beyond(struct converse *talk)
{
    char beyond[256];
    ssize_t got = recv(talk->fd, beyond, sizeof beyond, 0);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    talk->ended = true;
    talk->closed_at = clock_now();
    /* An error, a reset above all, takes nothing from a reply that is here whole. */
    if (got > 0) {
        talk->extra = (size_t)got;
        talk->outcome = OUTCOME_EXTRA;
    }
}

void converse_begin(struct converse *talk, int fd, const char *message, size_t length,
                    int64_t deadline)
{
    *talk = (struct converse){
        .reply = talk->reply,
        .reply_size = talk->reply_size,
        .fd = fd,
        .message = message,
        .length = length,
        .deadline = deadline,
        .started = clock_now(),
    };
}

short converse_wants(const struct converse *talk)
{
    return wants_to_send(talk) ? POLLIN | POLLOUT : POLLIN;
}

void converse_step(struct converse *talk, int events)
{
    if (talk->judged) {
        look_beyond(talk);
        return;
    }
    if (events & ~POLLOUT)
        receive_some(talk, (events & POLLRDHUP) != 0);
    if ((events & POLLOUT) && wants_to_send(talk))
        send_some(talk);
    if (talk->over || talk->complete)
        judge(talk);
}

int64_t converse_until(const struct converse *talk)
{
    int64_t until = talk->replied_at + CLOSE_WAIT;

    return talk->judged && until < talk->deadline ? until : talk->deadline;
}

void converse_expire(struct converse *talk)
{
    if (talk->judged) {
        talk->left_open = talk->ended = true;
        return;
    }
    talk->timed_out = talk->over = true;
    judge(talk);
}

/* Waits for the connection and takes a step. */
static void advance(struct converse *talk)
{
    struct pollfd wait = {.fd = talk->fd, .events = converse_wants(talk)};
    int ready = poll(&wait, 1, clock_poll_time(converse_until(talk)));

    if (ready > 0) {
        converse_step(talk, wait.revents);
    } else if (ready == 0 || (errno != EINTR && talk->judged)) {
        converse_expire(talk);
    } else if (errno != EINTR) {
        fail(talk, errno);
        judge(talk);
    }
}

bool converse_send(struct converse *talk)
{
    while (!talk->judged && wants_to_send(talk))
        advance(talk);
    return has_sent(talk);
}

enum outcome converse_receive(struct converse *talk)
{
    while (!talk->judged)
        advance(talk);
    return talk->outcome;
}

enum outcome converse_finish(struct converse *talk)
{
    while (!talk->ended)
        advance(talk);
    return talk->outcome;
}

enum outcome converse(struct converse *talk, int fd, const char *message, size_t length,
                      int64_t deadline)
{
    converse_begin(talk, fd, message, length, deadline);
    converse_send(talk);
    converse_receive(talk);
    return converse_finish(talk);
}

void converse_free(struct converse *talk)
{
    free(talk->reply);
    talk->reply = NULL;
    talk->reply_size = 0;
}
