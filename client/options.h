/* SPDX-License-Identifier: MIT */
/* What the command line asks for. */
#ifndef TINCAN_CLIENT_OPTIONS_H
#define TINCAN_CLIENT_OPTIONS_H

#include "client/display.h"
#include "client/net/bind_address.h"
#include "client/pattern.h"
#include "common/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum options_input {
    OPTIONS_AUTO,    /* a conversation if standard input is a terminal, else a message a line */
    OPTIONS_MESSAGE, /* the one on the command line */
    OPTIONS_NULL,    /* messages on standard input, separated by null bytes */
    OPTIONS_WHOLE,   /* all of standard input is one message */
};

/* As a size: none was given. */
#define OPTIONS_NO_SIZE SIZE_MAX

/* A limit of --check: a range of milliseconds or percents, as monitoring plugins have it. */
struct probe_limit {
    bool given;
    bool inside; /* values within the range exceed it, not those outside */
    double low, high;
};

struct probe_options {
    bool on;                /* at least one of these options was given */
    uint64_t count;         /* 0: no end */
    uint64_t interval_usec; /* as given, or 0 */
    uint64_t rate;          /* the same as probes a second, or 0 */
    int64_t interval;       /* nanoseconds; 0 with `flood` */
    uint64_t deadline_usec; /* 0: none */
    bool flood;
    uint64_t parallel; /* 0: as many as the interval needs */
    bool parallel_given;
    size_t size; /* bytes, or OPTIONS_NO_SIZE */
    struct pattern pattern;
    bool diagnose; /* a sweep that tries each pattern first */
    bool sweep;
    size_t sweep_from, sweep_to; /* bytes */
    bool json, check, histogram, timestamps;
    uint64_t report_every_usec; /* 0: never */
    const char *prometheus;     /* a path, or NULL */
    const char *targets;        /* a file of targets, "-" for standard input, or NULL */
    bool all_addresses;         /* each address of a name is a target of its own */
    bool many;                  /* there may be several targets, however many there are */
    struct probe_limit warning, critical, warning_loss, critical_loss;
};

struct options {
    const char *help; /* print this text and exit, or NULL */
    bool version;     /* print the version and exit */
    enum options_input input;
    const char *message;    /* for OPTIONS_MESSAGE */
    char **addresses;       /* those on the command line, then NULL */
    struct address address; /* the first of them, or the default */
    int family;             /* AF_INET, AF_INET6 or AF_UNSPEC; that of `bind_address`, if given */
    struct bind_address bind_address;
    uint64_t timeout_usec;
    size_t max_bytes;
    bool connect_first;
    bool classic; /* a conversation prints the lines of the book, and nothing else */
    bool quiet;
    enum display_colour colour;
    struct probe_options probes; /* the last member: options.c relies on it */
};

/*
 * Reads the command line into `options`, which keeps pointers into it. Returns 0; or -1 with the
 * reason, which names the option and its value, added to `reason`. Even then `probes.check` is set
 * if --check is anywhere on the line.
 */
int options_read(int argc, char **argv, struct options *options, struct text *reason);

/*
 * For options_read: refuses options that contradict each other, fills in what was not given, and
 * checks the addresses. Returns as options_read does.
 */
int options_finish(struct options *options, struct text *reason);

/*
 * Reads an address, as address_parse() does, that the options for addresses must allow. Returns as
 * options_read does.
 */
int options_address(const struct options *options, const char *text, struct address *address,
                    struct text *reason);

#endif
