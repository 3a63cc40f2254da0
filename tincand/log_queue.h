/* SPDX-License-Identifier: MIT */
/*
 * Writing to the log from a thread of its own, as journald, a pipe or a disk may take its time, and
 * sd_journal_sendv(3) then waits. What is to be written is queued in memory of fixed size; what
 * doesn't fit is dropped and counted.
 */
#ifndef TINCAN_TINCAND_LOG_QUEUE_H
#define TINCAN_TINCAND_LOG_QUEUE_H

#include "handler/log.h"
#include "handler/result.h"

struct log_queue;

/*
 * Starts the thread that writes to `log`, which must outlive the queue; with LOG_TO_JOURNAL, where
 * sd_journal_sendv() is used, what is logged of an exchange has fields. Returns NULL with errno.
 */
struct log_queue *log_queue_open(struct log *log);

/* Logs how an exchange with `peer` ended. */
void log_queue_result(struct log_queue *queue, const struct result *result, const char *peer);

/* Logs a sentence at a level of syslog(3). */
void log_queue_sentence(struct log_queue *queue, int level, const char *sentence);

/* How many of all that were dropped. */
uint64_t log_queue_dropped(struct log_queue *queue);

/* Waits until all is written, for a second at most, and ends the thread. The queue is gone then. */
void log_queue_close(struct log_queue *queue);

#endif
