/* SPDX-License-Identifier: MIT */
/*
 * tincan-handler: serves one connection of the protocol in PROTOCOL.md and exits.
 *
 * A super-server (systemd with Accept=yes, xinetd, inetd, tcpserver, s6, socat, ncat) starts one
 * process per connection. The connection is on descriptors 0 and 1, or on 3 with LISTEN_FDS=1; no
 * flag says which. The order of work:
 *
 *   1. See what was handed over (launch.c) before anything opened takes the number of a closed
 *      descriptor; choose where the log goes (log.c): never to a socket of the peer.
 *   2. Set one deadline for everything that follows (deadline.c). Ignore SIGPIPE.
 *   3. Name the peer (peer.c) and map the memory (exchange.c): nothing is allocated later.
 *   4. Give up other descriptors, privileges, and all system calls not needed below (sandbox.h).
 *   5. Read the message, checking each byte as it arrives (frame.c), send it back, and close the
 *      sending side (exchange.c).
 *   6. Only if the peer sent more than its message, drain that for a while, so that no reset
 *      destroys the reply on its way. Write one log line, without waiting for the logger. Drain
 *      what a refused peer may still be sending.
 *   7. Exit with a status of sysexits.h: 0 echoed, 64 wrong usage or launch, 65 the bytes were no
 *      message, 71 the system failed, 74 the exchange was not completed.
 */
#include "common/clock.h"
#include "handler/deadline.h"
#include "handler/exchange.h"
#include "handler/log.h"
#include "handler/sandbox.h"
#include "handler/settings.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

struct options {
    struct settings settings; /* first */
    bool no_sandbox;
};

static const char help[] =
    "Usage: tincan-handler [OPTION]...\n"
    "Serve one connection of the tincan echo protocol on standard input and output.\n"
    "A super-server starts one per connection; by hand: printf 'hello\\0' | tincan-handler\n"
    "\n" SETTINGS_HELP
    "  -S, --no-sandbox      do not restrict this process's system calls, for debugging\n"
    "  -h, --help            show this help\n"
    "  -V, --version         show the version\n"
    "\n"
    "SIZE may end in k, M or G; TIME in us, ms, s, m, h or d.\n"
    "Exit status: 0 echoed; 64 wrong usage or launch; 65 no valid message;\n"
    "71 the system failed; 74 the exchange was not completed.\n";

static bool take_own_option(struct settings *settings, int letter, struct text *problem)
{
    (void)problem;
    if (letter != 'S')
        return false;
    return ((struct options *)settings)->no_sandbox = true;
}

static const struct option names[] = {SETTINGS_NAMES, {"no-sandbox", no_argument, NULL, 'S'}, {0}};

static const struct program_options program = {SETTINGS_LETTERS "S", names, take_own_option};

/* Not on the stack, of which it would take a page more. */
static char line_room[LOG_LINE_SIZE];

static int print(const char *string)
{
    size_t length = strlen(string);

    return write(STDOUT_FILENO, string, length) == (ssize_t)length ? EX_OK : EX_IOERR;
}

static void log_result(const struct log *log, const struct settings *settings, const char *peer,
                       struct result *result)
{
    struct text line;

    if (settings->quiet && result->code != RESULT_ERROR)
        return;
    if (settings->no_preview)
        result->message = NULL;
    text_init(&line, line_room, sizeof line_room);
    log_line(log, result, peer, &line);
    log_write(log, &line);
}

/* Serves a connection that was found good, under the deadline. Returns the exit status. */
static int serve(const struct options *options, const struct launch *launch, const struct log *log,
                 uint64_t started)
{
    const struct settings *settings = &options->settings;
    const int keep[] = {launch->in, launch->out, log->fd};
    struct exchange exchange;
    struct result result = {0};
    struct peer peer;
    bool linger;

    peer_find(&peer, launch->in, launch->in_socket);
    if (exchange_prepare(&exchange, launch, settings, &peer) < 0) {
        result_fail(&result, EX_OSERR, "cannot map memory for the message", errno);
    } else {
        if (!options->no_sandbox) {
            result.exposed = sandbox_enter(keep, sizeof keep / sizeof keep[0]);
            result.exposed_number = errno;
        }
        exchange_run(&exchange, &result);
    }
    result.usec = clock_usec() - started;
    linger = exchange_close(&exchange, &result);
    /* Before the rest of lingering: some super-servers end the process while it lingers. */
    log_result(log, settings, peer.name, &result);
    if (linger)
        exchange_linger(&exchange);
    return result_status(&result);
}

/* Logs why there can be no exchange. Returns the exit status. */
static int refuse(const struct options *options, const struct log *log, int status,
                  const char *error, int error_number)
{
    struct result result = {0};

    result_fail(&result, status, error, error_number);
    log_result(log, &options->settings, "-", &result);
    return status;
}

/* The same for a command line that can't be used, in a sentence. */
static int refuse_usage(const struct log *log, const char *sentence)
{
    struct text line;

    text_init(&line, line_room, sizeof line_room);
    log_sentence(log, LOG_ERR, sentence, &line);
    log_write(log, &line);
    return EX_USAGE;
}

int main(int argc, char **argv)
{
    uint64_t started = clock_usec();
    struct launch launch;
    const char *problem = launch_find(&launch);
    char usage_buffer[512];
    struct text usage;
    struct options options = {0};
    enum action action;
    struct log log;

    text_init(&usage, usage_buffer, sizeof usage_buffer);
    action = settings_read(&options.settings, &program, argc, argv, &usage);
    if (action == ACTION_HELP)
        return print(help);
    if (action == ACTION_VERSION)
        return print("tincan-handler " TINCAN_VERSION "\n");
    log_open(&log, &launch, "tincan-handler");
    if (deadline_start(options.settings.timeout) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return refuse(&options, &log, EX_OSERR, "cannot set the deadline", errno);
    if (action == ACTION_REFUSE)
        return refuse_usage(&log, usage.start);
    if (problem)
        return refuse(&options, &log, EX_USAGE, problem, 0);
    return serve(&options, &launch, &log, started);
}
