/* SPDX-License-Identifier: MIT */
/* A stand-in for as much of sd-event(3) as tincand uses, in which time passes when the fuzzer says
 * so. What happens outside the server is the fuzzer's: world.c has it. */
#ifndef TINCAN_TESTS_FUZZ_EVENT_H
#define TINCAN_TESTS_FUZZ_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begins a new event loop without sources. */
void event_reset(void);

/* Returns the earliest moment at which a timer expires, in microseconds, or UINT64_MAX. */
uint64_t event_next_timer(void);

/* Lets the signal arrive. */
void event_raise(int signal_number);

/* --- what the event loop asks of the world --- */

/* Returns the time in microseconds. */
uint64_t world_now(void);

/* Something happens. `idle`: nothing is ready in the server. */
void world_step(bool idle);

/* Returns the error that sd_event_run() fails with now, or 0. */
int world_loop_error(void);

/* Returns a number below `count`. */
size_t world_choose(size_t count);

/* Returns whether the descriptor is ready. */
bool world_is_ready(int fd);

#endif
