/* SPDX-License-Identifier: MIT */
/*
 * Where the operator reads, and in what form. Standard error, unless that is the peer or closed:
 * then syslog.
 */
#ifndef TINCAN_HANDLER_LOG_H
#define TINCAN_HANDLER_LOG_H

#include "common/text.h"
#include "handler/launch.h"

#include <stdbool.h>
#include <sys/types.h>

/* The longest line written, in bytes, with all that goes around it: no pipe splits it (PIPE_BUF).
 */
#define LOG_LINE_SIZE 2048

struct log {
    enum {
        LOG_TO_STDERR,  /* the bare line */
        LOG_TO_JOURNAL, /* the line behind its <level>, as sd-daemon(3) has it */
        LOG_TO_SYSLOG,  /* a datagram to /dev/log, which is not waited for */
        LOG_NOWHERE,
    } sink;
    int fd;              /* or -1 */
    const char *program; /* the name in syslog */
    pid_t pid;           /* for syslog: asked for once, as the sandbox forbids it later */
};

/* Chooses the sink, and opens syslog where that is it, so that nothing is to be opened later.
 * `program` must outlive `log`. */
void log_open(struct log *log, const struct launch *launch, const char *program);

/* Opens syslog again, whose daemon may have been started anew. Returns whether that could be done.
 */
bool log_reopen(struct log *log);

/*
 * Adds to the empty `text`, of at least LOG_LINE_SIZE bytes, all that is to be written for a line
 * of a level of syslog(3), given without its newline.
 */
void log_format(const struct log *log, int level, const char *line, struct text *text);

/*
 * The same for a sentence to a person, who on a bare standard error can't know which program says
 * it.
 */
void log_format_sentence(const struct log *log, int level, const char *sentence, struct text *text);

#endif
