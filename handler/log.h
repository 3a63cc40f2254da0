/* SPDX-License-Identifier: MIT */
/* The log: standard error unless that is a socket of the peer, else syslog. Both servers build
 * their lines here; the handler writes them here too, tincand from a thread of its own. */
#ifndef TINCAN_HANDLER_LOG_H
#define TINCAN_HANDLER_LOG_H

#include "handler/launch.h"
#include "handler/result.h"

#include <sys/types.h>

/* Room for any line: a pipe takes that much whole (PIPE_BUF). */
#define LOG_LINE_SIZE 2048

struct log {
    enum {
        LOG_TO_STDERR,  /* the bare line */
        LOG_TO_JOURNAL, /* the line after its <level>, as in sd-daemon(3) */
        LOG_TO_SYSLOG,  /* a datagram to /dev/log, sent without waiting */
    } sink;
    int fd;              /* or -1 */
    const char *program; /* the name in syslog; a constant */
    pid_t pid;           /* for syslog; the sandbox forbids getpid(2) later */
};

/* Chooses where the log of `program` goes, and opens it: nothing is opened later. */
void log_open(struct log *log, const struct launch *launch, const char *program);

/* Connects to /dev/log, where a syslog daemon may be by now. Returns whether that worked. */
bool log_connect(const struct log *log);

/* Adds the whole line for `result` to the empty `text`, which has room for LOG_LINE_SIZE bytes. */
void log_line(const struct log *log, const struct result *result, const char *peer,
              struct text *text);

/* The same for a sentence at a level of syslog(3). Bare standard error shows the program's name. */
void log_sentence(const struct log *log, int level, const char *sentence, struct text *text);

/* Writes a line at once or drops it: never fails, and never blocks where deadline_start() has
 * succeeded. May move the deadline. */
void log_write(const struct log *log, const struct text *text);

#endif
