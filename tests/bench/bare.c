/* SPDX-License-Identifier: MIT */
/*
 * What a flood of probes is held against: the least that an echo server and its load generator can
 * do with epoll, without a check of anything.
 *
 * usage: bare serve          prints its port on 127.0.0.1, then serves until it is killed
 *        bare load PORT PARALLEL COUNT          prints exchanges a second
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_SIZE 57
#define EVENTS       64

static void watch(int epoll, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        err(1, "epoll_ctl");
}

static void answer(int fd)
{
    char buffer[4096];
    ssize_t got = recv(fd, buffer, sizeof buffer, 0);

    if (got > 0)
        send(fd, buffer, (size_t)got, MSG_NOSIGNAL);
    close(fd);
}

static void accept_all(int epoll, int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
        watch(epoll, fd, EPOLLIN);
}

static void serve(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;

    if (bind(listener, (struct sockaddr *)&name, size) < 0 || listen(listener, 4096) < 0 ||
        getsockname(listener, (struct sockaddr *)&name, &size) < 0)
        err(1, "listening");
    watch(epoll, listener, EPOLLIN);
    printf("%u\n", ntohs(name.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                accept_all(epoll, listener);
            else
                answer(events[i].data.fd);
        }
    }
}

static void begin(int epoll, const struct sockaddr_in *name)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0 ||
        (connect(fd, (const struct sockaddr *)name, sizeof *name) < 0 && errno != EINPROGRESS))
        err(1, "connecting");
    watch(epoll, fd, EPOLLOUT);
}

/* Whether the connection came to its end, and was closed. */
static int go_on(int epoll, int fd, uint32_t ready)
{
    static const char message[MESSAGE_SIZE];
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    char buffer[4096];

    if (ready & EPOLLOUT) {
        if (send(fd, message, sizeof message, MSG_NOSIGNAL) < 0)
            err(1, "sending");
        epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
        return 0;
    }
    if (recv(fd, buffer, sizeof buffer, 0) > 0)
        return 0;
    close(fd);
    return 1;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void load(in_port_t port, long parallel, long count)
{
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int epoll = epoll_create1(0);
    double begun = seconds();
    long started = 0, ended = 0;

    for (; started < parallel && started < count; started++)
        begin(epoll, &name);
    while (ended < count) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < ready; i++)
            if (go_on(epoll, events[i].data.fd, events[i].events)) {
                ended++;
                if (started++ < count)
                    begin(epoll, &name);
            }
    }
    printf("%.0f\n", (double)count / (seconds() - begun));
}

static long number(const char *string)
{
    char *end;
    long value = strtol(string, &end, 10);

    if (*end != '\0' || value < 1)
        errx(2, "'%s' is not a number", string);
    return value;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        serve();
    if (argc != 5 || strcmp(argv[1], "load") != 0)
        errx(2, "usage: bare serve | bare load PORT PARALLEL COUNT");
    load((in_port_t)number(argv[2]), number(argv[3]), number(argv[4]));
    return 0;
}
