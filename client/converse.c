/* SPDX-License-Identifier: MIT */
#include "converse.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CLOSE_WAIT_USEC  1000000
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

    if (null) {
        talk->complete = true;
        talk->replied_at = clock_now();
        talk->extra = size - (size_t)(null - start) - 1;
        size = (size_t)(null - start);
    }
    talk->reply_length += size;
    if (talk->reply_length == reply_limit(talk))
        talk->over = true;
}

static void receive_some(struct converse *talk)
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
    if (got > 0)
        accept_bytes(talk, (size_t)got);
    else if (got == 0)
        fail(talk, talk->send_error == EPIPE ? 0 : talk->send_error);
    else if (errno != EAGAIN && errno != EINTR)
        fail(talk, errno);
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

/* Moves bytes both ways, whichever way they will go. */
static void transfer(struct converse *talk)
{
    bool sending = !has_sent(talk) && talk->send_error == 0;
    struct pollfd wait = {.fd = talk->fd, .events = (short)(sending ? POLLIN | POLLOUT : POLLIN)};
    int ready = poll(&wait, 1, clock_poll_time(talk->deadline));

    if (ready < 0 && errno != EINTR)
        fail(talk, errno);
    if (ready == 0)
        talk->timed_out = talk->over = true;
    if (ready <= 0)
        return;
    if (wait.revents & ~POLLOUT)
        receive_some(talk);
    if (sending && (wait.revents & POLLOUT) && !talk->over && !talk->complete)
        send_some(talk);
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

bool converse_send(struct converse *talk)
{
    while (!talk->over && !talk->complete && !has_sent(talk) && talk->send_error == 0)
        transfer(talk);
    return has_sent(talk);
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

enum outcome converse_receive(struct converse *talk)
{
    while (!talk->over && !talk->complete)
        transfer(talk);
    if (talk->complete || talk->reply_length == reply_limit(talk))
        compare(talk);
    else
        talk->outcome = judge_failure(talk);
    return talk->outcome;
}

enum outcome converse_finish(struct converse *talk)
{
    int64_t until = clock_now() + CLOSE_WAIT_USEC;
    struct pollfd wait = {.fd = talk->fd, .events = POLLIN};
    char beyond[256];
    ssize_t got;

    if (talk->outcome != OUTCOME_ECHOED)
        return talk->outcome;
    if (until > talk->deadline)
        until = talk->deadline;
    do {
        int ready = poll(&wait, 1, clock_poll_time(until));
        if (ready == 0) {
            talk->left_open = true;
            return talk->outcome;
        }
        got = ready > 0 ? recv(talk->fd, beyond, sizeof beyond, 0) : -1;
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    /* An error, a reset above all, takes nothing from a reply that is here whole. */
    if (got > 0) {
        talk->extra = (size_t)got;
        talk->outcome = OUTCOME_EXTRA;
    }
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
