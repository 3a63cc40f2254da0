/* SPDX-License-Identifier: MIT */
/*
 * store [PORT]: stores a message of at most 1 MiB, looks for its null byte, sends it back, and
 * checks nothing: the least that a server does that sends no part of an incomplete message. It
 * serves standard input, or listens on 127.0.0.1:PORT and forks for each connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE ((size_t)65536)

static char message[((size_t)1 << 20) + PIECE];

static int die(const char *what)
{
    fprintf(stderr, "store: %s: %s\n", what, strerror(errno));
    return 1;
}

/* Returns the length with the null byte, or 0 if none came. */
static size_t receive(int fd)
{
    size_t length = 0;
    ssize_t count;

    while (length + PIECE <= sizeof message && (count = read(fd, message + length, PIECE)) > 0) {
        const char *end = memchr(message + length, 0, (size_t)count);

        if (end)
            return (size_t)(end - message) + 1;
        length += (size_t)count;
    }
    return 0;
}

static bool serve(int in, int out)
{
    size_t length = receive(in), sent = 0;
    ssize_t count;

    while (sent < length && (count = write(out, message + sent, length - sent)) > 0)
        sent += (size_t)count;
    return length > 0 && sent == length;
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    signal(SIGCHLD, SIG_IGN); /* no zombies */
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd;

    if (listener < 0 ||
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
        bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, SOMAXCONN) < 0)
        return die("listen");
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        if (fork() == 0)
            _exit(!serve(fd, fd));
        close(fd);
    }
    return die("accept");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return listen_on((uint16_t)strtoul(argv[1], NULL, 10));
    return !serve(STDIN_FILENO, STDOUT_FILENO);
}
