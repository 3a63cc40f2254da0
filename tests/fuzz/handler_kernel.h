/* SPDX-License-Identifier: MIT */
/* The kernel in which the handler runs: it obeys the input, and aborts where the handler does what
 * it must not. At the end of the input the deadline passes. */
#ifndef TINCAN_TESTS_FUZZ_HANDLER_KERNEL_H
#define TINCAN_TESTS_FUZZ_HANDLER_KERNEL_H

#include "handler/log.h"
#include "tests/exhaust/exhaust.h"
#include "tests/fuzz/input.h"

#include <sys/socket.h>
#include <sys/stat.h>

#define PID 4242 /* of the handler */

#define RECEIVED_MAX ((size_t)1 << 16) /* of what is received and sent, this much is compared */

/* What the input makes fail at start. */
enum fault { FAULT_SIGACTION, FAULT_TIMER, FAULT_MEMORY, FAULT_LOG, FAULT_SANDBOX, FAULT_PEER };

struct kernel {
    struct input input;
    bool running;  /* calls are simulated */
    uint8_t fault; /* bits of enum fault */
    mode_t modes[4];
    uint8_t objects[4]; /* what the descriptors lead to; 0: closed */
    bool datagram, listening, stalls, large;
    bool may_ask_for_help; /* which is written before anything is set up */
    struct sockaddr_storage peer;
    char environment[4][64]; /* NAME=VALUE */

    bool ignores_pipes, sandboxed, expired, shut;
    void (*on_alarm)(int);
    unsigned timers, late_calls;
    void *memory;
    uint64_t now;

    struct reference reference; /* of what was received */
    size_t received_size, sent_size, trailing, logged;
    bool hindered; /* something may have ended the exchange */
};

extern struct kernel kernel;

/* What the handler received, sent to its peer, and logged. */
extern char received[RECEIVED_MAX], sent[RECEIVED_MAX], logged[LOG_LINE_SIZE + 1];

#endif
