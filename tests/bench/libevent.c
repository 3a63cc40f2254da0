/* SPDX-License-Identifier: MIT */
/*
 * libevent PORT: the protocol on 127.0.0.1:PORT as one would write it with libevent's buffered
 * events. It sends back a message that ends in a null byte, and checks no text, limit or deadline.
 */
#if __has_include(<event2/event.h>)
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void end(struct bufferevent *connection, void *context)
{
    (void)context;
    bufferevent_free(connection);
}

static void end_at_event(struct bufferevent *connection, short events, void *context)
{
    if (events & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        end(connection, context);
}

static void receive(struct bufferevent *connection, void *context)
{
    struct evbuffer *input = bufferevent_get_input(connection);

    (void)context;
    if (evbuffer_search(input, "", 1, NULL).pos < 0)
        return;
    bufferevent_setcb(connection, NULL, end, end_at_event, NULL); /* ends once all was sent */
    bufferevent_write_buffer(connection, input);
}

static void accept_one(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
                       int length, void *base)
{
    struct bufferevent *connection = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

    (void)listener, (void)peer, (void)length;
    bufferevent_setcb(connection, receive, NULL, end_at_event, NULL);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 0),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct event_base *base = event_base_new();

    if (!evconnlistener_new_bind(base, accept_one, base, LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_FREE,
                                 4096, (struct sockaddr *)&address, sizeof address)) {
        perror("libevent");
        return 1;
    }
    return event_base_dispatch(base);
}
#endif
