/* SPDX-License-Identifier: MIT */
/* How a flood is going, in one line of a terminal that is written again and again. */
#ifndef TINCAN_CLIENT_REPORT_STATUS_LINE_H
#define TINCAN_CLIENT_REPORT_STATUS_LINE_H

#include "client/report/report.h"

/* Shows it on standard error, if that is a terminal. */
void status_line_show(const struct run *run, int64_t now);

/* Takes it away, before anything else is written there. */
void status_line_clear(void);

#endif
