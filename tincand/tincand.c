/* SPDX-License-Identifier: MIT */
/*
 * tincand: serves many connections of the protocol in PROTOCOL.md in one process, for those who
 * outgrow a process per connection. It is handed the listening socket by systemd (Accept=no),
 * xinetd (wait = yes) or inetd (wait), or opens its own. The order of work:
 *
 *   1. See where the log goes (log.c): never to a peer. It is written by a thread of its own
 *      (log_queue.c), so that no logger can hold up a connection.
 *   2. Take or open the listening sockets (listeners.c).
 *   3. Serve (server.c): one event loop, each connection in steps that never wait (connection.c)
 *      through the same decoder as the handler's (frame.c), with the same results and log line.
 *   4. On SIGTERM, SIGINT or SIGHUP, accept no more, finish what is begun, and exit. Who handed the
 *      socket over still has it, with all who wait there.
 *
 * Memory: one record per connection, and a buffer only while part of a message waits for the rest.
 * All of it has limits.
 */
#include "common/streams.h"
#include "handler/settings.h"
#include "tincand/listeners.h"
#include "tincand/log_queue.h"
#include "tincand/server.h"
#include "tincand/tincand_options.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

/* Descriptors for everything but connections and listening sockets. */
#define OWN_DESCRIPTORS 13

/* How many sources it takes at least to have all connections, unless told otherwise. */
#define LEAST_SOURCES 4

/* Larger blocks are given back to the system as soon as they are free. */
#define OWN_MAPPING_BYTES (128 << 10)

static const char help[] =
    "Usage: tincand [OPTION]...\n"
    "Serve the tincan echo protocol, many connections in one process. The listening sockets are\n"
    "those of a systemd .socket unit (Accept=no), or standard input (xinetd with wait = yes), or:\n"
    "\n"
    "  -l, --listen=ADDRESS  HOST:PORT, [IPV6]:PORT, unix:PATH, unix:@NAME, vsock:CID:PORT;\n"
    "                        may be given several times\n" SETTINGS_HELP
    "  -c, --max-connections=N             connections at once (default: what the limit of\n"
    "                                      descriptors allows)\n"
    "      --max-connections-per-source=N  of one address or user (default: a quarter of that)\n"
    "      --max-memory=SIZE  for messages in all (default 256M); above, input waits\n"
    "      --grace=TIME       for what is in flight when told to stop (default 5s)\n"
    "      --idle-exit=TIME   end after so long without a connection (default: never)\n"
    "  -h, --help            show this help\n"
    "  -V, --version         show the version\n"
    "\n"
    "SIZE takes k, M, G; TIME takes us, ms, s, m, h, d.\n"
    "Exit status: 0 told to stop, or idle; 64 wrong usage or launch; 71 the system failed.\n";

/* The descriptors that connections can have, in `limit` of all. */
static uint64_t descriptors_for_connections(rlim_t limit, size_t listeners)
{
    size_t others = OWN_DESCRIPTORS + listeners;

    return limit > others ? limit - others : 0;
}

/* Adds a sentence on a limit of descriptors that is too small for what is wanted. */
static void add_too_few(struct text *problem, uint64_t wanted, rlim_t limit, size_t listeners)
{
    text_add(problem, "cannot serve ");
    text_addf(problem, "%" PRIu64, (uint64_t)wanted);
    text_add(problem,
             wanted == 1 ? " connection with a limit of " : " connections with a limit of ");
    text_addf(problem, "%" PRIu64, (uint64_t)limit);
    text_add(problem, " descriptors, of which ");
    text_addf(problem, "%" PRIu64, (uint64_t)OWN_DESCRIPTORS + listeners);
    text_add(problem, " are needed otherwise; raise it (LimitNOFILE= in the unit, ulimit -n in a "
                      "shell) or lower --max-connections");
}

/*
 * Sets the limits that depend on how many descriptors there may be; the soft limit is raised if
 * that is needed for what was asked for. Returns 0, or -1 with a sentence added to `problem`.
 */
static int set_limits(const struct tincand_options *options, size_t listeners,
                      struct limits *limits, struct text *problem)
{
    uint64_t wanted = options->max_connections ? options->max_connections : 1;
    struct rlimit descriptors = {0};

    (void)getrlimit(RLIMIT_NOFILE, &descriptors);
    if (descriptors_for_connections(descriptors.rlim_cur, listeners) < wanted) {
        descriptors.rlim_cur = descriptors.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    if (descriptors_for_connections(descriptors.rlim_cur, listeners) < wanted) {
        add_too_few(problem, wanted, descriptors.rlim_cur, listeners);
        return -1;
    }
    if (!options->max_connections)
        wanted = descriptors_for_connections(descriptors.rlim_cur, listeners);
    *limits = (struct limits){
        .max_connections = (size_t)wanted,
        .max_per_source =
            (size_t)(options->max_per_source ? options->max_per_source
                                             : (wanted + LEAST_SOURCES - 1) / LEAST_SOURCES),
        .max_memory = (size_t)options->max_memory,
        .grace = options->grace,
        .idle_exit = options->idle_exit,
    };
    return 0;
}

/* Takes and opens the listening sockets. Returns EX_OK, or another status with a sentence added to
 * `problem`. */
static int listen_on_all(const struct tincand_options *options, struct listeners *listeners,
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
    char buffer[SOCKADDR_TEXT_SIZE + 32];
    struct text text;

    for (size_t i = 0; i < listeners->count; i++) {
        text_init(&text, buffer, sizeof buffer);
        text_add(&text, "listening on ");
        text_add_escaped(&text, listeners->list[i].name, strlen(listeners->list[i].name));
        log_queue_sentence(queue, LOG_INFO, text.start);
    }
}

/* Serves as the options say. Returns the exit status; with a sentence added to `problem` if that is
 * not 0. */
static int serve(const struct tincand_options *options, struct log_queue *queue,
                 struct text *problem)
{
    static struct listeners listeners;
    struct limits limits;
    int status = listen_on_all(options, &listeners, problem);
    int error;

    if (status == EX_OK && set_limits(options, listeners.count, &limits, problem) < 0)
        status = EX_USAGE;
    if (status != EX_OK) {
        listeners_close(&listeners);
        return status;
    }
    if (!options->settings.quiet)
        log_listeners(&listeners, queue);
    error = server_run(&listeners, &options->settings, &limits, queue);
    if (error >= 0)
        return EX_OK;
    text_add(problem, "cannot go on: the event loop failed: ");
    text_add(problem, strerror(-error));
    return EX_OSERR;
}

static int print(const char *string)
{
    return fputs(string, stdout) >= 0 && fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

/* Without the thread that writes the log, this is written here. */
static int fail_to_start(const struct log *log)
{
    char buffer[LOG_LINE_SIZE];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    log_sentence(log, LOG_ERR,
                 "cannot start the thread that writes the log; it needs a task "
                 "more (TasksMax=, ulimit -u) and 9 MiB of address space",
                 &text);
    if (log->fd >= 0 && write(log->fd, text.start, text.length) < 0)
        return EX_IOERR;
    return EX_OSERR;
}

/* Opens the log and serves; what can't be done is logged. Returns the exit status. */
static int run(const struct tincand_options *options, struct log *log, struct text *problem)
{
    struct log_queue *queue = log_queue_open(log);
    int status = EX_USAGE;

    if (!queue)
        return fail_to_start(log);
    if (options->action == TINCAND_SERVE)
        status = serve(options, queue, problem);
    if (problem->length > 0)
        log_queue_sentence(queue, LOG_ERR, problem->start);
    log_queue_close(queue);
    return status;
}

int main(int argc, char **argv)
{
    char buffer[1024];
    struct text problem;
    struct launch launch = {0};
    static struct tincand_options options; /* with its addresses rather large for a stack */
    static struct log log; /* the thread may have it longer than this function does */

    launch_find_stderr(&launch, STDIN_FILENO, STDIN_FILENO);
    streams_fill();
    text_init(&problem, buffer, sizeof buffer);
    tincand_options_read(&options, argc, argv, &problem);
    if (options.action == TINCAND_HELP)
        return print(help);
    if (options.action == TINCAND_VERSION)
        return print("tincand " TINCAN_VERSION "\n");
    (void)signal(SIGPIPE, SIG_IGN);
    (void)mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, OWN_MAPPING_BYTES);
    log_open(&log, &launch, "tincand");
    return run(&options, &log, &problem);
}
