/* SPDX-License-Identifier: MIT */
#include "tincand/log_queue.h"

#include "common/clock.h"
#include "common/streams.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <syslog.h>
#define SD_JOURNAL_SUPPRESS_LOCATION /* which line of this file logs says nothing */
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

/* The size of a batch of records, in bytes: some thousand lines. */
#define BATCH_SIZE ((size_t)512 << 10)

#define CLOSE_SECONDS 1

/* How long a datagram waits for a syslog daemon that does not read. */
#define STUCK_USEC 500000

/* How often a notice about lost lines that could not be written is tried again. */
#define NOTICE_SECONDS 1

#define GATHER_NSEC 1000000
#define FIELDS_MAX  8

/* Identifies the records of exchanges in the journal: `journalctl MESSAGE_ID=...`. */
#define EXCHANGE_MESSAGE_ID "a811271d43ff4781812039b4064c1690"

/*
 * A record that begins so is a line for the stream to the journal; any other is a list of fields.
 * Sentences are written to the stream: once the process has ended, the journal can attribute only
 * the stream to the unit.
 */
#define LEVEL_BEGINS '<'

/* Records, each behind its length: text to be written as it is, or fields for the journal, each
 * ended by a null byte. */
struct batch {
    size_t used;
    char bytes[BATCH_SIZE];
};

struct log_queue {
    struct log *log;
    pthread_t thread;
    uint64_t reported;    /* how many of `dropped` are in the log; the thread's */
    bool stuck;           /* the syslog daemon does not read; the thread's */
    pthread_mutex_t lock; /* for all that follows */
    pthread_cond_t filled;
    bool waiting; /* the thread waits for `filled` */
    bool closing;
    uint64_t dropped;    /* lines */
    struct batch *batch; /* is being filled; the other one is the thread's */
    struct batch batches[2];
};

/* --- the thread --- */

static void write_all(int fd, char *bytes, size_t size)
{
    struct iovec part = {.iov_base = bytes, .iov_len = size};

    (void)streams_write(fd, &part, 1); /* no place is left to report an error */
}

static void write_fields(char *bytes, size_t size)
{
    struct iovec fields[FIELDS_MAX];
    int count = 0;

    for (char *field = bytes; field < bytes + size && count < FIELDS_MAX;) {
        size_t length = strlen(field);
        fields[count++] = (struct iovec){.iov_base = field, .iov_len = length};
        field += length + 1;
    }
    (void)sd_journal_sendv(fields, count);
}

/*
 * Sends a datagram to the syslog daemon; waits while its queue is full, and connects again if it
 * was restarted. If it does not read at all, only the first datagram is waited for. Returns whether
 * the datagram was sent.
 */
static bool write_datagram(struct log_queue *queue, const char *bytes, size_t size)
{
    struct log *log = queue->log;
    struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
    int64_t deadline = clock_after(queue->stuck ? 0 : STUCK_USEC);
    bool reconnected = false;

    while (send(log->fd, bytes, size, MSG_NOSIGNAL) < 0) {
        if (errno == EAGAIN) {
            if (poll(&ready, 1, clock_poll_timeout(deadline)) > 0)
                continue;
            queue->stuck = true;
            return false;
        }
        if (reconnected || !log_connect(log))
            return false;
        reconnected = true;
    }
    queue->stuck = false;
    return true;
}

/* Returns whether the record was written, as far as that can be known. */
static bool write_record(struct log_queue *queue, char *bytes, size_t size)
{
    struct log *log = queue->log;

    switch (log->sink) {
    case LOG_TO_STDERR:
        write_all(log->fd, bytes, size);
        break;
    case LOG_TO_JOURNAL:
        if (bytes[0] == LEVEL_BEGINS)
            write_all(log->fd, bytes, size);
        else
            write_fields(bytes, size);
        break;
    case LOG_TO_SYSLOG:
        return write_datagram(queue, bytes, size);
    }
    return true;
}

/* Returns the number of records that could not be written. */
static uint64_t write_batch(struct log_queue *queue, struct batch *batch)
{
    uint64_t lost = 0;
    size_t size;

    for (size_t at = 0; at < batch->used; at += size) {
        memcpy(&size, batch->bytes + at, sizeof size);
        at += sizeof size;
        lost += !write_record(queue, batch->bytes + at, size);
    }
    batch->used = 0;
    return lost;
}

/* Waits for a record; while a notice about lost lines is due, at most NOTICE_SECONDS. */
static void wait_for_record(struct log_queue *queue)
{
    struct timespec until;

    if (queue->dropped == queue->reported) {
        pthread_cond_wait(&queue->filled, &queue->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += NOTICE_SECONDS;
    pthread_cond_clockwait(&queue->filled, &queue->lock, CLOCK_MONOTONIC, &until);
}

/* Waits for a record, and a moment for more: one wakeup per record is expensive. */
static void wait_and_gather(struct log_queue *queue)
{
    const struct timespec moment = {.tv_nsec = GATHER_NSEC};

    queue->waiting = true;
    wait_for_record(queue);
    queue->waiting = false;
    pthread_mutex_unlock(&queue->lock);
    nanosleep(&moment, NULL);
    pthread_mutex_lock(&queue->lock);
}

/* --- the threads that log --- */

static void count_dropped(struct log_queue *queue, uint64_t lines)
{
    pthread_mutex_lock(&queue->lock);
    queue->dropped += lines;
    pthread_mutex_unlock(&queue->lock);
}

/* Returns whether there was room. */
static bool add_record(struct log_queue *queue, const struct text *record)
{
    struct batch *batch;
    bool fits;

    pthread_mutex_lock(&queue->lock);
    batch = queue->batch;
    fits = batch->used + sizeof record->length + record->length <= BATCH_SIZE;
    if (fits) {
        memcpy(batch->bytes + batch->used, &record->length, sizeof record->length);
        batch->used += sizeof record->length;
        memcpy(batch->bytes + batch->used, record->start, record->length);
        batch->used += record->length;
    }
    if (queue->waiting)
        pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
    return fits;
}

/* Ends a field. */
static void add_null(struct text *record)
{
    text_add_bytes(record, "", 1);
}

/* Makes `record` the fields of sd_journal_sendv(3). */
static void add_fields(struct text *record, const struct result *result, const char *peer)
{
    text_add(record, "MESSAGE=");
    result_print(record, result, peer);
    add_null(record);
    text_add(record, "MESSAGE_ID=" EXCHANGE_MESSAGE_ID);
    add_null(record);
    text_addf(record, "PRIORITY=%d", result_level(result));
    add_null(record);
    text_addf(record, "TINCAN_PEER=%s", peer);
    add_null(record);
    text_addf(record, "TINCAN_RESULT=%s", result_word(result->code));
    add_null(record);
    text_addf(record, "TINCAN_BYTES=%zu", result->bytes);
    add_null(record);
    text_addf(record, "TINCAN_USEC=%" PRIu64, result->usec);
    add_null(record);
}

void log_queue_result(struct log_queue *queue, const struct result *result, const char *peer)
{
    char buffer[LOG_LINE_SIZE];
    struct text record;

    text_init(&record, buffer, sizeof buffer);
    if (queue->log->sink == LOG_TO_JOURNAL)
        add_fields(&record, result, peer);
    else
        log_line(queue->log, result, peer, &record);
    if (!add_record(queue, &record))
        count_dropped(queue, 1);
}

void log_queue_sentence(struct log_queue *queue, int level, const char *sentence)
{
    char buffer[LOG_LINE_SIZE];
    struct text record;

    text_init(&record, buffer, sizeof buffer);
    log_sentence(queue->log, level, sentence, &record);
    if (!add_record(queue, &record))
        count_dropped(queue, 1);
}

uint64_t log_queue_dropped(struct log_queue *queue)
{
    uint64_t dropped;

    pthread_mutex_lock(&queue->lock);
    dropped = queue->dropped;
    pthread_mutex_unlock(&queue->lock);
    return dropped;
}

/* --- the thread, continued --- */

/* Logs the loss of the first `dropped` lines, unless it is logged already; if that can't be
 * written, it is left for the next time. */
static void report_losses(struct log_queue *queue, uint64_t dropped)
{
    uint64_t lost = dropped - queue->reported;
    char sentence_buffer[128], buffer[LOG_LINE_SIZE];
    struct text sentence, record;

    if (lost == 0)
        return;
    text_init(&sentence, sentence_buffer, sizeof sentence_buffer);
    text_addf(&sentence, "log lines lost before this one, as the logger did not keep up: %" PRIu64,
              lost);
    text_init(&record, buffer, sizeof buffer);
    log_sentence(queue->log, LOG_WARNING, sentence.start, &record);
    if (write_record(queue, record.start, record.length))
        queue->reported += lost;
}

static void *write_batches(void *argument)
{
    struct log_queue *queue = argument;

    pthread_mutex_lock(&queue->lock);
    for (;;) {
        struct batch *full = queue->batch;
        uint64_t dropped, lost;
        if (full->used == 0 && queue->closing)
            break;
        if (full->used == 0)
            wait_and_gather(queue);
        queue->batch = full == queue->batches ? queue->batches + 1 : queue->batches;
        dropped = queue->dropped; /* by now; later losses belong behind the next batch */
        pthread_mutex_unlock(&queue->lock);
        lost = write_batch(queue, full);
        count_dropped(queue, lost);
        report_losses(queue, dropped + lost);
        pthread_mutex_lock(&queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* Blocks all signals in the thread: the event loop handles those of the process. */
static int start_thread(struct log_queue *queue)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&queue->thread, NULL, write_batches, queue);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct log_queue *log_queue_open(struct log *log)
{
    struct log_queue *queue = calloc(1, sizeof *queue);
    int error;

    if (!queue)
        return NULL;
    queue->log = log;
    queue->batch = queue->batches;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, NULL);
    error = start_thread(queue);
    if (error == 0)
        return queue;
    free(queue);
    errno = error;
    return NULL;
}

void log_queue_close(struct log_queue *queue)
{
    struct timespec until;

    pthread_mutex_lock(&queue->lock);
    queue->closing = true;
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLOSE_SECONDS;
    if (pthread_clockjoin_np(queue->thread, NULL, CLOCK_MONOTONIC, &until) == 0)
        free(queue); /* or the logger hangs, and the thread ends with the process */
}
