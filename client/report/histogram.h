/* SPDX-License-Identifier: MIT */
/*
 * A log-linear histogram of durations: each power of two is divided into cells of equal width, of
 * which the precision says how many, so a percentile is off by at most 0.4 % (fine) or 1.6 %
 * (coarse), however many values there are. The least, greatest, mean and standard deviation are
 * exact. It takes 20.5 KiB (fine) or 5.4 KiB (coarse) from its beginning on; without memory for
 * that, values count in all but percentiles, and so do those beyond 2^32 - 1 in a cell.
 */
#ifndef TINCAN_CLIENT_REPORT_HISTOGRAM_H
#define TINCAN_CLIENT_REPORT_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_FINE   7  /* bits of precision: 2^7 cells to a power of two */
#define HISTOGRAM_COARSE 5  /* 2^5 */
#define HISTOGRAM_RANGE  47 /* values from 2^47 ns (39 h) on share the last cell */

struct histogram {
    unsigned precision;      /* HISTOGRAM_FINE or HISTOGRAM_COARSE */
    uint64_t count;          /* of values added */
    int64_t least, greatest; /* 0 if there are none */
    double mean, squares;    /* squares: the sum of squared distances from the mean */
    double sum;              /* of all values */
    uint32_t *cells;         /* how many values are in each, or NULL */
};

/* Begins a histogram, empty; the caller ends it with histogram_free(). */
void histogram_begin(struct histogram *histogram, unsigned precision);

/* Counts a duration in nanoseconds; a negative one counts as zero. */
void histogram_add(struct histogram *histogram, int64_t nsec);

void histogram_free(struct histogram *histogram);

/* Returns how many cells there are. */
size_t histogram_cells(const struct histogram *histogram);

/* Returns how many values are in a cell. */
uint64_t histogram_cell(const struct histogram *histogram, size_t cell);

/*
 * Returns the duration that `share` of the values, from 0 to 1, do not exceed: the value at rank
 * ceil(share * count) of the sorted values, to within the precision. 0 if there are none.
 */
int64_t histogram_quantile(const struct histogram *histogram, double share);

/* Returns the standard deviation of the values, in nanoseconds. */
double histogram_deviation(const struct histogram *histogram);

/* Returns how many values are at most `nsec`, counting all in its cell. */
uint64_t histogram_count_to(const struct histogram *histogram, int64_t nsec);

/* Returns the least value in a cell; it ends where the next one starts. */
int64_t histogram_cell_start(const struct histogram *histogram, size_t cell);

/*
 * Prints a row for each range of durations, all equally wide on a logarithmic scale, with a bar for
 * the share of the values in it. Rows fit the terminal on standard output, if it has
 * some 60 columns, or 80 columns.
 */
void histogram_print(const struct histogram *histogram);

#endif
