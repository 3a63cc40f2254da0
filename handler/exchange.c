/* SPDX-License-Identifier: MIT */
#include "handler/exchange.h"

#include "common/frame.h"
#include "handler/deadline.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

/* Input room behind the longest message and its null byte, so that bytes sent after them are read
 * along and seen. */
#define TRAILING_ROOM 4096

/* From this size on, the kernel may back a mapping with huge pages. */
#define HUGE_PAGE_SIZE ((size_t)2 << 20)

/*
 * After a transfer on `fd` returned `count` and more is to be done: 0 to go on, or -1 with errno,
 * which is ETIME if the deadline passed. Time counts after progress too, or a peer that takes or
 * gives a byte at a time would renew it. A descriptor that is non-blocking because another process
 * shares it and wants it so is waited for.
 */
static int try_again(int fd, short events, ssize_t count)
{
    struct pollfd ready = {.fd = fd, .events = events};

    if (count < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
        return -1;
    if (count < 0 && errno != EINTR && !deadline_passed())
        (void)poll(&ready, 1, -1);
    if (!deadline_passed())
        return 0;
    errno = ETIME;
    return -1;
}

/*
 * Reads into the `size` bytes at `buffer` until `frame` is decided. Returns the bytes read, or -1
 * with the result set: end of input, time over, an error.
 */
static ssize_t receive(int fd, char *buffer, size_t size, struct frame *frame,
                       struct outcome *outcome)
{
    size_t have = 0;

    while (frame->status == FRAME_MORE) {
        ssize_t count = read(fd, buffer + have, size - have);
        if (count > 0) {
            frame_feed(frame, buffer + have, (size_t)count);
            have += (size_t)count;
        }
        if (count == 0 || (count < 0 && errno == ECONNRESET)) {
            outcome_set(outcome, RESULT_EOF);
            return -1;
        }
        if (frame->status == FRAME_MORE && try_again(fd, POLLIN, count) < 0) {
            outcome_fail_transfer(outcome, "cannot read the message", errno);
            return -1;
        }
    }
    return (ssize_t)have;
}

/* Writes all of the reply. Returns 0, or -1 with the result set. */
static int reply(int fd, const char *bytes, size_t size, struct outcome *outcome)
{
    while (size > 0) {
        ssize_t count = write(fd, bytes, size);
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        }
        if (size > 0 && try_again(fd, POLLOUT, count) < 0) {
            outcome_fail_transfer(outcome, "cannot send the reply", errno);
            return -1;
        }
    }
    return 0;
}

/* A mapping that takes memory only as far as it is written, or NULL. It is never given back: the
 * process is about to end. */
static char *map_buffer(size_t size)
{
    void *buffer = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (buffer == MAP_FAILED)
        return NULL;
    if (size >= HUGE_PAGE_SIZE)
        (void)madvise(buffer, size, MADV_NOHUGEPAGE);
    return buffer;
}

/* Room for the longest message, its null byte, and what may be read along behind it. */
static size_t input_size(const struct exchange *exchange)
{
    return exchange->max_bytes + 1 + TRAILING_ROOM;
}

int exchange_prepare(struct exchange *exchange, struct outcome *outcome)
{
    char *buffer = map_buffer(TAG_MAX + input_size(exchange));

    if (!buffer) {
        outcome_fail(outcome, EX_OSERR, "cannot map memory for the message", errno);
        return -1;
    }
    exchange->message = buffer + TAG_MAX; /* the tag is put right in front of it */
    return 0;
}

void exchange_run(struct exchange *exchange, struct outcome *outcome)
{
    char *message = exchange->message;
    struct frame frame;
    ssize_t received;

    frame_init(&frame, exchange->max_bytes);
    received = receive(exchange->launch->in, message, input_size(exchange), &frame, outcome);
    outcome->bytes = frame.length;
    outcome->message = message;
    if (received < 0)
        return;
    if (frame.status != FRAME_COMPLETE) {
        outcome_refuse(outcome, frame.status);
        return;
    }
    exchange->trailing = (size_t)received > frame.length + 1;
    size_t tag = exchange->tag ? peer_put_tag(exchange->tag, message) : 0;
    if (reply(exchange->launch->out, message - tag, tag + frame.length + 1, outcome) == 0)
        outcome_set(outcome, RESULT_ECHOED);
}

bool exchange_close(const struct exchange *exchange, const struct outcome *outcome)
{
    const struct launch *launch = exchange->launch;
    bool refused = outcome_is_refusal(outcome);
    char trailing[64];

    if (!refused && outcome->result != RESULT_ECHOED)
        return false;
    if (launch->out_socket)
        (void)shutdown(launch->out, SHUT_WR);
    if (!launch->in_socket)
        return false;
    return refused || exchange->trailing ||
           recv(launch->in, trailing, sizeof trailing, MSG_DONTWAIT) > 0;
}

void exchange_linger(const struct exchange *exchange)
{
    static char discarded[4096];
    size_t left = EXCHANGE_LINGER_BYTES;

    deadline_move(EXCHANGE_LINGER_USEC);
    while (left > 0) {
        ssize_t count = recv(exchange->launch->in, discarded, sizeof discarded, 0);
        if (count == 0 || try_again(exchange->launch->in, POLLIN, count) < 0)
            return;
        if (count > 0)
            left -= left < (size_t)count ? left : (size_t)count;
    }
}
