/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of what probes are measured and made with, one a name: `probe-test NAME` exits 0 if it
 * holds, and else says what did not.
 */
#include "client/net/cause.h"
#include "client/pattern.h"
#include "client/report/histogram.h"
#include "client/report/outages.h"
#include "common/frame.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES   100000
#define ONE_HOUR 3600000000000LL

static void fail(const char *what, double one, double other)
{
    fprintf(stderr, "%s: %.17g, and not %.17g\n", what, one, other);
    exit(1);
}

/* --- histograms --- */

static double uniform(void)
{
    static uint64_t state = 42;

    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

/* A value in nanoseconds; `i` is its place in the sequence. */
typedef int64_t distribution(size_t i);

static int64_t even(size_t i)
{
    (void)i;
    return (int64_t)(1e3 + uniform() * 1e9);
}

/* From 1 us to 1 h, each order of magnitude as likely. */
static int64_t wide(size_t i)
{
    (void)i;
    return (int64_t)(1e3 * exp(uniform() * log(3.6e9)));
}

static int64_t exponential(size_t i)
{
    (void)i;
    return (int64_t)(-5e5 * log(1 - uniform())) + 1000;
}

static int64_t constant(size_t i)
{
    (void)i;
    return 123457;
}

/* Nearly all quick, and one in two hundred a thousand times slower. */
static int64_t two_humps(size_t i)
{
    return i % 200 == 7 ? (int64_t)(3e8 + uniform() * 1e6) : (int64_t)(3e5 + uniform() * 1e4);
}

/* The values at which cells begin and end, where errors are largest. */
static int64_t edges(size_t i)
{
    int64_t power = INT64_C(1) << (10 + i % 32);

    return power + (power >> 7) * (int64_t)(i % 128) - (int64_t)(i % 3 == 0);
}

static int64_t rising(size_t i)
{
    return (int64_t)(i + 1) * 1000;
}

static int64_t falling(size_t i)
{
    return (int64_t)(VALUES - i) * 1000;
}

static int compare(const void *one, const void *other)
{
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;

    return (a > b) - (a < b);
}

static void near(const char *what, double found, double exact, double error)
{
    if (fabs(found - exact) > error * fabs(exact))
        fail(what, found, exact);
}

static void check_quantiles(const struct histogram *histogram, int64_t *values, size_t count)
{
    static const double shares[] = {0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};

    qsort(values, count, sizeof *values, compare);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        double rank = ceil(shares[i] * (double)count);
        int64_t exact = values[rank < 1 ? 0 : (size_t)rank - 1];

        near("quantile", (double)histogram_quantile(histogram, shares[i]), (double)exact,
             histogram->precision == HISTOGRAM_FINE ? 0.004 : 0.016);
    }
    near("least", (double)histogram->least, (double)values[0], 0);
    near("greatest", (double)histogram->greatest, (double)values[count - 1], 0);
}

static void check_moments(const struct histogram *histogram, const int64_t *values, size_t count)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)values[i];
    for (size_t i = 0; i < count; i++)
        squares += pow((double)values[i] - sum / (double)count, 2);
    near("mean", histogram->mean, sum / (double)count, 1e-9);
    near("sum", histogram->sum, sum, 1e-9);
    near("deviation", histogram_deviation(histogram), sqrt(squares / (double)count), 1e-6);
}

static void check_distribution(distribution *next, size_t count, unsigned precision)
{
    struct histogram histogram;
    static int64_t values[VALUES];

    histogram_begin(&histogram, precision);
    for (size_t i = 0; i < count; i++) {
        values[i] = next(i);
        histogram_add(&histogram, values[i]);
    }
    check_quantiles(&histogram, values, count);
    check_moments(&histogram, values, count);
    histogram_free(&histogram);
}

static void quantiles(void)
{
    static distribution *const all[] = {even,      wide,  exponential, constant,
                                        two_humps, edges, rising,      falling};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        check_distribution(all[i], VALUES, HISTOGRAM_FINE);
        check_distribution(all[i], VALUES, HISTOGRAM_COARSE);
        for (size_t count = 1; count <= 40; count++)
            check_distribution(all[i], count, count % 2 ? HISTOGRAM_FINE : HISTOGRAM_COARSE);
    }
}

/* Cells follow upon each other without a gap, and from 1 us to 1 h none is wider than `width` of
 * its start. */
static void check_cells(unsigned precision, double width)
{
    struct histogram histogram;
    size_t last;

    histogram_begin(&histogram, precision);
    last = histogram_cells(&histogram) - 1;
    for (size_t cell = 0; cell < last; cell++) {
        int64_t start = histogram_cell_start(&histogram, cell);
        int64_t end = histogram_cell_start(&histogram, cell + 1);

        if (end <= start || histogram_cell_start(&histogram, cell + 1) != end)
            fail("the end of a cell", (double)end, (double)start);
        if (start >= 1000 && start <= ONE_HOUR && (double)(end - start) > width * (double)start)
            fail("the width of a cell", (double)(end - start), (double)start);
        histogram_add(&histogram, start);
        histogram_add(&histogram, end - 1);
        if (histogram_cell(&histogram, cell) != 2)
            fail("the first and last of a cell in it", (double)histogram_cell(&histogram, cell), 2);
    }
    histogram_add(&histogram, INT64_MAX);
    if (histogram_cell(&histogram, last) != 1)
        fail("the largest of all", (double)histogram_cell(&histogram, last), 1);
    if (histogram_count_to(&histogram, INT64_MAX) != histogram.count)
        fail("the count of all", (double)histogram.count, 0);
    histogram.cells[0] = UINT32_MAX;
    histogram_add(&histogram, 0);
    if (histogram_cell(&histogram, 0) != UINT32_MAX)
        fail("a cell that is full", (double)histogram_cell(&histogram, 0), UINT32_MAX);
    histogram_free(&histogram);
}

static void cells(void)
{
    check_cells(HISTOGRAM_FINE, 0.008);
    check_cells(HISTOGRAM_COARSE, 0.032);
}

/* --- suspected causes --- */

struct alteration {
    const char *message, *reply;
    const char *name; /* part of it, or NULL: nothing explains it */
};

static const struct alteration alterations[] = {
    {"a\nb\n", "a\r\nb\r\n", "LF to CRLF"},
    {"a\nb\r\nc", "a\r\nb\r\nc", "leaving CRLF"},
    {"a\nb\r\nc", "a\r\nb\r\r\nc", "LF to CRLF)"},
    {"a\r\nb\r\n", "a\nb\n", "CRLF to LF"},
    {"a\rb\r\nc\nd", "a\nb\nc\nd", "all to LF"},
    {"a\rb\r\nc\nd", "a\r\nb\r\nc\r\nd", "all to CRLF"},
    {"a\rb", "a\nb", "all to LF"},
    {"a\nb", "a\rb", "LF to CR)"},
    {"a\rb\r\nc", "ab\nc", "every CR was removed"},
    {"a\nb\n", "a\nb", "line ending at the end was removed"},
    {"a\nb\n", "ab", "all line endings were removed"},
    {"a b \t", "a b", "white space at the end"},
    {"ab", "ab\n", "(LF) was added"},
    {"ab", "ab\r\n", "(CRLF) was added"},
    {"caf\xc3\xa9", "cafC)", "8th bit"},
    {"caf\xc3\xa9 \xc2\x80", "cafC) B", "8th bit"},
    {"caf\xc3\xa9", "caf", "all bytes over 0x7f"},
    {"HEllo", "hello", "to lower"},
    {"Hello", "HELLO", "to upper"},
    {"Hello", "hello", "single bit"},
    {"1 a", "1 A", "single bit"},
    {"10 pm", "1  pm", "single bit"},
    {"Hello", "hELLO", "swapped"},
    {"caf\xc3\xa9", "caf\xe9", "to Latin-1"},
    {"\xc3\xbf+", "\xff\xff+", "telnet doubled 0xff"},
    {"a\xc3\xbf\xc3\xbd\x18z\xc3\xbf\xc3\xb1y", "azy", "telnet removed 0xff"},
    {"a\xc3\xbf\xc3\xbf\xc3\xa9", "a\xff\xe9", "telnet removed 0xff"},
    {"a\xc3\xbfz\xc3\xbf\xc3\xbfy\xc3\xa9", "azy\xe9", "0xff (IAC) was removed"},
    {"\xc3\xa9\xe2\x82\xac", "\xe9?", "to Latin-1"},
    {"\xc3\xa9\xe2\x82\xac", "\xe9", "leaving out the rest"},
    {"caf\xc3\xa9", "caf\xc3\x83\xc2\xa9", "encoded as UTF-8 once more"},
    {"\xe2\x82\xac.", "?.", "characters outside ASCII were replaced by question"},
    {"\xe2\x82\xac.", "???.", "bytes outside ASCII were replaced by question"},
    {"\xe2\x82\xac.", "\xef\xbf\xbd.", "characters outside ASCII were replaced by U+FFFD"},
    {"\xc3\xa9.", "\xef\xbf\xbd\xef\xbf\xbd.", "bytes outside ASCII were replaced by U+FFFD"},
    {"abc",
     "\xef\xbb\xbf"
     "abc",
     "byte order mark"},
    {"a\x01\x1b[m\x7fz", "a[mz", "control characters were removed"},
    {"a\tb", "a b", "tabs were replaced"},
    {"ab\rcd", "ab\r", "null byte after a CR"},
    {"hello", "hellp", "byte was replaced"},
    {"hello", "heldo", "single bit"},
    {"hello", "he?lo", "question mark"},
    {"hello", "he lo", "space"},
    {"hello", "hello, world", "added after it"},
    {"hello", "> hello", "added in front of it"},
    {"hello", "220 ready\r\nhello", "a line was put in front"},
    {"hello", "PROXY TCP4 192.0.2.1 192.0.2.2 5 6\r\nhello", "header of the PROXY protocol was"},
    {"hello", "\r\n\r\n", "PROXY protocol, version 2"},
    {"\xc3\xa9t\xc3\xa9", "e\xcc\x81te\xcc\x81", "NFC to NFD"},
    {"\xe1\xba\xad", "a\xcc\xa3\xcc\x82", "NFC to NFD"},
    {"ete\xcc\x81", "et\xc3\xa9", "NFD to NFC"},
    {"\u00e9e\u0301", "\u00e9\u00e9", "NFD to NFC"},
    {"\uac00\ud7a3", "\u1100\u1161\u1112\u1175\u11c2", "NFC to NFD"},
    {"\u1112\u1161\u11ab!", "\ud55c!", "NFD to NFC"},
    {"\ud55c", "\u1112\u1161\u11ac", NULL},
    {"\ud55c", "\u1112\u1161", NULL},
    {"\uac00", "\u1100\u1161\u11a8", NULL},
    {"\xc3\xa9", "e", NULL},
    {"\xc3\xa9.", "e\xcc\x81", NULL},
    {"e", "e\xcc\x81", "added after it"},
    {"hello", "olleh", NULL},
    {"hello", "", NULL},
};

static void check_cause(const struct alteration *each, const char *found)
{
    const char *name = each->name ? each->name : "nothing";

    if (!found)
        found = "nothing";
    if (!strstr(found, name)) {
        fprintf(stderr, "'%s' to '%s': %s, and not %s\n", each->message, each->reply, found, name);
        exit(1);
    }
}

/* However long, and of whatever it is made, the guess takes hardly any time. */
static void check_blanks(void)
{
    const size_t size = 4 << 20;
    char *message = malloc(size + 1), *reply = malloc(size + 1);

    if (!message || !reply)
        exit(1);
    memset(message, '\n', size);
    memcpy(message + size - 3, "\nx\n", 4);
    memcpy(reply, message, size + 1);
    check_cause(&(struct alteration){"many lines", "one less", "at the end was removed"},
                cause_of_change(message, size, reply, size - 1, false));
    reply[size - 2] = '~';
    check_cause(&(struct alteration){"many lines", "a byte", "a single byte was replaced"},
                cause_of_change(message, size, reply, size, false));
    free(message);
    free(reply);
}

static void causes(void)
{
    char long_message[4097];
    struct alteration cut = {long_message, "its beginning", "TCP segment"};

    for (size_t i = 0; i < sizeof alterations / sizeof *alterations; i++) {
        const struct alteration *each = &alterations[i];

        check_cause(each, cause_of_change(each->message, strlen(each->message), each->reply,
                                          strlen(each->reply), false));
    }
    memset(long_message, 'x', 4096);
    long_message[4096] = '\0';
    check_cause(&cut, cause_of_change(long_message, 4096, long_message, 1448, false));
    check_cause(&cut, cause_of_change(long_message, 4096, long_message, 2920, false));
    cut.name = "size of a buffer";
    check_cause(&cut, cause_of_change(long_message, 4096, long_message, 2048, false));
    cut.name = NULL;
    check_cause(&cut, cause_of_change(long_message, 4096, long_message, 2049, false));
    check_blanks();
    /* A reply that was not read to its end: as much of it as was read must agree. */
    check_cause(&(struct alteration){"\n\n\n\n", "", "LF to CRLF"},
                cause_of_change("\n\n\n\n", 4, "\r\n\r\n\r", 5, true));
    check_cause(&(struct alteration){"\u00e9\u00e9", "", "NFC to NFD"},
                cause_of_change("\u00e9\u00e9", 4, "e\u0301", 3, true));
    for (size_t size = 1; size < 9; size++)
        check_cause(&(struct alteration){"\ud55c", "its beginning", "NFC to NFD"},
                    cause_of_change("\ud55c", 3, "\u1112\u1161\u11ab", size, true));
    check_cause(&(struct alteration){"x", "", "header of the PROXY protocol was"},
                cause_of_change("x", 1, "PROXY UNKNOWN\r\n", 15, true));
}

/* --- patterns --- */

static void check_pattern(const char *name, size_t size)
{
    static const char own[] = "caf\xc3\xa9 \xf0\x9f\xa5\xab\n";
    char reason_buffer[256], *message;
    struct text reason;
    struct pattern pattern;
    struct frame frame;

    text_init(&reason, reason_buffer, sizeof reason_buffer);
    if (pattern_parse(name, &pattern, &reason) < 0) {
        fprintf(stderr, "%s\n", reason_buffer);
        exit(1);
    }
    message = pattern_make(&pattern, own, strlen(own), size);
    frame_init(&frame, size);
    if (frame_feed(&frame, message, size) != FRAME_MORE ||
        frame_feed(&frame, "", 1) != FRAME_COMPLETE || frame.length != size) {
        fprintf(stderr, "%s of %zu bytes is no message at %zu\n", name, size, frame.length);
        exit(1);
    }
    free(message);
}

/* Every pattern is a message of any size. */
static void patterns(void)
{
    static const char *const names[] = {"text", "ascii",    "utf8",     "crlf",
                                        "iac",  "random:0", "random:7", "file:any"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (size_t size = 0; size < 700; size++)
            check_pattern(names[i], size);
        check_pattern(names[i], 1000003);
    }
}

/* --- outages --- */

#define PROBES 200

/* Compares with the runs of lost probes; probe k is due at 10 k. */
static void compare_outages(const struct outages *found, const bool lost[PROBES + 2])
{
    struct outage all[PROBES];
    uint64_t count = 0;

    for (uint64_t k = 1; k <= PROBES; k++) {
        if (lost[k] && !lost[k - 1])
            all[count++].first = k;
        if (lost[k])
            all[count - 1].last = k;
    }
    if (found->count != count)
        fail("outages", (double)found->count, (double)count);
    for (size_t i = 0; i < found->kept; i++) {
        const struct outage *one = &found->list[i], *other = &all[count - found->kept + i];

        if (one->first != other->first || one->last != other->last)
            fail("an outage", (double)one->first, (double)other->first);
        if (one->begun != 10 * (int64_t)one->first || one->ended != 10 * (int64_t)one->last + 10)
            fail("its time", (double)one->begun, (double)one->ended);
    }
}

/* Of the first `probes`, some are lost, and end in order or, `shuffled`, in any. */
static void try_outages(uint64_t probes, bool shuffled)
{
    struct outages outages = {.count = 0};
    bool lost[PROBES + 2] = {false};
    uint64_t order[PROBES] = {0};

    for (uint64_t i = 0; i < probes; i++) {
        uint64_t other = shuffled ? (uint64_t)(uniform() * (double)(i + 1)) : i;

        order[i] = order[other];
        order[other] = i + 1;
    }
    for (uint64_t i = 0; i < probes; i++) {
        int64_t due = 10 * (int64_t)order[i];

        lost[order[i]] = uniform() < 0.6;
        if (lost[order[i]])
            outages_add(&outages, order[i], due, due + 10);
    }
    compare_outages(&outages, lost);
}

static void test_outages(void)
{
    for (int i = 0; i < 10000; i++) {
        try_outages(PROBES, false);
        try_outages(UINT64_C(2) * OUTAGES_KEPT, true);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {{"cells", cells},
                 {"quantiles", quantiles},
                 {"causes", causes},
                 {"patterns", patterns},
                 {"outages", test_outages}};

    for (size_t i = 0; argc == 2 && i < sizeof tests / sizeof *tests; i++)
        if (strcmp(argv[1], tests[i].name) == 0) {
            tests[i].run();
            return 0;
        }
    fprintf(stderr, "usage: probe-test cells|quantiles|causes|patterns|outages\n");
    return 2;
}
