/* SPDX-License-Identifier: MIT */
/*
 * Writing to the log at once or not at all: it never blocks and never fails as far as the caller
 * can see. What the logger can't take is dropped.
 */
#ifndef TINCAN_HANDLER_LOG_NOW_H
#define TINCAN_HANDLER_LOG_NOW_H

#include "handler/log.h"

/* Writes what log_format() made of a line. To be called after deadline_start() only. */
void log_now(const struct log *log, const struct text *text);

#endif
