/* SPDX-License-Identifier: MIT */
#include "tincand/log_queue.h"

#include "common/streams.h"

#include <errno.h>
#include <inttypes.h>
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

/* What can wait to be written, in bytes: some thousand lines. */
#define SPOOL_SIZE ((size_t)512 << 10)

#define CLOSE_SECONDS 1
#define GATHER_NSEC   1000000
#define FIELDS_MOST   8

/* Tells the records of exchanges from others in the journal: `journalctl MESSAGE_ID=...`. */
#define EXCHANGE_MESSAGE_ID "a811271d43ff4781812039b4064c1690"

/* A line for a stream to the journal begins so, and a field does not. Sentences take that way: of a
 * process that has ended by the time the journal looks, only the stream is known to be the unit's.
 */
#define LEVEL_BEGINS '<'

/* Records, each its length and then that many bytes: text to be written as it is, or for the
 * journal fields, each with a null byte. */
struct spool {
    size_t used;
    char bytes[SPOOL_SIZE];
};

struct log_queue {
    struct log *log;
    pthread_t thread;
    uint64_t reported;    /* how many of `dropped` the log tells of; the thread's */
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t filled;
    bool waiting; /* the thread waits for `filled` */
    bool closing;
    uint64_t dropped;    /* lines */
    struct spool *spool; /* is filled; the other one is the thread's */
    struct spool spools[2];
};

/* --- the thread --- */

static void write_all(int fd, char *bytes, size_t size)
{
    struct iovec part = {.iov_base = bytes, .iov_len = size};

    (void)streams_write(fd, &part, 1); /* if it fails, nobody is left to read why */
}

static void write_fields(char *bytes, size_t size)
{
    struct iovec fields[FIELDS_MOST];
    int count = 0;

    for (char *field = bytes; field < bytes + size && count < FIELDS_MOST;) {
        size_t length = strlen(field);
        fields[count++] = (struct iovec){.iov_base = field, .iov_len = length};
        field += length + 1;
    }
    (void)sd_journal_sendv(fields, count);
}

/* A syslog daemon that was started anew has another socket. Returns whether it took the datagram.
 */
static bool write_datagram(struct log *log, const char *bytes, size_t size)
{
    if (send(log->fd, bytes, size, MSG_NOSIGNAL) >= 0)
        return true;
    return errno != EAGAIN && log_connect(log) && send(log->fd, bytes, size, MSG_NOSIGNAL) >= 0;
}

/* Returns whether it was taken, as far as that can be known. */
static bool write_record(struct log *log, char *bytes, size_t size)
{
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
        return write_datagram(log, bytes, size);
    }
    return true;
}

/* Returns how many were not taken. */
static uint64_t write_spool(struct log *log, struct spool *spool)
{
    uint64_t lost = 0;
    size_t size;

    for (size_t at = 0; at < spool->used; at += size) {
        memcpy(&size, spool->bytes + at, sizeof size);
        at += sizeof size;
        lost += !write_record(log, spool->bytes + at, size);
    }
    spool->used = 0;
    return lost;
}

/* Waits for a record, and a little more: to be woken for each of many is dear for those who log. */
static void wait_and_gather(struct log_queue *queue)
{
    const struct timespec moment = {.tv_nsec = GATHER_NSEC};

    queue->waiting = true;
    pthread_cond_wait(&queue->filled, &queue->lock);
    queue->waiting = false;
    pthread_mutex_unlock(&queue->lock);
    nanosleep(&moment, NULL);
    pthread_mutex_lock(&queue->lock);
}

/* --- the others --- */

static void count_dropped(struct log_queue *queue, uint64_t lines)
{
    pthread_mutex_lock(&queue->lock);
    queue->dropped += lines;
    pthread_mutex_unlock(&queue->lock);
}

/* Returns whether there was room. */
static bool add_record(struct log_queue *queue, const struct text *record)
{
    struct spool *spool;
    bool fits;

    pthread_mutex_lock(&queue->lock);
    spool = queue->spool;
    fits = spool->used + sizeof record->length + record->length <= SPOOL_SIZE;
    if (fits) {
        memcpy(spool->bytes + spool->used, &record->length, sizeof record->length);
        spool->used += sizeof record->length;
        memcpy(spool->bytes + spool->used, record->start, record->length);
        spool->used += record->length;
    }
    if (queue->waiting)
        pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
    return fits;
}

static void add_field(struct text *record, const char *name, const char *value)
{
    text_add(record, name);
    text_add(record, value);
    text_add_bytes(record, "", 1);
}

static void add_number_field(struct text *record, const char *name, uint64_t value)
{
    text_add(record, name);
    text_addf(record, "%" PRIu64, (uint64_t)value);
    text_add_bytes(record, "", 1);
}

/* Makes `record` the fields of sd_journal_sendv(3), each ended by a null byte. */
static void add_fields(struct text *record, const struct result *result, const char *peer)
{
    text_add(record, "MESSAGE=");
    result_print(record, result, peer);
    text_add_bytes(record, "", 1);
    add_field(record, "MESSAGE_ID=", EXCHANGE_MESSAGE_ID);
    add_number_field(record, "PRIORITY=", (uint64_t)result_level(result));
    add_field(record, "TINCAN_PEER=", peer);
    add_field(record, "TINCAN_RESULT=", result_word(result->code));
    add_number_field(record, "TINCAN_BYTES=", result->bytes);
    add_number_field(record, "TINCAN_USEC=", result->usec);
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

static bool add_sentence(struct log_queue *queue, int level, const char *sentence)
{
    char buffer[LOG_LINE_SIZE];
    struct text record;

    text_init(&record, buffer, sizeof buffer);
    log_sentence(queue->log, level, sentence, &record);
    return add_record(queue, &record);
}

void log_queue_sentence(struct log_queue *queue, int level, const char *sentence)
{
    if (!add_sentence(queue, level, sentence))
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

/* --- the thread again --- */

/* As soon as there is room again, the log says how much it lacks. */
static void report_losses(struct log_queue *queue)
{
    uint64_t lost = log_queue_dropped(queue) - queue->reported;
    char buffer[128];
    struct text sentence;

    if (lost == 0)
        return;
    text_init(&sentence, buffer, sizeof buffer);
    text_add(&sentence, "log lines lost before this one, as the logger did not keep up: ");
    text_addf(&sentence, "%" PRIu64, (uint64_t)lost);
    if (add_sentence(queue, LOG_WARNING, sentence.start))
        queue->reported += lost;
}

static void *write_spools(void *argument)
{
    struct log_queue *queue = argument;

    pthread_mutex_lock(&queue->lock);
    for (;;) {
        struct spool *full = queue->spool;
        if (full->used == 0 && queue->closing)
            break;
        if (full->used == 0) {
            wait_and_gather(queue);
            continue;
        }
        queue->spool = full == queue->spools ? queue->spools + 1 : queue->spools;
        pthread_mutex_unlock(&queue->lock);
        count_dropped(queue, write_spool(queue->log, full));
        report_losses(queue);
        pthread_mutex_lock(&queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* The thread is to take no signal: those of the process are the event loop's. */
static int start_thread(struct log_queue *queue)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&queue->thread, NULL, write_spools, queue);
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
    queue->spool = queue->spools;
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
        free(queue); /* else the thread is stuck with it, and ends with the process */
}
