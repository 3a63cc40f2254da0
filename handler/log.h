/* SPDX-License-Identifier: MIT */
/*
 * Where the operator reads. Standard error, unless that is the peer or closed: then syslog.
 * Writing never blocks and never fails as far as the caller can see: a line that can't be taken at
 * once is dropped.
 */
#ifndef TINCAN_LOG_H
#define TINCAN_LOG_H

#include "launch.h"

#include <sys/types.h>

/* The longest line written, in bytes, with all that goes around it: no pipe splits it (PIPE_BUF).
 */
#define LOG_LINE_SIZE 2048

struct log {
    enum {
        LOG_TO_STDERR,  /* the bare line */
        LOG_TO_JOURNAL, /* the line behind its <level>, as sd-daemon(3) has it */
        LOG_TO_SYSLOG,  /* a datagram to /dev/log */
        LOG_NOWHERE,
    } sink;
    int fd;    /* or -1 */
    pid_t pid; /* for syslog: asked for once, as the sandbox forbids it later */
};

/* Chooses the sink, and opens syslog where that is it, so that log_line() opens nothing. */
void log_open(struct log *log, const struct launch *launch);

/* Writes one line, given without its newline, at a level of syslog(3). */
void log_line(const struct log *log, int level, const char *line);

#endif
