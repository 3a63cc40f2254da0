/* SPDX-License-Identifier: MIT */
#include "handler/log.h"

#include "handler/deadline.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

/* How long a write may be stuck in a pipe that another process filled at the last moment. */
#define STUCK_USEC 20000

void log_open(struct log *log, const struct launch *launch, const char *program)
{
    *log = (struct log){.fd = STDERR_FILENO, .program = program, .pid = getpid()};
    if (launch->stderr_ours) {
        log->sink = launch->stderr_journal ? LOG_TO_JOURNAL : LOG_TO_STDERR;
        return;
    }
    log->sink = LOG_TO_SYSLOG;
    log->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)log_connect(log);
}

bool log_connect(const struct log *log)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

    return connect(log->fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

/* Adds what goes in front of a line. */
static void begin_line(const struct log *log, int level, struct text *text)
{
    if (log->sink == LOG_TO_JOURNAL) {
        text_add_number(text, "<", (unsigned)level);
        text_add(text, ">");
    }
    if (log->sink == LOG_TO_SYSLOG) {
        text_add_number(text, "<", (unsigned)(LOG_DAEMON | level));
        text_add(text, ">");
        text_add(text, log->program);
        text_add_number(text, "[", (unsigned)log->pid);
        text_add(text, "]: ");
    }
}

static const char *line_end(const struct log *log)
{
    return log->sink == LOG_TO_SYSLOG ? "" : "\n";
}

void log_line(const struct log *log, const struct result *result, const char *peer,
              struct text *text)
{
    begin_line(log, result_level(result), text);
    result_print(text, result, peer);
    text_add(text, line_end(log));
}

void log_sentence(const struct log *log, int level, const char *sentence, struct text *text)
{
    begin_line(log, level, text);
    if (log->sink == LOG_TO_STDERR) {
        text_add(text, log->program);
        text_add(text, ": ");
    }
    text_add(text, sentence);
    text_add(text, line_end(log));
}

/*
 * An inherited descriptor must not be made non-blocking: everybody who has it shares the flag. A
 * socket can be asked not to wait, call by call. For anything else poll(2) says whether there is
 * room; if another process takes that room first, the moved deadline ends the wait.
 */
void log_write(const struct log *log, const struct text *text)
{
    struct pollfd ready = {.fd = log->fd, .events = POLLOUT};

    if (send(log->fd, text->start, text->length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
        log->sink == LOG_TO_SYSLOG || poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
        return;
    deadline_move(STUCK_USEC);
    if (write(log->fd, text->start, text->length) < 0)
        return; /* there is nowhere left to report it */
}
