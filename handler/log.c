/* SPDX-License-Identifier: MIT */
#include "handler/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

/* JOURNAL_STREAM is DEVICE:INODE, in decimal, of the stream to the journal (systemd.exec(5)). */
static bool stderr_is_journal(const struct launch *launch)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char expected[64];
    struct text text;

    text_init(&text, expected, sizeof expected);
    text_addf(&text, "%" PRIu64, (uint64_t)launch->stderr_device);
    text_add(&text, ":");
    text_addf(&text, "%" PRIu64, (uint64_t)launch->stderr_inode);
    return stream && strcmp(stream, expected) == 0;
}

/* A datagram socket connected to /dev/log, or -1. syslog(3) can't be used: its socket blocks. */
static int open_syslog(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void log_open(struct log *log, const struct launch *launch, const char *program)
{
    log->program = program;
    if (launch->stderr_open && !launch->stderr_peer) {
        log->fd = STDERR_FILENO;
        log->sink = stderr_is_journal(launch) ? LOG_TO_JOURNAL : LOG_TO_STDERR;
        return;
    }
    log->fd = open_syslog();
    log->pid = getpid();
    log->sink = log->fd < 0 ? LOG_NOWHERE : LOG_TO_SYSLOG;
}

bool log_reopen(struct log *log)
{
    int fd = open_syslog();

    if (fd < 0)
        return false;
    close(log->fd);
    log->fd = fd;
    return true;
}

void log_format(const struct log *log, int level, const char *line, struct text *text)
{
    if (log->sink != LOG_TO_STDERR) {
        text_add(text, "<");
        text_addf(text, "%" PRIu64,
                  (uint64_t)(uint64_t)(log->sink == LOG_TO_SYSLOG ? LOG_DAEMON | level : level));
        text_add(text, ">");
    }
    if (log->sink == LOG_TO_SYSLOG) {
        text_add(text, log->program);
        text_add(text, "[");
        text_addf(text, "%" PRIu64, (uint64_t)(uint64_t)log->pid);
        text_add(text, "]: ");
    }
    text_add(text, line);
    if (log->sink == LOG_TO_SYSLOG)
        return;
    if (text->length == text->size - 1)
        text->length--; /* the newline is never cut */
    text_add(text, "\n");
}

void log_format_sentence(const struct log *log, int level, const char *sentence, struct text *text)
{
    char buffer[LOG_LINE_SIZE / 2];
    struct text line;

    text_init(&line, buffer, sizeof buffer);
    if (log->sink == LOG_TO_STDERR) {
        text_add(&line, log->program);
        text_add(&line, ": ");
    }
    text_add(&line, sentence);
    log_format(log, level, line.start, text);
}
