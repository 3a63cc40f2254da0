/* SPDX-License-Identifier: MIT */
/*
 * tincand: serves many connections of the protocol in PROTOCOL.md in one process, where a process
 * for each connection costs too much. It gets the listening socket from systemd (Accept=no), xinetd
 * (wait = yes) or inetd (wait), or opens its own. The order of work:
 *
 *   1. Take or open the listening sockets (listeners.c): first, as LISTEN_FDS may be wrong, and a
 *      descriptor that was opened before could be taken for a socket handed over.
 *   2. Choose where the log goes (handler/log.c): never to a socket of a peer. A thread
 *      writes it (log_queue.c), so that no logger can hold up a connection.
 *   3. Serve (server.c): one event loop accepts connections (acceptor.c) and steps them
 *      (sessions.c). A step never waits (connection.c); it uses the same decoder as the handler
 *      (frame.c), with the same results and log line.
 *   4. On SIGTERM, SIGINT or SIGHUP, accept no more, finish the exchanges in progress, and exit.
 *      A socket that was handed over stays open in the process it came from, with its queue.
 *
 * Memory: one record per connection, and a buffer only while part of a message waits for the rest
 * (memory.c). All of it is limited (limits.c).
 */
#include "common/streams.h"
#include "tincand/listeners.h"
#include "tincand/log_queue.h"
#include "tincand/server.h"
#include "tincand/tincand_options.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

/* Larger blocks are returned to the system as soon as they are free. */
#define MMAP_THRESHOLD (128 << 10)

/* Takes and opens the listening sockets. Returns EX_OK, or another status with a sentence added to
 * `problem`. */
static int open_listeners(const struct tincand_options *options, struct listeners *listeners,
                          struct text *problem)
{
    if (listeners_inherit(listeners, options->address_count == 0, problem) < 0)
        return EX_USAGE;
    for (size_t i = 0; i < options->address_count; i++)
        if (listeners_open(listeners, &options->addresses[i], problem) < 0)
            return EX_OSERR;
    return EX_OK;
}

static void log_listeners(const struct listeners *listeners, struct log_queue *queue)
{
    char buffer[32 + 5 * SOCKADDR_TEXT_SIZE]; /* escaped */
    struct text text;

    for (size_t i = 0; i < listeners->count; i++) {
        text_init(&text, buffer, sizeof buffer);
        text_add(&text, "listening on ");
        text_add_escaped(&text, listeners->list[i].name, strlen(listeners->list[i].name));
        log_queue_sentence(queue, LOG_INFO, text.start);
    }
}

/* Opens the sockets and completes the limits. Returns EX_OK, or another status with a sentence
 * added to `problem`. */
static int prepare(const struct tincand_options *options, struct listeners *listeners,
                   struct limits *limits, struct text *problem)
{
    int status = open_listeners(options, listeners, problem);

    *limits = options->limits;
    if (status == EX_OK && limits_complete(limits, listeners->count, problem) < 0)
        status = EX_USAGE;
    return status;
}

/* Serves until it has to end. Returns the exit status; with a sentence added to `problem` if that
 * is not 0. */
static int serve(const struct tincand_options *options, struct listeners *listeners,
                 const struct limits *limits, struct log_queue *queue, struct text *problem)
{
    int error;

    if (!options->settings.quiet)
        log_listeners(listeners, queue);
    error = server_run(listeners, &options->settings, limits, queue);
    if (error >= 0)
        return EX_OK;
    text_addf(problem, "cannot go on: the event loop failed: %s", strerror(-error));
    return EX_OSERR;
}

/* Writes to the log without the thread that could not be started. */
static int fail_to_start_log(const struct log *log)
{
    char buffer[LOG_LINE_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    log_sentence(log, LOG_ERR,
                 "cannot start the thread that writes the log; it needs one more task "
                 "(TasksMax=, ulimit -u) and 9 MiB of address space",
                 &text);
    if (log->fd >= 0 && write(log->fd, text.start, text.length) < 0)
        return EX_IOERR;
    return EX_OSERR;
}

/* Starts the log and serves, or logs why that is not possible. Returns the exit status. */
static int run(const struct tincand_options *options, const struct launch *launch,
               struct text *problem)
{
    static struct log log; /* the thread may outlive this function */
    static struct listeners listeners;
    struct limits limits;
    struct log_queue *queue;
    int status = EX_USAGE;

    if (problem->length == 0)
        status = prepare(options, &listeners, &limits, problem);
    log_open(&log, launch, "tincand");
    queue = log_queue_open(&log);
    if (!queue) {
        listeners_close(&listeners);
        return fail_to_start_log(&log);
    }
    if (problem->length == 0)
        status = serve(options, &listeners, &limits, queue, problem);
    else
        listeners_close(&listeners);
    if (problem->length > 0)
        log_queue_sentence(queue, LOG_ERR, problem->start);
    log_queue_close(queue);
    return status;
}

static int print(const char *string)
{
    return fputs(string, stdout) >= 0 && fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

int main(int argc, char **argv)
{
    char buffer[1024];
    struct text problem;
    struct launch launch = {0};
    static struct tincand_options options; /* too large for a stack, with its addresses */
    enum action action;

    launch_find_stderr(&launch, STDIN_FILENO, STDIN_FILENO);
    streams_fill();
    text_init(&problem, buffer, sizeof buffer);
    action = tincand_options_read(&options, argc, argv, &problem);
    if (action == ACTION_HELP)
        return print(tincand_help);
    if (action == ACTION_VERSION)
        return print("tincand " TINCAN_VERSION "\n");
    (void)signal(SIGPIPE, SIG_IGN);
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    (void)mallopt(M_TRIM_THRESHOLD, MMAP_THRESHOLD);
    return run(&options, &launch, &problem);
}
