/* SPDX-License-Identifier: MIT */
#include "handler/exchange.h"

#include "common/frame.h"
#include "handler/deadline.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room after the longest message and its null byte, to read along bytes that trail them. */
#define TRAILING_ROOM ((size_t)4096)

/* A short message, and the tag, come to memory that the program has in use anyway, as each page
 * more takes time. So much fits into the page of its other variables. */
static char first_room[768];

/* From this size on, the kernel may use huge pages. */
#define HUGE_PAGE_SIZE ((size_t)2 << 20)

/*
 * Decides whether a transfer that returned `count` goes on. Returns 0 if so, after waiting, where
 * it did nothing, for `input` on `in` or room on `out`, of which each may be -1; or -1 with errno,
 * ETIME if the deadline passed. The deadline holds after progress too: a byte now and then does not
 * renew it.
 */
static int try_again(int in, short input, int out, ssize_t count)
{
    struct pollfd ready[] = {{.fd = in, .events = input}, {.fd = out, .events = POLLOUT}};

    if (count < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
        return -1;
    if (count < 0 && errno != EINTR && !deadline_passed())
        (void)poll(ready, 2, -1);
    if (!deadline_passed())
        return 0;
    errno = ETIME;
    return -1;
}

/* Reads until `frame` is decided. Returns the bytes read, or -1 with errno, which is 0 if the input
 * ended or was reset. */
static ssize_t receive(struct exchange *exchange, struct frame *frame)
{
    size_t have = exchange->tag_length, size = sizeof first_room;
    int fd = exchange->launch->in;

    for (;;) {
        ssize_t count = read(fd, exchange->reply + have, size - have);

        if (count == 0 || (count < 0 && errno == ECONNRESET)) {
            errno = 0;
            return -1;
        }
        if (count > 0) {
            frame_feed(frame, exchange->reply + have, (size_t)count);
            have += (size_t)count;
        }
        if (frame->status != FRAME_MORE)
            return (ssize_t)(have - exchange->tag_length);
        if (exchange->reply == first_room) {
            exchange->reply = memcpy(exchange->memory, first_room, have);
            size = exchange->size;
        }
        if (try_again(fd, POLLIN, -1, count) < 0)
            return -1;
    }
}

/* Discards what the peer sent behind its message, without waiting, up to the limit of lingering.
 * Returns POLLIN if more may be discarded, 0 at the end of the input or the limit. */
static short discard_some(struct exchange *exchange)
{
    char *room = exchange->memory + exchange->size - TRAILING_ROOM; /* no message reaches it */
    size_t most = exchange->discard < TRAILING_ROOM ? exchange->discard : TRAILING_ROOM;
    ssize_t count = most > 0 ? recv(exchange->launch->in, room, most, MSG_DONTWAIT) : 0;

    if (count > 0) {
        exchange->discard -= (size_t)count;
        exchange->trailing = true;
    }
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR)) ? POLLIN : 0;
}

/* Writes the whole reply. Returns 0, or -1 with errno. A peer that reads only when it has sent
 * everything would be stuck if what it sends were not discarded meanwhile. */
static int send_reply(struct exchange *exchange, const char *bytes, size_t size)
{
    int fd = exchange->launch->out;
    short input = POLLIN;

    for (;;) {
        ssize_t count = exchange->launch->out_socket ? send(fd, bytes, size, MSG_DONTWAIT)
                                                     : write(fd, bytes, size);
        if (count == (ssize_t)size)
            return 0;
        if (count > 0)
            bytes += count, size -= (size_t)count;
        if (try_again(input ? exchange->launch->in : -1, input, fd, count) < 0)
            return -1;
        input = discard_some(exchange);
    }
}

int exchange_prepare(struct exchange *exchange, const struct launch *launch,
                     const struct settings *settings, const struct peer *peer)
{
    size_t size = TAG_MAX + (size_t)settings->max_bytes + 1 + TRAILING_ROOM;
    void *buffer = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct text text;

    *exchange = (struct exchange){
        .launch = launch,
        .max_bytes = (size_t)settings->max_bytes,
        .reply = first_room,
        .memory = buffer,
        .size = size,
        .discard = FRAME_LINGER_BYTES,
    };
    if (buffer == MAP_FAILED)
        return -1;
    if (size >= HUGE_PAGE_SIZE)
        (void)madvise(buffer, size, MADV_NOHUGEPAGE);
    deadline_bound_reply(launch->out, settings->timeout);
    text_init(&text, first_room, TAG_MAX + 1);
    if (settings->tag)
        tag_print(&text, &peer->address, peer->name);
    exchange->tag_length = text.length;
    return 0;
}

void exchange_run(struct exchange *exchange, struct result *result)
{
    struct frame frame;
    ssize_t received;

    frame_init(&frame, exchange->max_bytes);
    received = receive(exchange, &frame);
    result->message = exchange->reply + exchange->tag_length;
    result->code = result_of_frame(frame.status);
    result->bytes = frame.length;
    result->wrong_byte = (unsigned char)result->message[frame.length];
    if (received < 0 && errno != 0)
        result_fail_transfer(result, "cannot read the message", errno);
    if (frame.status != FRAME_COMPLETE)
        return;
    exchange->trailing = (size_t)received > frame.length + 1;
    if (send_reply(exchange, exchange->reply, exchange->tag_length + frame.length + 1) < 0)
        result_fail_transfer(result, "cannot send the reply", errno);
}

bool exchange_close(struct exchange *exchange, struct result *result)
{
    bool refusal = result_is_refusal(result->code), more;

    if (result->code != RESULT_ECHOED && !refusal)
        return false;
    if (exchange->launch->out_socket)
        (void)shutdown(exchange->launch->out, SHUT_WR);
    more = discard_some(exchange) != 0;
    if (refusal || !exchange->trailing)
        return refusal && more;
    exchange_linger(exchange);
    if (exchange->discard == 0)
        result_lose_reply(result);
    return false;
}

void exchange_linger(struct exchange *exchange)
{
    short input;

    /* At the limit it waits for the peer to take the reply and close. */
    deadline_move(FRAME_LINGER_USEC);
    do {
        input = discard_some(exchange);
        errno = EAGAIN;
    } while ((input || exchange->discard == 0) &&
             try_again(exchange->launch->in, input, -1, -1) == 0 && input);
}
