/* SPDX-License-Identifier: MIT */
/*
 * torture-careless [FAULT] -t TIMEOUTms: an echo handler, with one fault, which torture has to
 * find: it
 *
 *   lies     logs echoed although not all was sent
 *   leaks    writes its error message to the peer
 *   crashes  aborts when a read fails
 *   hangs    has no deadline
 *   loses    gives up when a call is interrupted
 *   silent   does not log why it gave up
 *   jumps    has a deadline of the wall clock, too
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

#define REPEAT_USEC 10000 /* the signal comes again, as it may come just before a call */

/* The line of the log for a result. */
#define LINE(result) "peer=- result=" result " bytes=0 usec=0\n"

static const char *fault = "";
static volatile sig_atomic_t expired;

static bool is(const char *name)
{
    return strcmp(fault, name) == 0;
}

static void on_alarm(int number)
{
    (void)number;
    expired = 1;
}

static void set_deadline(long msec)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval timer = {{.tv_usec = REPEAT_USEC}, {msec / 1000, msec % 1000 * 1000}};

    if (is("hangs"))
        return;
    if (sigaction(SIGALRM, &action, NULL) < 0 || setitimer(ITIMER_REAL, &timer, NULL) < 0)
        expired = 1;
}

static time_t wall_clock(void)
{
    struct timeval now = {0};

    (void)gettimeofday(&now, NULL);
    return now.tv_sec;
}

/* Logs the result. Returns the exit status. */
static int end(const char *line, int status)
{
    if (!is("silent") || status == EX_OK)
        (void)!write(is("leaks") && status != EX_OK ? STDOUT_FILENO : STDERR_FILENO, line,
                     strlen(line));
    return status;
}

/* Returns whether a transfer that returned `count` is to be followed by another. */
static bool goes_on(ssize_t count)
{
    if (count < 0 && is("crashes"))
        abort();
    return !expired &&
           (count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN) && !is("loses")));
}

/* Receives a message. Returns its size, or 0. */
static size_t receive(char *message, size_t size)
{
    size_t have = 0;
    ssize_t count;

    do {
        const char *null;
        count = read(STDIN_FILENO, message + have, size - have);
        have += count > 0 ? (size_t)count : 0;
        null = memchr(message, '\0', have);
        if (null)
            return (size_t)(null - message) + 1;
    } while (goes_on(count));
    return 0;
}

/* Returns whether the whole message was sent. */
static bool reply(const char *message, size_t size)
{
    ssize_t count;

    do {
        count = write(STDOUT_FILENO, message, size);
        message += count > 0 ? count : 0;
        size -= count > 0 ? (size_t)count : 0;
        if (size == 0 || is("lies"))
            return true;
    } while (goes_on(count));
    return false;
}

int main(int argc, char **argv)
{
    char message[4096];
    struct stat status;
    time_t began;
    size_t size;

    fault = argc > 1 ? argv[1] : "";
    (void)fstat(STDERR_FILENO, &status); /* torture takes this for the beginning of a program */
    (void)signal(SIGPIPE, SIG_IGN);
    set_deadline(strtol(argv[argc - 1], NULL, 10));
    began = wall_clock();
    size = receive(message, sizeof message);
    if (is("jumps") && wall_clock() > began + 60)
        expired = 1, size = 0;
    if (size > 0 && reply(message, size))
        return end(LINE("echoed"), EX_OK);
    return end(expired ? LINE("timeout") : LINE("error"), EX_IOERR);
}
