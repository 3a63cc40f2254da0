/* SPDX-License-Identifier: MIT */
/*
 * libuv PORT: the protocol on 127.0.0.1:PORT as one would write it with libuv, for messages of less
 * than 64 KiB. It sends back what ends in a null byte, and checks no text, limit or deadline.
 */
#if __has_include(<uv.h>)
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define MESSAGE_MAX 65536

struct connection {
    uv_tcp_t socket;
    uv_write_t reply;
    size_t length;
    char *message;
};

static void destroy(uv_handle_t *handle)
{
    struct connection *connection = handle->data;

    free(connection->message);
    free(connection);
}

static void end(uv_write_t *reply, int status)
{
    (void)status;
    uv_close((uv_handle_t *)reply->handle, destroy);
}

static void give_room(uv_handle_t *handle, size_t wanted, uv_buf_t *room)
{
    struct connection *connection = handle->data;

    (void)wanted;
    if (!connection->message)
        connection->message = malloc(MESSAGE_MAX);
    room->base = connection->message + connection->length;
    room->len = connection->message ? MESSAGE_MAX - connection->length : 0;
}

static void receive(uv_stream_t *stream, ssize_t count, const uv_buf_t *piece)
{
    struct connection *connection = stream->data;

    if (count < 0)
        uv_close((uv_handle_t *)stream, destroy);
    if (count <= 0)
        return;
    connection->length += (size_t)count;
    if (piece->base[count - 1] != '\0')
        return;
    uv_read_stop(stream);
    uv_buf_t reply = uv_buf_init(connection->message, (unsigned)connection->length);
    uv_write(&connection->reply, stream, &reply, 1, end);
}

static void accept_one(uv_stream_t *listener, int status)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (status < 0 || !connection)
        abort();
    uv_tcp_init(listener->loop, &connection->socket);
    connection->socket.data = connection;
    uv_accept(listener, (uv_stream_t *)&connection->socket);
    uv_read_start((uv_stream_t *)&connection->socket, give_room, receive);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address;
    uv_tcp_t listener;
    int error;

    uv_ip4_addr("127.0.0.1", argc > 1 ? atoi(argv[1]) : 0, &address); /* NOLINT(cert-err34-c) */
    uv_tcp_init(uv_default_loop(), &listener);
    uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0);
    error = uv_listen((uv_stream_t *)&listener, 4096, accept_one);
    if (error) {
        fprintf(stderr, "libuv: %s\n", uv_strerror(error));
        return 1;
    }
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
#endif
