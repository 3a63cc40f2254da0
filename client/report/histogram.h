/* SPDX-License-Identifier: MIT */
/*
 * Durations counted in a log-linear histogram of fixed size: each power of two is divided into 128
 * cells of equal width, so that a percentile is off by at most 0.4 % however many values there are.
 * Least, greatest, mean and standard deviation are exact.
 */
#ifndef TINCAN_CLIENT_REPORT_HISTOGRAM_H
#define TINCAN_CLIENT_REPORT_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_PRECISION 7  /* bits: 2^7 cells to a power of two */
#define HISTOGRAM_RANGE     47 /* values from 2^47 ns (39 h) on share the last cell */
#define HISTOGRAM_CELLS     ((HISTOGRAM_RANGE - HISTOGRAM_PRECISION + 1) << HISTOGRAM_PRECISION)

struct histogram {
    uint64_t count;          /* of values added */
    int64_t least, greatest; /* when there are any */
    double mean, squares;    /* squares: the sum of squared distances from the mean */
    double sum;              /* of all values */
    uint64_t cells[HISTOGRAM_CELLS];
};

/* Counts a duration in nanoseconds; a negative one counts as zero. */
void histogram_add(struct histogram *histogram, int64_t nsec);

/*
 * The duration that `share` of all values, from 0 to 1, do not exceed: the value at rank
 * ceil(share * count) of the sorted values, to within 0.4 %. 0 when there are none.
 */
int64_t histogram_quantile(const struct histogram *histogram, double share);

/* The standard deviation of all values, in nanoseconds. */
double histogram_deviation(const struct histogram *histogram);

/* How many values are at most `nsec`, by cells: those of the cell that it falls in are counted. */
uint64_t histogram_count_to(const struct histogram *histogram, int64_t nsec);

/* The bounds of a cell: the least value that it counts, and the least of the next. */
int64_t histogram_cell_start(size_t cell);
int64_t histogram_cell_end(size_t cell);

#endif
