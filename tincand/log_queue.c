/* SPDX-License-Identifier: MIT */
#include "tincand/log_queue.h"

#include "common/clock.h"
#include "common/streams.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <syslog.h>
#define SD_JOURNAL_SUPPRESS_LOCATION /* which line of this file logs says nothing */
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

/* The size of the ring of records, in bytes: several thousand lines. */
#define RING_SIZE ((size_t)1 << 20)

/* How often the end of the thread is looked for, a millisecond each time: where all the machine
 * stands still meanwhile, the thread still gets its time. */
#define CLOSE_TRIES 1000

/* How long a datagram waits for a syslog daemon that does not read. */
#define STUCK_USEC 500000

/* How often a notice about lost lines that could not be written is tried again. */
#define NOTICE_USEC 1000000

#define GATHER_NSEC 1000000 /* a millisecond */
#define FIELDS_MAX  8

/* Identifies the records of exchanges in the journal: `journalctl MESSAGE_ID=...`. */
#define EXCHANGE_MESSAGE_ID "a811271d43ff4781812039b4064c1690"

/*
 * A record that begins so is a line for the stream to the journal; any other is a list of fields.
 * Sentences are written to the stream: once the process has ended, the journal can attribute only
 * the stream to the unit.
 */
#define LEVEL_BEGINS '<'

/*
 * A ring of records, each behind its length: text to be written as it is, or fields for the
 * journal, each ended by a null byte. The event loop adds records, the thread takes them; `added`
 * and `taken` count bytes since the start. Neither waits for a lock, as a failing futex(2) would
 * end the process, by abort(3) in the C library.
 */
struct log_queue {
    struct log *log;
    pthread_t thread;
    int wakeup;        /* an eventfd for the thread, while it is `waiting` */
    uint64_t reported; /* how many of `dropped` are in the log; the thread's */
    bool stuck;        /* the syslog daemon does not read; the thread's */
    atomic_bool waiting;
    atomic_bool closing;
    _Atomic uint64_t dropped; /* lines */
    _Atomic size_t added;
    _Atomic size_t taken;
    char ring[RING_SIZE];
};

/* --- the ring --- */

/* Copies `size` bytes into the ring, from the position `at` on. */
static void copy_in(struct log_queue *queue, size_t at, const void *bytes, size_t size)
{
    size_t start = at % RING_SIZE;
    size_t first = size < RING_SIZE - start ? size : RING_SIZE - start;

    memcpy(queue->ring + start, bytes, first);
    memcpy(queue->ring, (const char *)bytes + first, size - first);
}

/* Copies `size` bytes out of the ring, from the position `at` on. */
static void copy_out(const struct log_queue *queue, size_t at, void *bytes, size_t size)
{
    size_t start = at % RING_SIZE;
    size_t first = size < RING_SIZE - start ? size : RING_SIZE - start;

    memcpy(bytes, queue->ring + start, first);
    memcpy((char *)bytes + first, queue->ring, size - first);
}

/* Makes the eventfd readable. */
static bool wake(int fd)
{
    return eventfd_write(fd, 1) == 0 || errno == EAGAIN; /* it is readable */
}

/* --- the thread --- */

static bool write_all(int fd, char *bytes, size_t size)
{
    struct iovec part = {.iov_base = bytes, .iov_len = size};

    return streams_write(fd, &part, 1) == 0;
}

static bool write_fields(char *bytes, size_t size)
{
    struct iovec fields[FIELDS_MAX];
    int count = 0;

    for (char *field = bytes; field < bytes + size && count < FIELDS_MAX;) {
        size_t length = strlen(field);
        fields[count++] = (struct iovec){.iov_base = field, .iov_len = length};
        field += length + 1;
    }
    return sd_journal_sendv(fields, count) >= 0;
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

/* Returns whether the record was written. */
static bool write_record(struct log_queue *queue, char *bytes, size_t size)
{
    const struct log *log = queue->log;

    if (log->sink == LOG_TO_SYSLOG)
        return write_datagram(queue, bytes, size);
    if (log->sink == LOG_TO_JOURNAL && bytes[0] != LEVEL_BEGINS)
        return write_fields(bytes, size);
    return write_all(log->fd, bytes, size);
}

/* Writes all records up to the position `end`. Returns how many could not be written. */
static uint64_t write_records(struct log_queue *queue, size_t end)
{
    char record[LOG_LINE_SIZE];
    uint64_t lost = 0;
    size_t size, at = queue->taken;

    while (at != end) {
        copy_out(queue, at, &size, sizeof size);
        copy_out(queue, at + sizeof size, record, size);
        at += sizeof size + size;
        queue->taken = at;
        lost += !write_record(queue, record, size);
    }
    return lost;
}

/*
 * Waits for a record, and a moment for more: one wakeup per record is expensive. Returns also when
 * a notice about lost lines is due, and may return for no reason.
 */
static void wait_for_records(struct log_queue *queue)
{
    const struct timespec moment = {.tv_nsec = GATHER_NSEC};
    struct pollfd wakeup = {.fd = queue->wakeup, .events = POLLIN};
    bool owed = queue->dropped != queue->reported;
    int64_t deadline = owed ? clock_after(NOTICE_USEC) : CLOCK_NEVER;
    eventfd_t count;

    queue->waiting = true;
    if (queue->added == queue->taken && !queue->closing &&
        poll(&wakeup, 1, clock_poll_timeout(deadline)) > 0)
        (void)eventfd_read(queue->wakeup, &count);
    queue->waiting = false;
    nanosleep(&moment, NULL);
}

/* --- the event loop --- */

/* Returns whether there was room. If the thread can't be woken, the next record wakes it. */
static bool add_record(struct log_queue *queue, const struct text *record)
{
    size_t at = queue->added, needed = sizeof record->length + record->length;
    bool fits = at + needed - queue->taken <= RING_SIZE;

    if (fits) {
        copy_in(queue, at, &record->length, sizeof record->length);
        copy_in(queue, at + sizeof record->length, record->start, record->length);
        queue->added = at + needed;
    }
    if (queue->waiting && atomic_exchange(&queue->waiting, false) && !wake(queue->wakeup))
        queue->waiting = true;
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
        queue->dropped++;
}

void log_queue_sentence(struct log_queue *queue, int level, const char *sentence)
{
    char buffer[LOG_LINE_SIZE];
    struct text record;

    text_init(&record, buffer, sizeof buffer);
    log_sentence(queue->log, level, sentence, &record);
    if (!add_record(queue, &record))
        queue->dropped++;
}

uint64_t log_queue_dropped(struct log_queue *queue)
{
    return queue->dropped;
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
    text_addf(&sentence,
              "log lines lost before this one, because the logger did not take them: %" PRIu64,
              lost);
    text_init(&record, buffer, sizeof buffer);
    log_sentence(queue->log, LOG_WARNING, sentence.start, &record);
    if (write_record(queue, record.start, record.length))
        queue->reported += lost;
}

static void *write_log(void *argument)
{
    struct log_queue *queue = argument;

    for (;;) {
        bool closing = queue->closing;
        uint64_t dropped = queue->dropped; /* before `end`: later losses belong behind it */
        size_t end = queue->added;
        uint64_t lost = write_records(queue, end);
        queue->dropped += lost;
        report_losses(queue, dropped + lost);
        if (closing)
            break;
        wait_for_records(queue);
    }
    return NULL;
}

/* Starts the thread, with all signals blocked: the event loop handles those of the process. */
static int start_thread(struct log_queue *queue)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&queue->thread, NULL, write_log, queue);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static void queue_free(struct log_queue *queue)
{
    if (queue->wakeup >= 0)
        close(queue->wakeup);
    free(queue);
}

struct log_queue *log_queue_open(struct log *log)
{
    struct log_queue *queue = calloc(1, sizeof *queue);
    int error;

    if (!queue)
        return NULL;
    queue->log = log;
    queue->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    error = queue->wakeup < 0 ? errno : start_thread(queue);
    if (error == 0)
        return queue;
    queue_free(queue);
    errno = error;
    return NULL;
}

void log_queue_close(struct log_queue *queue)
{
    const struct timespec moment = {.tv_nsec = GATHER_NSEC};
    int error;

    queue->closing = true;
    for (int i = 0; i < CLOSE_TRIES; i++) {
        (void)wake(queue->wakeup);
        nanosleep(&moment, NULL);
        error = pthread_tryjoin_np(queue->thread, NULL);
        if (error == 0)
            break;
    }
    if (error == 0)
        queue_free(queue); /* or the logger hangs, and the thread ends with the process */
}
