/* SPDX-License-Identifier: MIT */
/* A histogram of durations as lines of text on standard output. */
#ifndef TINCAN_CLIENT_REPORT_DRAW_H
#define TINCAN_CLIENT_REPORT_DRAW_H

#include "client/report/histogram.h"

/*
 * Draws a row for each range of durations, each as many times wider than the one before, with a bar
 * for the share of the values in it. It fits the width of the terminal, or 80 columns.
 */
void draw_histogram(const struct histogram *histogram);

#endif
