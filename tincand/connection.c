/* SPDX-License-Identifier: MIT */
#include "tincand/connection.h"

#include "common/clock.h"
#include "common/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* The first buffer of a message that has to wait. It then doubles. */
#define LEAST_BUFFER ((size_t)256)

/* Where there is less memory than for that much input and a tag, input is only looked at: a message
 * that is there whole needs none. */
#define LEAST_INPUT     ((size_t)4096)
#define LEAST_AVAILABLE (LEAST_INPUT + TAG_MAX)

static char *input_of(struct pool *pool)
{
    return pool->input + TAG_MAX;
}

/* Room in front of the message in a buffer of its own. */
static size_t tag_room(const struct pool *pool)
{
    return pool->settings->tag ? TAG_MAX : 0;
}

uint64_t connection_least_memory(uint64_t max_bytes)
{
    return TAG_MAX + max_bytes + 1 + LEAST_AVAILABLE;
}

/* How much more memory this connection may take; NULL: one that is not the reserved. */
static size_t available_memory(const struct pool *pool, const struct connection *connection)
{
    const struct connection *reserved = pool->reserved;
    size_t free = pool->max_memory - pool->used_memory, aside;

    if (pool->used_memory > pool->max_memory)
        return 0;
    if (connection && connection == reserved)
        return free;
    aside = (size_t)connection_least_memory(pool->settings->max_bytes);
    if (reserved)
        aside -= reserved->size < aside ? reserved->size : aside;
    return free > aside ? free - aside : 0;
}

/* Completes an outcome whose result is set; the connection is over, unless it has to linger. */
static enum connection_state complete(struct connection *connection, const struct pool *pool)
{
    struct result *result = &connection->result;

    result->bytes = connection->frame.length;
    result->usec = clock_usec() - connection->started;
    if (!result->message)
        result->message = connection->buffer ? connection->buffer + tag_room(pool) : "";
    return CONNECTION_OVER;
}

void connection_begin(struct connection *connection, const struct pool *pool, int fd,
                      const struct sockaddr_storage *address, uint64_t now)
{
    *connection = (struct connection){.fd = fd, .started = now};
    memcpy(&connection->peer, address, sizeof connection->peer);
    frame_init(&connection->frame, (size_t)pool->settings->max_bytes);
}

/*
 * How large a buffer is to become for `needed` bytes: twice as large as it was, unless that is more
 * than a message can need or the pool has.
 */
static size_t buffer_size(const struct pool *pool, const struct connection *connection,
                          size_t needed)
{
    size_t size = connection->size;
    size_t most = tag_room(pool) + (size_t)pool->settings->max_bytes + 1;
    size_t larger = size ? size * 2 : LEAST_BUFFER;

    if (larger < needed || larger - size > available_memory(pool, connection))
        larger = needed;
    return larger < most ? larger : most;
}

/* Makes room for `needed` bytes in the buffer. Returns 0, or -1 with the result set. */
static int make_room(struct connection *connection, struct pool *pool, size_t needed)
{
    size_t size = buffer_size(pool, connection, needed);
    char *buffer;

    if (connection->buffer && connection->size >= needed)
        return 0;
    buffer = realloc(connection->buffer, size);
    if (!buffer) {
        result_fail(&connection->result, EX_OSERR, "cannot get memory for the message", errno);
        return -1;
    }
    pool->used_memory += size - connection->size;
    connection->buffer = buffer;
    connection->size = size;
    return 0;
}

/*
 * Keeps the first `size` bytes of the input, which follow `stored` bytes of the message that are
 * kept already. Returns 0, or -1 with the result set.
 */
static int keep(struct connection *connection, struct pool *pool, size_t stored, size_t size)
{
    size_t begin = tag_room(pool) + stored;

    if (make_room(connection, pool, begin + size) < 0)
        return -1;
    memcpy(connection->buffer + begin, input_of(pool), size);
    return 0;
}

/*
 * After a result: the sending side is closed, and what the peer sent after its message taken off
 * the socket, as closing with unread input would send a reset, which can destroy the reply on its
 * way. Where there was no such input, closing does both.
 */
static enum connection_state finish(struct connection *connection, struct pool *pool)
{
    bool more = result_is_refusal(connection->result.code) || connection->trailing;

    complete(connection, pool);
    if (!more)
        more = recv(connection->fd, pool->input, TAG_MAX, 0) > 0;
    if (!more)
        return CONNECTION_OVER;
    (void)shutdown(connection->fd, SHUT_WR);
    connection->left = FRAME_LINGER_BYTES;
    return CONNECTION_LINGERING;
}

/* Sends from `reply`, of `size` bytes; sets how many went. Returns the state after that. */
static enum connection_state send_some(struct connection *connection, struct pool *pool,
                                       const char *reply, size_t size, size_t *sent)
{
    ssize_t count = send(connection->fd, reply, size, MSG_NOSIGNAL);

    *sent = count > 0 ? (size_t)count : 0;
    if (*sent == size) {
        connection->result.code = RESULT_ECHOED;
        return finish(connection, pool);
    }
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
        result_fail_transfer(&connection->result, "cannot send the reply", errno);
        return complete(connection, pool);
    }
    return CONNECTION_REPLYING;
}

/* Has a reply that stands in the pool's input stand in the connection's own buffer. Returns 0, or
 * -1 with the result set. */
static int move_reply(struct connection *connection, struct pool *pool, const char **reply,
                      size_t size)
{
    if (connection->buffer)
        return 0;
    if (make_room(connection, pool, size) < 0)
        return -1;
    memcpy(connection->buffer, *reply, size);
    connection->result.message = connection->buffer + (connection->result.message - *reply);
    *reply = connection->buffer;
    return 0;
}

static enum connection_state begin_reply(struct connection *connection, struct pool *pool,
                                         char *message)
{
    size_t tag = 0, size, sent;
    enum connection_state state;
    const char *reply;
    struct peer peer;

    if (pool->settings->tag) {
        connection_name(connection, &peer);
        tag = peer_put_tag(&peer, message);
    }
    reply = message - tag;
    size = tag + connection->frame.length + 1;
    state = send_some(connection, pool, reply, size, &sent);
    if (state != CONNECTION_REPLYING)
        return state;
    if (move_reply(connection, pool, &reply, size) < 0)
        return complete(connection, pool);
    connection->reply = (size_t)(reply - connection->buffer) + sent;
    connection->left = size - sent;
    return CONNECTION_REPLYING;
}

static enum connection_state go_on_replying(struct connection *connection, struct pool *pool)
{
    size_t sent;
    enum connection_state state = send_some(
        connection, pool, connection->buffer + connection->reply, connection->left, &sent);

    if (state == CONNECTION_REPLYING) {
        connection->reply += sent;
        connection->left -= sent;
    }
    return state;
}

/* Takes `size` bytes of input, all that has come with one read. */
static enum connection_state take(struct connection *connection, struct pool *pool, size_t size)
{
    struct frame *frame = &connection->frame;
    size_t stored = frame->length;
    enum frame_status status = frame_feed(frame, input_of(pool), size);
    size_t taken = frame->length - stored + (status == FRAME_COMPLETE);
    char *message = input_of(pool);

    if (connection->buffer || status == FRAME_MORE) {
        if (keep(connection, pool, stored, taken) < 0) {
            frame->length = stored; /* what the log may show */
            return complete(connection, pool);
        }
        message = connection->buffer + tag_room(pool);
    }
    if (status == FRAME_MORE)
        return CONNECTION_RECEIVING;
    connection->result.message = message;
    if (status == FRAME_COMPLETE) {
        connection->trailing = size > taken;
        return begin_reply(connection, pool, message);
    }
    connection->result.code = result_of_frame(status);
    return finish(connection, pool);
}

/* Whether these bytes decide what the frame is. */
static bool decides(struct frame frame, const char *bytes, size_t size)
{
    return frame_feed(&frame, bytes, size) != FRAME_MORE;
}

/* How much may be read that perhaps has to be kept; 0: nothing, for lack of memory. */
static size_t input_room(const struct connection *connection, const struct pool *pool)
{
    size_t available = available_memory(pool, connection);

    if (available < LEAST_AVAILABLE)
        return 0;
    available -= TAG_MAX;
    return available < CONNECTION_TURN_BYTES ? available : CONNECTION_TURN_BYTES;
}

/*
 * Reads where there is no memory to keep what comes. Only messages that are there whole, and small,
 * are taken: those who use the memory up, slowly, are to cost others nothing. Of those who have
 * more, the first becomes the reserved. As read_input().
 */
static ssize_t read_frugally(struct connection *connection, struct pool *pool)
{
    char *input = input_of(pool);
    ssize_t count = recv(connection->fd, input, LEAST_INPUT, MSG_PEEK);
    size_t room;

    if (count <= 0)
        return count;
    if (decides(connection->frame, input, (size_t)count))
        return recv(connection->fd, input, (size_t)count, 0); /* the same bytes */
    if (!pool->reserved)
        pool->reserved = connection;
    room = input_room(connection, pool);
    if (room > 0)
        return recv(connection->fd, input, room, 0);
    errno = ENOMEM;
    return -1;
}

/* Reads into the pool's input. Returns the bytes read, 0 at the end of input, or -1 with errno,
 * ENOMEM where memory is to be waited for. */
static ssize_t read_input(struct connection *connection, struct pool *pool)
{
    size_t room = input_room(connection, pool);

    if (room == 0)
        return read_frugally(connection, pool);
    return recv(connection->fd, input_of(pool), room, 0);
}

static enum connection_state receive(struct connection *connection, struct pool *pool)
{
    ssize_t count = read_input(connection, pool);

    if (count > 0)
        return take(connection, pool, (size_t)count);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return CONNECTION_RECEIVING;
    if (count < 0 && errno == ENOMEM)
        return CONNECTION_STARVED;
    if (count == 0 || errno == ECONNRESET)
        connection->result.code = RESULT_EOF;
    else
        result_fail_transfer(&connection->result, "cannot read the message", errno);
    return complete(connection, pool);
}

static enum connection_state linger(struct connection *connection, struct pool *pool)
{
    ssize_t count = recv(connection->fd, pool->input, sizeof pool->input, 0);

    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return CONNECTION_LINGERING;
    if (count <= 0 || connection->left <= (size_t)count)
        return CONNECTION_OVER;
    connection->left -= (size_t)count;
    return CONNECTION_LINGERING;
}

enum connection_state connection_step(struct connection *connection, struct pool *pool)
{
    switch (connection->state) {
    case CONNECTION_RECEIVING:
    case CONNECTION_STARVED:
        connection->state = receive(connection, pool);
        break;
    case CONNECTION_REPLYING:
        connection->state = go_on_replying(connection, pool);
        break;
    case CONNECTION_LINGERING:
        connection->state = linger(connection, pool);
        break;
    case CONNECTION_OVER:
        break;
    }
    return connection->state;
}

void connection_end(struct connection *connection, const struct pool *pool, enum result_code code)
{
    if (connection->state < CONNECTION_LINGERING) {
        connection->result.code = code;
        complete(connection, pool);
    }
    connection->state = CONNECTION_OVER;
}

void connection_name(const struct connection *connection, struct peer *peer)
{
    memcpy(&peer->address, &connection->peer, sizeof connection->peer);
    peer_name(peer, connection->fd);
}

bool connection_forget(struct connection *connection, struct pool *pool)
{
    bool helps = connection->size > 0 || pool->reserved == connection;

    free(connection->buffer);
    pool->used_memory -= connection->size;
    connection->buffer = NULL;
    connection->size = 0;
    connection->result.message = NULL;
    if (pool->reserved == connection)
        pool->reserved = NULL;
    return helps;
}

size_t connection_turns(const struct pool *pool)
{
    return 1 + available_memory(pool, NULL) / CONNECTION_TURN_BYTES;
}
