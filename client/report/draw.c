/* SPDX-License-Identifier: MIT */
#include "client/report/draw.h"

#include <math.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MOST_ROWS  20
#define OTHER_TEXT 47 /* columns of a row without its bar, and one to spare */

static int bar_width(void)
{
    struct winsize size;
    int columns = 80;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > OTHER_TEXT + 10)
        columns = size.ws_col;
    return columns - OTHER_TEXT;
}

/* By how many bits of magnitude a row is wide: the least that keeps the rows few. */
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
    int width = bar_width();
    int length = (int)ceil((double)count * width / (double)most);

    printf("%10.3f to %10.3f ms %9llu %5.1f %% ", from / 1e6, to / 1e6, (unsigned long long)count,
           100 * (double)count / (double)all);
    for (int i = 0; i < length; i++)
        putchar('#');
    putchar('\n');
}

void draw_histogram(const struct histogram *histogram)
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
            /* The outermost rows take what rounding put next to them. */
            uint64_t below = row > 0 ? count_below(histogram, from) : 0;
            uint64_t up_to = row + 1 < rows ? count_below(histogram, to) : histogram->count;

            if (draw)
                draw_row(from, to, up_to - below, most, histogram->count);
            else if (up_to - below > most)
                most = up_to - below;
        }
}
