/* SPDX-License-Identifier: MIT */
/*
 * Reports of a run of probes: what it prints, or writes to a file. Each is a set of functions that
 * are called as things happen. Those that print write to standard output; the caller flushes it.
 */
#ifndef TINCAN_CLIENT_REPORT_REPORT_H
#define TINCAN_CLIENT_REPORT_REPORT_H

#include "client/options.h"
#include "client/report/tally.h"

#define REPORTS_MOST 3

/* A target, and what its probes brought. */
struct probed {
    struct target target; /* the first member: a round trip leads to it. Without an address if it
                           * could not be resolved */
    struct address address;
    bool refused; /* there are no probes, as what stands there is no address, or has none: `tally`
                   * says so */
    struct tally tally;
    struct tally recent; /* with --report-every, since the last such report */
    uint64_t
        written[OUTCOME_COUNT]; /* of report_prometheus: `tally.outcomes` at the last writing */
    bool succeeding;            /* and whether the last probes before it succeeded */
    size_t peer;                /* index of the address in the line before, for report_text */
    uint64_t oldest;            /* sequence number of the first probe that is not over */
    uint64_t running;           /* probes that are not over, while they are counted */
};

/* All the probes of one command. */
struct run {
    const struct options *options;
    struct probed *probed; /* `count` of them, at least 1 */
    size_t count;
    const char *pattern; /* the name of the message's pattern */
    size_t length;       /* of the message, in bytes */
    int64_t started;     /* clock_now, before targets were resolved */
    int64_t begun;       /* clock_now, afterwards */
    int64_t until;       /* clock_now, when it ends at the latest, or CLOCK_NEVER */
    int name_width;      /* columns of the longest name of a target, for report_text */
    bool interrupted;    /* a signal ended it */
    bool failed;         /* it could not wait for events */
    bool each;           /* each probe is reported */
    int status;          /* exit status for what failed beside the probes */

    char failure[EXPLAIN_SIZE]; /* with --check, the reason of `status`, or empty */
    const struct report *reports[REPORTS_MOST + 1]; /* ends with NULL */
};

/* One message of a sweep, after its last try. */
struct sweep_size {
    const char *pattern; /* the name, if it is tried for its text; NULL if for its size */
    size_t size;         /* bytes */
    unsigned tries;
    enum outcome outcome; /* of the last try */
    int64_t time;         /* nanoseconds, of an echo */
    bool never_connected; /* in no try */
    unsigned altered;     /* of the tries */
    enum outcome chance;  /* of another that failed, where the last one brought an echo */
    size_t ends_at;       /* bytes that came back of OUTCOME_ALTERED, if it is only shorter; or 0 */
    struct tcp tcp;       /* of the last try */
    int family;           /* of the address that it went to */
    const char *cause;    /* of OUTCOME_ALTERED, or NULL */
    char why[EXPLAIN_SIZE];
};

/* The end of a sweep. */
struct sweep_verdict {
    bool any_works, any_fails;
    size_t works;            /* the largest size that came back */
    struct sweep_size fails; /* the smallest that did not, although it connected */
    struct sweep_size last;  /* the last that was tried */
    bool unfinished;         /* also where it could not connect */
    const char *hint;        /* a possible reason, or NULL */
    bool causes_differ;      /* sizes failed for other causes than `fails` */
    unsigned tries;          /* in all */
    unsigned altered;        /* those with a wrong echo */
    unsigned always_altered; /* and those of messages of which no try brought anything else */
    unsigned chances;        /* those that were lost before an echo of the same message */
    enum outcome chance;     /* one of them */

    /* Of --diagnose. */
    struct sweep_size pattern;    /* the first that failed; its `pattern` is NULL if none did */
    char failed_patterns[64];     /* the names of all that failed as it did */
    bool patterns_differ;         /* others failed otherwise */
    bool none_intact;             /* no pattern came back */
    char diagnosis[EXPLAIN_SIZE]; /* a sentence, or empty */
};

/* Each function may be NULL. */
struct report {
    /* Before any probe. Returns 0; or -1, the reason added, if the report can't be made. */
    int (*prepare)(const struct run *run, struct text *reason);
    void (*begin)(struct run *run);
    /* A probe is over. `why` explains the outcome, NULL for an echo; `cause` is what may have
     * altered it, or NULL. */
    void (*roundtrip)(struct run *run, const struct roundtrip *roundtrip, const char *why,
                      const char *cause);
    void (*size)(struct run *run, const struct sweep_size *size);
    void (*verdict)(struct run *run, const struct sweep_verdict *verdict);
    void (*overdue)(struct run *run, const struct roundtrip *roundtrip); /* running for a second */
    void (*tick)(struct run *run, int64_t now);                          /* a few times a second */
    void (*recent)(struct run *run);  /* `recent` is to be reported */
    void (*interim)(struct run *run); /* a summary is wanted */
    void (*end)(struct run *run);
};

extern const struct report report_text;        /* for people */
extern const struct report report_json;        /* an object a line */
extern const struct report report_check;       /* one line for monitoring systems */
extern const struct report report_prometheus;  /* a file for the textfile collector */
extern const struct report report_status_line; /* the state of a flood, on standard error */

/* Of report_text: what it prints of durations and of a sweep, and text from anywhere. */
int report_text_decimals(double milliseconds, int columns); /* at most 3, as many as fit */
double report_text_loss(const struct tally *tally);         /* not rounded to 0 or 100 % */
void report_text_phases(const struct run *run, const struct tally *tally);
void report_text_targets(const struct run *run, bool recent);
void report_text_name(const struct run *run, const struct probed *probed);
void report_text_begin_sweep(const struct run *run);
void report_text_size(struct run *run, const struct sweep_size *size);
void report_text_verdict(struct run *run, const struct sweep_verdict *verdict);
void report_text_string(const char *string);

/* Sets `reports` and `each` as the options ask for. */
void report_select(struct run *run);

/* Calls a function of each report that has it. */
#define REPORT(run, function, ...)                                                                 \
    do {                                                                                           \
        for (const struct report *const *report = (run)->reports; *report; report++)               \
            if ((*report)->function)                                                               \
                (*report)->function((run), ##__VA_ARGS__);                                         \
    } while (0)

/* Writes "tincan: sentence" to standard error, where the status line may be. */
void report_complain(const struct text *sentence);
void report_status_line_clear(void);

/* Reports that `action` failed, for an errno, beside the probes: on standard error, or in the line
 * of --check. */
void report_failure(struct run *run, const char *action, int error);

/* Returns what the round trip belongs to. */
struct probed *report_probed(const struct roundtrip *roundtrip);

/*
 * Returns how many probes have no outcome because the run ended: those that it cut short and, of a
 * count, those that had not been sent. 0 before the end.
 */
uint64_t report_unfinished(const struct run *run, const struct probed *probed);

/* Returns the exit status of a target's probes, at least STATUS_FAILED if a count was not reached.
 */
int report_status(const struct run *run, const struct probed *probed);

/* Returns the server's only address, or the target as the user wrote it. */
const char *report_peer(const struct probed *probed);

/* Returns whether the string is UTF-8, and so can be written as it is. */
bool report_is_utf8(const char *string);

/* Adds all but printable ASCII as \xNN. */
void report_add_escaped(struct text *text, const char *bytes, size_t length);

/* Returns the string if it is UTF-8; else it is escaped so, until the next call. */
const char *report_utf8(const char *string);

double report_milliseconds(int64_t nsec);

/* Returns the moment (of clock_now) as seconds since 1970, by what the system's clock says now. */
double report_since_1970(int64_t moment);

/*
 * Reports why there is no run: on standard error, or in the line of --check. Returns the exit
 * status: `status`, or that of --check.
 */
int report_refusal(const struct options *options, const struct text *why, int status);

/* Returns the exit status of --check. */
int report_check_status(const struct run *run);

/* Prints the line of --check where there is no run. Returns the exit status. */
int report_check_refusal(const char *why);

#endif
