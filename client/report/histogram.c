/* SPDX-License-Identifier: MIT */
#include "client/report/histogram.h"

#include <math.h>

#define CELLS_PER_POWER ((size_t)1 << HISTOGRAM_PRECISION)

/* Values below 2^PRECISION have a cell each; of others the highest bits say which it is. */
static size_t cell_of(int64_t nsec)
{
    uint64_t value = (uint64_t)nsec;
    unsigned power, shift;

    if (value < CELLS_PER_POWER)
        return (size_t)value;
    power = 63 - (unsigned)__builtin_clzll(value);
    if (power >= HISTOGRAM_RANGE)
        return HISTOGRAM_CELLS - 1;
    shift = power - HISTOGRAM_PRECISION;
    return ((size_t)shift << HISTOGRAM_PRECISION) + (size_t)(value >> shift);
}

int64_t histogram_cell_start(size_t cell)
{
    size_t shift = cell < CELLS_PER_POWER ? 0 : (cell >> HISTOGRAM_PRECISION) - 1;

    return (int64_t)((uint64_t)(cell - (shift << HISTOGRAM_PRECISION)) << shift);
}

int64_t histogram_cell_end(size_t cell)
{
    return histogram_cell_start(cell + 1);
}

void histogram_add(struct histogram *histogram, int64_t nsec)
{
    double distance;

    if (nsec < 0)
        nsec = 0;
    if (histogram->count == 0 || nsec < histogram->least)
        histogram->least = nsec;
    if (histogram->count == 0 || nsec > histogram->greatest)
        histogram->greatest = nsec;
    histogram->count++;
    histogram->sum += (double)nsec;
    distance = (double)nsec - histogram->mean;
    histogram->mean += distance / (double)histogram->count;
    histogram->squares += distance * ((double)nsec - histogram->mean);
    histogram->cells[cell_of(nsec)]++;
}

static int64_t within(const struct histogram *histogram, int64_t value)
{
    if (value < histogram->least)
        return histogram->least;
    return value > histogram->greatest ? histogram->greatest : value;
}

int64_t histogram_quantile(const struct histogram *histogram, double share)
{
    uint64_t rank = (uint64_t)ceil(share * (double)histogram->count), seen = 0;

    if (histogram->count == 0)
        return 0;
    if (rank < 1)
        rank = 1;
    if (rank >= histogram->count)
        return histogram->greatest;
    for (size_t cell = 0; cell < HISTOGRAM_CELLS - 1; cell++) {
        seen += histogram->cells[cell];
        if (seen >= rank)
            return within(histogram,
                          (histogram_cell_start(cell) + histogram_cell_end(cell) - 1) / 2);
    }
    return histogram->greatest;
}

double histogram_deviation(const struct histogram *histogram)
{
    return histogram->count > 0 ? sqrt(histogram->squares / (double)histogram->count) : 0;
}

uint64_t histogram_count_to(const struct histogram *histogram, int64_t nsec)
{
    size_t last = cell_of(nsec);
    uint64_t count = 0;

    for (size_t cell = 0; cell <= last; cell++)
        count += histogram->cells[cell];
    return count;
}
