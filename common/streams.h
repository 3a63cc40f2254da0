/* SPDX-License-Identifier: MIT */
/* The standard streams as they were inherited. */
#ifndef TINCAN_COMMON_STREAMS_H
#define TINCAN_COMMON_STREAMS_H

/*
 * Gives those that were closed a null device on which the wrong direction fails, so that no socket
 * takes their number and using them is an error and not a surprise.
 */
void streams_fill(void);

#endif
