/* SPDX-License-Identifier: MIT */
#include "tincand/connection.h"

#include "common/clock.h"
#include "common/frame.h"
#include "handler/deadline.h"

#include <errno.h>
#include <linux/tcp.h>
#include <string.h>
#include <sysexits.h>

static char *input_of(struct workspace *workspace)
{
    return workspace->input + TAG_MAX;
}

/* Returns the room in front of the message in the buffer. */
static size_t tag_room(const struct workspace *workspace)
{
    return workspace->settings->tag ? TAG_MAX : 0;
}

void connection_begin(struct connection *connection, const struct workspace *workspace, int fd,
                      const struct sockaddr_storage *address)
{
    *connection =
        (struct connection){.fd = fd, .started = clock_usec(), .discard = FRAME_LINGER_BYTES};
    memcpy(&connection->peer, address, sizeof connection->peer);
    frame_init(&connection->frame, (size_t)workspace->settings->max_bytes);
    deadline_bound_reply(fd, workspace->settings->timeout);
}

/* --- results --- */

/* Completes a result whose code is set. */
static enum connection_state complete(struct connection *connection,
                                      const struct workspace *workspace)
{
    struct result *result = &connection->result;
    const char *buffer = connection->buffer.bytes;

    result->bytes = connection->frame.length;
    result->usec = clock_usec() - connection->started;
    if (!result->message)
        result->message = buffer ? buffer + tag_room(workspace) : "";
    return CONNECTION_DONE;
}

/* Discards up to `size` bytes of input behind the message, as far as that is allowed; the rest
 * stays in the kernel. */
static void discard_input(struct connection *connection, struct workspace *workspace, size_t size)
{
    ssize_t count;

    if (connection->discard < size)
        size = connection->discard;
    if (size == 0 || connection->input_ended)
        return;
    count = recv(connection->fd, workspace->input, size, 0);
    if (count > 0) {
        connection->discard -= (size_t)count;
        connection->trailing = true;
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
        connection->input_ended = true;
    }
}

/*
 * Completes the result after a reply or a refusal. If the peer has sent more, the connection
 * lingers: closing with unread input would send a reset, which can destroy the reply on its way.
 * Otherwise closing the descriptor is all that is needed.
 */
static enum connection_state finish(struct connection *connection, struct workspace *workspace)
{
    complete(connection, workspace);
    if (!connection->trailing)
        discard_input(connection, workspace, TAG_MAX); /* the message is behind these bytes */
    if (connection->input_ended ||
        !(connection->trailing || result_is_refusal(connection->result.code)))
        return CONNECTION_DONE;
    (void)shutdown(connection->fd, SHUT_WR);
    return CONNECTION_LINGERING;
}

/* Returns whether a reset would destroy part of the reply: the peer's kernel may not have
 * acknowledged all of it. What was sent to an AF_UNIX peer has arrived. Not by ioctl(2), which the
 * unit forbids, as a filter can't tell its thousands of uses apart. */
static bool reply_is_on_its_way(const struct connection *connection)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;

    if (connection->peer.any.sa_family == AF_UNIX)
        return false;
    return getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
           info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0;
}

/* Returns whether lingering is over. With input that may not be discarded, the connection waits for
 * the peer to take the reply and close. */
static bool has_lingered(const struct connection *connection)
{
    if (connection->input_ended)
        return true;
    return connection->discard == 0 &&
           (result_is_refusal(connection->result.code) || !reply_is_on_its_way(connection));
}

static enum connection_state linger(struct connection *connection, struct workspace *workspace)
{
    discard_input(connection, workspace, sizeof workspace->input);
    return has_lingered(connection) ? CONNECTION_DONE : CONNECTION_LINGERING;
}

/* Closing with unread input sends a reset, so a reply that has not arrived may be lost. */
static void end_lingering(struct connection *connection)
{
    if (connection->result.code == RESULT_ECHOED && connection->discard == 0 &&
        !has_lingered(connection))
        result_lose_reply(&connection->result);
}

bool connection_wants_input(const struct connection *connection)
{
    return connection->state < CONNECTION_REPLYING ||
           (connection->discard > 0 && !connection->input_ended);
}

bool connection_is_decided(const struct connection *connection)
{
    return connection->state == CONNECTION_DONE ||
           (connection->state == CONNECTION_LINGERING && connection->result.code != RESULT_ECHOED);
}

/* --- the buffer --- */

/* Makes the buffer have at least `needed` bytes. Returns 0, or -1 with the result set. */
static int grow_buffer(struct connection *connection, struct workspace *workspace, size_t needed)
{
    if (memory_grow(&workspace->memory, &connection->buffer, needed) == 0)
        return 0;
    result_fail(&connection->result, EX_OSERR, "cannot get memory for the message", errno);
    return -1;
}

/* Copies the first `size` bytes of the input to the buffer, behind `stored` bytes of the message.
 * Returns 0, or -1 with the result set. */
static int store_input(struct connection *connection, struct workspace *workspace, size_t stored,
                       size_t size)
{
    size_t begin = tag_room(workspace) + stored;

    if (grow_buffer(connection, workspace, begin + size) < 0)
        return -1;
    memcpy(connection->buffer.bytes + begin, input_of(workspace), size);
    memory_moved(&connection->buffer, size);
    return 0;
}

/* Copies a reply of `size` bytes from the input to the buffer, unless it is there already. Returns
 * 0, or -1 with the result set. */
static int store_reply(struct connection *connection, struct workspace *workspace,
                       const char **reply, size_t size)
{
    struct result *result = &connection->result;
    char *bytes;

    if (connection->buffer.bytes)
        return 0;
    if (grow_buffer(connection, workspace, size) < 0)
        return -1;
    bytes = connection->buffer.bytes;
    memcpy(bytes, *reply, size);
    result->message = bytes + (result->message - *reply);
    *reply = bytes;
    return 0;
}

/* --- replying --- */

/* Sends from `reply`, of `size` bytes; sets how many were sent. Returns the next state. */
static enum connection_state send_some(struct connection *connection, struct workspace *workspace,
                                       const char *reply, size_t size, size_t *sent)
{
    ssize_t count = send(connection->fd, reply, size, MSG_NOSIGNAL);

    *sent = count > 0 ? (size_t)count : 0;
    memory_moved(&connection->buffer, *sent);
    if (*sent == size) {
        connection->result.code = RESULT_ECHOED;
        return finish(connection, workspace);
    }
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
        result_fail_transfer(&connection->result, "cannot send the reply", errno);
        return complete(connection, workspace);
    }
    return CONNECTION_REPLYING;
}

/* Puts the peer's tag into the room right in front of `message`. Returns its length. */
static size_t put_tag(const struct connection *connection, char *message)
{
    char buffer[TAG_MAX + 1];
    struct text tag;
    struct peer peer;

    connection_name(connection, &peer);
    text_init(&tag, buffer, sizeof buffer);
    tag_print(&tag, &peer.address, peer.name);
    memcpy(message - tag.length, tag.start, tag.length);
    return tag.length;
}

/* Replies with `message`, which has room for a tag in front and its null byte behind. */
static enum connection_state begin_reply(struct connection *connection, struct workspace *workspace,
                                         char *message)
{
    size_t tag = workspace->settings->tag ? put_tag(connection, message) : 0;
    size_t size = tag + connection->frame.length + 1, sent;
    const char *reply = message - tag;
    enum connection_state state;

    state = send_some(connection, workspace, reply, size, &sent);
    if (state != CONNECTION_REPLYING)
        return state;
    if (store_reply(connection, workspace, &reply, size) < 0)
        return complete(connection, workspace);
    connection->reply = (size_t)(reply - connection->buffer.bytes) + sent;
    connection->left = size - sent;
    return CONNECTION_REPLYING;
}

static enum connection_state continue_reply(struct connection *connection,
                                            struct workspace *workspace)
{
    size_t sent;
    enum connection_state state;

    /* Otherwise a peer that reads only when it has sent everything would be stuck. */
    discard_input(connection, workspace, sizeof workspace->input);
    state = send_some(connection, workspace, connection->buffer.bytes + connection->reply,
                      connection->left, &sent);

    if (state == CONNECTION_REPLYING) {
        connection->reply += sent;
        connection->left -= sent;
    }
    return state;
}

/* --- receiving --- */

/* Decodes `size` bytes of input, all that one read returned. */
static enum connection_state decode(struct connection *connection, struct workspace *workspace,
                                    size_t size)
{
    struct frame *frame = &connection->frame;
    size_t stored = frame->length;
    enum frame_status status = frame_feed(frame, input_of(workspace), size);
    size_t taken = frame->length - stored + (status == FRAME_COMPLETE);
    char *message = input_of(workspace);

    if (connection->buffer.bytes || status == FRAME_MORE) {
        if (store_input(connection, workspace, stored, taken) < 0) {
            frame->length = stored; /* what the log can show */
            return complete(connection, workspace);
        }
        message = connection->buffer.bytes + tag_room(workspace);
    }
    if (status == FRAME_MORE)
        return CONNECTION_RECEIVING;
    connection->result.message = message;
    if (status == FRAME_COMPLETE) {
        connection->trailing = size > taken;
        return begin_reply(connection, workspace, message);
    }
    connection->result.code = result_of_frame(status);
    connection->result.wrong_byte = (unsigned char)input_of(workspace)[frame->length - stored];
    return finish(connection, workspace);
}

/* Returns whether these bytes complete the frame, or show that it is no message. */
static bool is_decided(struct frame frame, const char *bytes, size_t size)
{
    return frame_feed(&frame, bytes, size) != FRAME_MORE;
}

/*
 * Reads input when there is no memory for a buffer: small messages that have arrived whole need
 * none, so that peers who use up the memory cost them nothing. Returns as read_input() does.
 */
static ssize_t read_without_memory(struct connection *connection, struct workspace *workspace)
{
    char *input = input_of(workspace);
    ssize_t count = recv(connection->fd, input, MEMORY_READ_MIN, MSG_PEEK);

    if (count <= 0)
        return count;
    if (is_decided(connection->frame, input, (size_t)count))
        return recv(connection->fd, input, (size_t)count, 0); /* the same bytes */
    errno = ENOMEM;
    return -1;
}

/* Reads into the workspace's input. Returns the number of bytes, 0 at the end of input, or -1 with
 * errno, which is ENOMEM if the connection has to wait for memory. */
static ssize_t read_input(struct connection *connection, struct workspace *workspace)
{
    size_t size = memory_read_size(&workspace->memory, &connection->buffer);

    if (size == 0)
        return read_without_memory(connection, workspace);
    return recv(connection->fd, input_of(workspace), size, 0);
}

static enum connection_state receive(struct connection *connection, struct workspace *workspace)
{
    ssize_t count = read_input(connection, workspace);

    if (count > 0)
        return decode(connection, workspace, (size_t)count);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return CONNECTION_RECEIVING;
    if (count < 0 && errno == ENOMEM)
        return CONNECTION_NEEDS_MEMORY;
    if (count == 0 || errno == ECONNRESET)
        connection->result.code = RESULT_EOF;
    else
        result_fail_transfer(&connection->result, "cannot read the message", errno);
    return complete(connection, workspace);
}

/* --- the whole --- */

static enum connection_state next_state(struct connection *connection, struct workspace *workspace)
{
    switch (connection->state) {
    case CONNECTION_RECEIVING:
    case CONNECTION_NEEDS_MEMORY:
        return receive(connection, workspace);
    case CONNECTION_REPLYING:
        return continue_reply(connection, workspace);
    case CONNECTION_LINGERING:
        return linger(connection, workspace);
    case CONNECTION_DONE:
        break;
    }
    return CONNECTION_DONE;
}

/* Frees the buffer, but keeps what the log shows of the message. */
static void keep_preview(struct connection *connection, struct workspace *workspace)
{
    struct result *result = &connection->result;
    size_t size = result->bytes < RESULT_PREVIEW_BYTES ? result->bytes : RESULT_PREVIEW_BYTES;

    memcpy(connection->preview, result->message, size);
    connection_free_message(connection, workspace);
    result->message = connection->preview;
}

void connection_step(struct connection *connection, struct workspace *workspace)
{
    bool lingered = connection->state == CONNECTION_LINGERING;

    connection->state = next_state(connection, workspace);
    if (connection->state == CONNECTION_LINGERING && !lingered &&
        !connection_is_decided(connection))
        keep_preview(connection, workspace);
}

void connection_end(struct connection *connection, const struct workspace *workspace,
                    enum result_code code)
{
    if (connection->state < CONNECTION_LINGERING) {
        connection->result.code = code;
        complete(connection, workspace);
    } else {
        end_lingering(connection);
    }
    connection->state = CONNECTION_DONE;
}

void connection_name(const struct connection *connection, struct peer *peer)
{
    memcpy(&peer->address, &connection->peer, sizeof connection->peer);
    peer_name(peer, connection->fd);
}

void connection_free_message(struct connection *connection, struct workspace *workspace)
{
    connection->result.message = NULL;
    memory_free(&workspace->memory, &connection->buffer);
}
