/* SPDX-License-Identifier: MIT */
/* How many file descriptors this process may have. */
#ifndef TINCAN_CLIENT_PROBE_DESCRIPTORS_H
#define TINCAN_CLIENT_PROBE_DESCRIPTORS_H

#include <stdint.h>

/* Raises the limit as far as this process may, and returns how many more can be opened. */
uint64_t descriptors_available(void);

#endif
