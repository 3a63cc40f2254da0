/* SPDX-License-Identifier: MIT */
/*
 * Writes the log from a thread of its own, because journald, a pipe or a disk may be slow, and
 * sd_journal_sendv(3) waits for it. Records are queued in memory of fixed size; those that don't
 * fit are dropped and counted.
 */
#ifndef TINCAN_TINCAND_LOG_QUEUE_H
#define TINCAN_TINCAND_LOG_QUEUE_H

#include "handler/log.h"
#include "handler/result.h"

struct log_queue;

/*
 * Starts the thread that writes to `log`, which must outlive the queue. With LOG_TO_JOURNAL,
 * exchanges are logged with fields, by sd_journal_sendv(). Returns NULL with errno on failure.
 */
struct log_queue *log_queue_open(struct log *log);

/* Logs how an exchange with `peer` ended. */
void log_queue_result(struct log_queue *queue, const struct result *result, const char *peer);

/* Logs a sentence at a level of syslog(3). */
void log_queue_sentence(struct log_queue *queue, int level, const char *sentence);

/* Returns the number of lines dropped so far. */
uint64_t log_queue_dropped(struct log_queue *queue);

/* Waits about a second at most until everything is written, ends the thread and frees the queue. */
void log_queue_close(struct log_queue *queue);

#endif
