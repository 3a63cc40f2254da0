/* SPDX-License-Identifier: MIT */
#include "client/output.h"

#include "client/display.h"
#include "client/net/outcome.h"
#include "common/streams.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

void output_complain(const struct text *sentence)
{
    fputs("tincan: ", stderr);
    display_red(stderr, sentence->start, sentence->length);
    fputc('\n', stderr);
}

void output_complain_string(const char *sentence)
{
    fprintf(stderr, "tincan: %s\n", sentence);
}

static bool lost; /* standard output failed */

/*
 * Reports once that standard output failed with `error`. After an interruption the user does not
 * want to wait: what was not written is dropped, so that exit does not block on it.
 */
static int report_loss(int error, int *status)
{
    if (error == EINTR) {
        __fpurge(stdout);
        outcome_raise(status, STATUS_FAILED);
    } else if (!lost && error != EPIPE) {
        fprintf(stderr, "tincan: writing to standard output: %s\n", strerror(error));
        outcome_raise(status, STATUS_USAGE);
    }
    lost = true;
    return -1;
}

int output_flush(int *status)
{
    if (lost)
        __fpurge(stdout);
    /* If a write has just failed, its errno is still set and nothing is left to flush. */
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return report_loss(errno, status);
}

int output_bytes(const char *bytes, size_t length, const char *end, size_t end_length, int *status)
{
    struct iovec parts[2] = {
        {.iov_base = (void *)bytes, .iov_len = length},
        {.iov_base = (void *)end, .iov_len = end_length},
    };

    return streams_write(STDOUT_FILENO, parts, 2) < 0 ? report_loss(errno, status) : 0;
}
