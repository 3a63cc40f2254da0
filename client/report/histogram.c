/* SPDX-License-Identifier: MIT */
#include "client/report/histogram.h"

#include "client/display.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROWS   20
#define LEAST_WIDTH 10 /* columns of the longest bar */
#define OTHER_TEXT  47 /* columns of a row without its bar, and one to spare */

/* Values below 2^precision have a cell each; the highest bits of others select theirs. */
static size_t cell_of(const struct histogram *histogram, int64_t nsec)
{
    uint64_t value = (uint64_t)nsec;
    unsigned power, shift;

    if (value < UINT64_C(1) << histogram->precision)
        return (size_t)value;
    power = 63 - (unsigned)__builtin_clzll(value);
    if (power >= HISTOGRAM_RANGE)
        return histogram_cells(histogram) - 1;
    shift = power - histogram->precision;
    return ((size_t)shift << histogram->precision) + (size_t)(value >> shift);
}

size_t histogram_cells(const struct histogram *histogram)
{
    return (size_t)(HISTOGRAM_RANGE - histogram->precision + 1) << histogram->precision;
}

int64_t histogram_cell_start(const struct histogram *histogram, size_t cell)
{
    size_t power = cell >> histogram->precision, shift = power > 0 ? power - 1 : 0;

    return (int64_t)((uint64_t)(cell - (shift << histogram->precision)) << shift);
}

uint64_t histogram_cell(const struct histogram *histogram, size_t cell)
{
    return histogram->cells ? histogram->cells[cell] : 0;
}

/* The memory is written to at once, so that its pages are there from then on; compilers make
 * calloc(3) of memset(3), which leaves that to later. */
void histogram_begin(struct histogram *histogram, unsigned precision)
{
    size_t size;

    *histogram = (struct histogram){.precision = precision};
    size = histogram_cells(histogram) * sizeof *histogram->cells;
    histogram->cells = malloc(size);
    if (histogram->cells)
        explicit_bzero(histogram->cells, size);
}

void histogram_free(struct histogram *histogram)
{
    free(histogram->cells);
}

void histogram_add(struct histogram *histogram, int64_t nsec)
{
    double distance;
    size_t cell;

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
    cell = cell_of(histogram, nsec);
    if (histogram->cells && histogram->cells[cell] < UINT32_MAX)
        histogram->cells[cell]++;
}

static int64_t middle_of(const struct histogram *histogram, size_t cell)
{
    int64_t start = histogram_cell_start(histogram, cell);
    int64_t next = histogram_cell_start(histogram, cell + 1);

    return (start + next - 1) / 2;
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

    if (rank >= histogram->count)
        return histogram->greatest; /* 0 if there are none */
    for (size_t cell = 0; cell < histogram_cells(histogram) - 1; cell++) {
        seen += histogram_cell(histogram, cell);
        if (seen >= rank)
            return within(histogram, middle_of(histogram, cell));
    }
    return histogram->greatest;
}

double histogram_deviation(const struct histogram *histogram)
{
    return histogram->count > 0 ? sqrt(histogram->squares / (double)histogram->count) : 0;
}

uint64_t histogram_count_to(const struct histogram *histogram, int64_t nsec)
{
    size_t last = cell_of(histogram, nsec);
    uint64_t count = 0;

    for (size_t cell = 0; cell <= last; cell++)
        count += histogram_cell(histogram, cell);
    return count;
}

/* Returns the width of a row as a logarithm: the least that leaves few rows. */
static double row_bits(double from, double to)
{
    static const double choices[] = {0.125, 0.25, 0.5, 1, 2, 4};
    size_t i = 0;

    while (i + 1 < sizeof choices / sizeof *choices && (to - from) / choices[i] >= MOST_ROWS)
        i++;
    return choices[i];
}

static uint64_t count_below(const struct histogram *histogram, double nsec)
{
    return nsec < 1 ? 0 : histogram_count_to(histogram, (int64_t)nsec - 1);
}

static void draw_row(double from, double to, uint64_t count, uint64_t most, uint64_t all)
{
    int room = (int)display_columns(stdout) - OTHER_TEXT;
    int width = room > LEAST_WIDTH ? room : LEAST_WIDTH;
    int length = (int)ceil((double)count * width / (double)most);

    printf("%10.3f to %10.3f ms %9" PRIu64 " %5.1f %% ", from / 1e6, to / 1e6, count,
           100 * (double)count / (double)all);
    for (int i = 0; i < length; i++)
        putchar('#');
    putchar('\n');
}

void histogram_print(const struct histogram *histogram)
{
    double first = log2((double)(histogram->least > 0 ? histogram->least : 1));
    double last = log2((double)(histogram->greatest > 0 ? histogram->greatest : 1));
    double bits = row_bits(first, last), start = floor(first / bits);
    int rows = (int)(floor(last / bits) - start) + 1;
    uint64_t most = 1;

    if (histogram->count == 0)
        return;
    for (int draw = 0; draw < 2; draw++) /* once to find the longest row, then to draw */
        for (int row = 0; row < rows; row++) {
            double from = exp2((start + row) * bits), to = exp2((start + row + 1) * bits);
            /* The outermost rows include what rounding put beside them. */
            uint64_t below = row > 0 ? count_below(histogram, from) : 0;
            uint64_t up_to = row + 1 < rows ? count_below(histogram, to) : histogram->count;

            if (draw)
                draw_row(from, to, up_to - below, most, histogram->count);
            else if (up_to - below > most)
                most = up_to - below;
        }
}
