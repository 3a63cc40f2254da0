/* SPDX-License-Identifier: MIT */
#include "handler/exchange.h"

#include "common/frame.h"
#include "handler/deadline.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room after the longest message and its null byte, to read along bytes that trail them. */
#define TRAILING_ROOM 4096

/* From this size on, the kernel may use huge pages. */
#define HUGE_PAGE_SIZE ((size_t)2 << 20)

/*
 * Decides whether a transfer on `fd` that returned `count` goes on. Returns 0 if so, after waiting
 * for `events` where the descriptor is non-blocking; or -1 with errno, ETIME if the deadline
 * passed. The deadline holds after progress too: a byte now and then does not renew it.
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

/* Reads into the `size` bytes at `buffer` until `frame` is decided. Returns the bytes read, or -1
 * with errno, which is 0 if the input ended or was reset. */
static ssize_t receive(int fd, char *buffer, size_t size, struct frame *frame)
{
    size_t have = 0;

    while (frame->status == FRAME_MORE) {
        ssize_t count = read(fd, buffer + have, size - have);
        if (count == 0 || (count < 0 && errno == ECONNRESET)) {
            errno = 0;
            return -1;
        }
        if (count > 0) {
            frame_feed(frame, buffer + have, (size_t)count);
            have += (size_t)count;
        }
        if (frame->status == FRAME_MORE && try_again(fd, POLLIN, count) < 0)
            return -1;
    }
    return (ssize_t)have;
}

/* Writes the whole reply. Returns 0, or -1 with errno. */
static int send_reply(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, bytes, size);
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        }
        if (size > 0 && try_again(fd, POLLOUT, count) < 0)
            return -1;
    }
    return 0;
}

int exchange_prepare(struct exchange *exchange, const struct launch *launch, size_t max_bytes,
                     const struct peer *tag)
{
    size_t size = TAG_MAX + max_bytes + 1 + TRAILING_ROOM;
    void *buffer = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct text text;

    *exchange = (struct exchange){.launch = launch, .max_bytes = max_bytes, .reply = buffer};
    if (buffer == MAP_FAILED)
        return -1;
    if (size >= HUGE_PAGE_SIZE)
        (void)madvise(buffer, size, MADV_NOHUGEPAGE);
    text_init(&text, buffer, TAG_MAX + 1);
    if (tag)
        tag_print(&text, &tag->address, tag->name);
    exchange->tag_length = text.length;
    return 0;
}

void exchange_run(struct exchange *exchange, struct result *result)
{
    struct frame frame;
    ssize_t received;

    result->message = exchange->reply + exchange->tag_length;
    frame_init(&frame, exchange->max_bytes);
    received = receive(exchange->launch->in, exchange->reply + exchange->tag_length,
                       exchange->max_bytes + 1 + TRAILING_ROOM, &frame);
    result->code = result_of_frame(frame.status);
    result->bytes = frame.length;
    if (received < 0 && errno != 0)
        result_fail_transfer(result, "cannot read the message", errno);
    if (frame.status != FRAME_COMPLETE)
        return;
    exchange->trailing = (size_t)received > frame.length + 1;
    if (send_reply(exchange->launch->out, exchange->reply,
                   exchange->tag_length + frame.length + 1) < 0)
        result_fail_transfer(result, "cannot send the reply", errno);
}

bool exchange_close(const struct exchange *exchange, enum result_code code)
{
    const struct launch *launch = exchange->launch;
    char trailing[64];

    if (code != RESULT_ECHOED && !result_is_refusal(code))
        return false;
    if (launch->out_socket)
        (void)shutdown(launch->out, SHUT_WR);
    if (!launch->in_socket)
        return false;
    return code != RESULT_ECHOED || exchange->trailing ||
           recv(launch->in, trailing, sizeof trailing, MSG_DONTWAIT) > 0;
}

void exchange_linger(const struct exchange *exchange)
{
    static char discarded[4096];
    size_t left = FRAME_LINGER_BYTES;

    deadline_move(FRAME_LINGER_USEC);
    while (left > 0) {
        ssize_t count = recv(exchange->launch->in, discarded, sizeof discarded, 0);
        if (count == 0 || try_again(exchange->launch->in, POLLIN, count) < 0)
            return;
        if (count > 0)
            left -= left < (size_t)count ? left : (size_t)count;
    }
}
