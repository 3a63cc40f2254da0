/* SPDX-License-Identifier: MIT */
/*
 * tincan-handler: serves one connection of the protocol in PROTOCOL.md and exits.
 *
 * A super-server (systemd with Accept=yes, xinetd, inetd, tcpserver, s6, socat, ncat) starts one
 * process per connection. The connection is on descriptors 0 and 1, or on 3 with LISTEN_FDS=1; no
 * flag says which. The order of work:
 *
 *   1. Look at what was handed over (launch.c), before anything is opened that could take the
 *      number of a closed descriptor, and choose where the log goes (log.c): never to the peer.
 *   2. Set one deadline for everything that follows (deadline.c). Ignore SIGPIPE: a peer that
 *      went away is a result, not a death.
 *   3. Name the peer (peer.c) and map the memory (exchange.c).
 *   4. Give up what is no longer needed (sandbox.h): other descriptors, privileges, and all system
 *      calls but those of the next steps.
 *   5. Read the message, checking each byte as it arrives (frame.c), send it back, and close the
 *      sending side (exchange.c).
 *   6. Write one log line, without waiting for the logger.
 *   7. Only if the peer is still sending, drain for a while, so that no reset destroys the reply
 *      on its way. Exit with a status of sysexits.h: 0 echoed, 64 wrong usage or launch, 65 the
 *      bytes were no message, 71 the system failed, 74 the peer went away or ran out of time.
 *
 * Memory: one anonymous mapping, written only as far as the message needs. The program allocates
 * nothing, executes nothing and opens no file.
 */
#include "common/clock.h"
#include "common/text.h"
#include "handler/deadline.h"
#include "handler/exchange.h"
#include "handler/launch.h"
#include "handler/log.h"
#include "handler/peer.h"
#include "handler/result.h"
#include "handler/sandbox.h"
#include "handler/settings.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

/* What the command line asks for. */
enum action { ACTION_SERVE, ACTION_HELP, ACTION_VERSION, ACTION_REFUSE };

struct options {
    struct settings settings;
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
    "SIZE takes k, M, G; TIME takes us, ms, s, m, h, d.\n"
    "Exit status: 0 echoed; 64 wrong usage or launch; 65 no valid message;\n"
    "71 the system failed; 74 the peer went away or ran out of time.\n";

/* Takes one option. Adds a sentence to `problem` if it can't be used. */
static enum action take_option(struct options *options, int option, const char *argument,
                               struct text *problem)
{
    switch (option) {
    case 'S':
        options->no_sandbox = true;
        return ACTION_SERVE;
    case 'h':
        return ACTION_HELP;
    case 'V':
        return ACTION_VERSION;
    default:
        if (!settings_take(&options->settings, option, optarg, problem))
            settings_refuse_option(problem, argument);
        return problem->length > 0 ? ACTION_REFUSE : ACTION_SERVE;
    }
}

/* Reads the command line. Adds a sentence to `problem` if it returns ACTION_REFUSE. */
static enum action read_options(struct options *options, int argc, char **argv,
                                struct text *problem)
{
    static const struct option names[] = {
        SETTINGS_NAMES,
        {"no-sandbox", no_argument, NULL, 'S'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {0},
    };
    enum action action = ACTION_SERVE;

    *options = (struct options){0};
    settings_init(&options->settings);
    opterr = 0; /* getopt would write to descriptor 2, which may be the peer */
    while (action == ACTION_SERVE && optind < argc) {
        const char *argument = argv[optind];
        int option = getopt_long(argc, argv, "+" SETTINGS_LETTERS "ShV", names, NULL);
        if (option < 0)
            break;
        action = take_option(options, option, argument, problem);
    }
    if (action != ACTION_SERVE || optind >= argc)
        return action;
    settings_refuse_argument(problem, argv[optind]);
    return ACTION_REFUSE;
}

static int print(const char *string)
{
    size_t length = strlen(string);

    return write(STDOUT_FILENO, string, length) == (ssize_t)length ? EX_OK : EX_IOERR;
}

static void log_result(const struct log *log, const struct settings *settings, const char *peer,
                       struct result *result)
{
    char buffer[LOG_LINE_SIZE];
    struct text line;

    if (settings->quiet && result->code != RESULT_ERROR)
        return;
    if (settings->no_preview)
        result->message = NULL;
    text_init(&line, buffer, sizeof buffer);
    log_line(log, result, peer, &line);
    log_write(log, &line);
}

/* Serves a connection that was found good, under the deadline. Returns the exit status. */
static int serve(const struct options *options, const struct launch *launch, const struct log *log,
                 uint64_t started)
{
    struct exchange exchange = {.launch = launch, .max_bytes = (size_t)options->settings.max_bytes};
    const int keep[] = {launch->in, launch->out, log->fd};
    struct result result = {0};
    struct peer peer;
    bool linger;

    peer_find(&peer, launch->in, launch->in_socket);
    exchange.tag = options->settings.tag ? &peer : NULL;
    if (exchange_prepare(&exchange) < 0) {
        result_fail(&result, EX_OSERR, "cannot map memory for the message", errno);
    } else {
        if (!options->no_sandbox)
            result.exposed = sandbox_enter(keep, sizeof keep / sizeof keep[0]);
        exchange_run(&exchange, &result);
    }
    result.usec = clock_usec() - started;
    linger = exchange_close(&exchange, result.code);
    /* Before lingering: some super-servers end the process while it lingers. */
    log_result(log, &options->settings, peer.name, &result);
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
    char buffer[LOG_LINE_SIZE];
    struct text line;

    text_init(&line, buffer, sizeof buffer);
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
    struct options options;
    enum action action;
    struct log log;

    text_init(&usage, usage_buffer, sizeof usage_buffer);
    action = read_options(&options, argc, argv, &usage);
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
