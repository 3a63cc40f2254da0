/* SPDX-License-Identifier: MIT */
#include "handler/launch.h"

#include "common/quantity.h"
#include "common/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LISTEN_FDS_START 3 /* SD_LISTEN_FDS_START of sd_listen_fds(3) */

/* Returns the number of descriptors in LISTEN_FDS if they are meant for this process, else 0. */
static uint64_t passed_descriptors(void)
{
    const char *pid_text = getenv("LISTEN_PID"), *count_text = getenv("LISTEN_FDS");
    uint64_t pid, count;

    if (!pid_text || quantity_size(pid_text, 1, INT32_MAX, &pid) < 0 || pid != (uint64_t)getpid())
        return 0;
    return count_text && quantity_size(count_text, 1, INT32_MAX, &count) == 0 ? count : 0;
}

/* Returns whether `fd` is surely something else than `object`; closed is something else. */
static bool differs(int fd, const struct stat *object)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return errno == EBADF;
    return status.st_dev != object->st_dev || status.st_ino != object->st_ino;
}

/* Returns whether the socket `fd` is one of this machine alone, as those to loggers are. */
static bool is_local(int fd)
{
    int domain;
    socklen_t size = sizeof domain;

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

/* Returns whether JOURNAL_STREAM names the object: DEVICE:INODE, in decimal (systemd.exec(5)). */
static bool is_journal(const struct stat *object)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char buffer[64];
    struct text expected;

    text_init(&expected, buffer, sizeof buffer);
    text_add_number(&expected, "", object->st_dev);
    text_add_number(&expected, ":", object->st_ino);
    return stream && strcmp(stream, expected.start) == 0;
}

/*
 * Super-servers put the connection on descriptor 2 as well. If it is the terminal, file or pipe of
 * the reply instead of a socket, a user put it there and wants to see both. A socket of a network
 * is never the operator's, also where the connection is somewhere else.
 */
void launch_find_stderr(struct launch *launch, int in, int out)
{
    struct stat err;

    if (fstat(STDERR_FILENO, &err) < 0)
        return;
    launch->stderr_journal = is_journal(&err);
    launch->stderr_ours =
        !S_ISSOCK(err.st_mode) || (differs(in, &err) && differs(out, &err) &&
                                   (launch->stderr_journal || is_local(STDERR_FILENO)));
}

/* Returns why the socket `fd` is no connection, or NULL if it is one. */
static const char *socket_problem(int fd)
{
    int type, listening;
    socklen_t size = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type != SOCK_STREAM)
        return "the socket handed over is not a stream socket; use socket type stream (TCP)";
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening)
        return "the socket handed over is a listening socket, not a connection; "
               "set Accept=yes (systemd), wait = no (xinetd) or nowait (inetd)";
    return NULL;
}

const char *launch_find(struct launch *launch)
{
    uint64_t count = passed_descriptors();
    struct stat in, out;

    *launch = (struct launch){.in = STDIN_FILENO, .out = STDOUT_FILENO};
    if (count > 0)
        launch->in = launch->out = LISTEN_FDS_START;
    launch_find_stderr(launch, launch->in, launch->out);
    if (fstat(launch->in, &in) < 0)
        return count ? "descriptor 3 is closed although LISTEN_FDS names it"
                     : "standard input is closed; it must be the connection";
    if (fstat(launch->out, &out) < 0)
        return "standard output is closed; it must be the connection";
    if (count > 1)
        return "LISTEN_FDS passes several sockets, not one connection; set Accept=yes (systemd)";
    launch->in_socket = S_ISSOCK(in.st_mode);
    launch->out_socket = S_ISSOCK(out.st_mode);
    return launch->in_socket ? socket_problem(launch->in) : NULL;
}
