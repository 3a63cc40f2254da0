/* SPDX-License-Identifier: MIT */
/*
 * A log-linear histogram of durations: each power of two is divided into 128 cells of equal width,
 * so a percentile is off by at most 0.4 %, however many values there are. The least, greatest, mean
 * and standard deviation are exact. Memory is a kilobyte for each power of two that has a value,
 * 41 at most; a value for which there is none counts in all but percentiles.
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
    int64_t least, greatest; /* if there are any */
    double mean, squares;    /* squares: the sum of squared distances from the mean */
    double sum;              /* of all values */
    uint64_t *blocks[HISTOGRAM_CELLS >> HISTOGRAM_PRECISION]; /* of cells; NULL where all are 0 */
};

/* Counts a duration in nanoseconds; a negative one counts as zero. A histogram is all zero at
 * first; the caller ends it with histogram_free(). */
void histogram_add(struct histogram *histogram, int64_t nsec);

void histogram_free(struct histogram *histogram);

/* Returns how many values are in a cell. */
uint64_t histogram_cell(const struct histogram *histogram, size_t cell);

/*
 * Returns the duration that `share` of the values, from 0 to 1, do not exceed: the value at rank
 * ceil(share * count) of the sorted values, to within 0.4 %. 0 if there are none.
 */
int64_t histogram_quantile(const struct histogram *histogram, double share);

/* Returns the standard deviation of the values, in nanoseconds. */
double histogram_deviation(const struct histogram *histogram);

/* Returns how many values are at most `nsec`, counting all in its cell. */
uint64_t histogram_count_to(const struct histogram *histogram, int64_t nsec);

/* Return the bounds of a cell: the least value in it, and the least of the next cell. */
int64_t histogram_cell_start(size_t cell);
int64_t histogram_cell_end(size_t cell);

/*
 * Prints a row for each range of durations, all equally wide on a logarithmic scale, with a bar for
 * the share of the values in it. Rows fit the terminal on standard output, or 80 columns.
 */
void histogram_print(const struct histogram *histogram);

#endif
