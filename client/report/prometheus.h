/* SPDX-License-Identifier: MIT */
/* What a run came to as a file for Prometheus' textfile collector. */
#ifndef TINCAN_CLIENT_REPORT_PROMETHEUS_H
#define TINCAN_CLIENT_REPORT_PROMETHEUS_H

#include "client/report/report.h"

/* Whether a file could be written there, found out without touching it: 0, or -1 with errno. */
int prometheus_check(const char *path);

/*
 * Writes the file so that nobody ever sees a part of it: beside it under another name, then
 * renamed. Returns 0, or -1 with errno, and then what was there is there still.
 */
int prometheus_write(const char *path, const struct run *run);

/* Adds, or says on standard error, that one of the above failed, as errno tells. */
void prometheus_explain(const char *path, struct text *text);
void prometheus_complain(const char *path);

#endif
