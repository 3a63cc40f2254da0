/* SPDX-License-Identifier: MIT */
#include "tincand/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

/* Descriptors for everything but connections and listening sockets. */
#define OWN_DESCRIPTORS 14

/* Unless set otherwise, one source may have one in so many of the connections. */
#define DEFAULT_SHARE 4

static uint64_t most_connections(rlim_t descriptors, size_t listeners)
{
    size_t others = OWN_DESCRIPTORS + listeners;

    return descriptors > others ? descriptors - others : 0;
}

/* Sets the limit of descriptors, raised as far as allowed if it is too low for `connections`.
 * Returns 0, or -1 with errno. */
static int raise_descriptors(uint64_t connections, size_t listeners, rlim_t *descriptors)
{
    struct rlimit limit, raised;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    raised = (struct rlimit){.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    if (most_connections(limit.rlim_cur, listeners) < connections &&
        setrlimit(RLIMIT_NOFILE, &raised) == 0)
        limit = raised;
    *descriptors = limit.rlim_cur;
    return 0;
}

int limits_complete(struct limits *limits, size_t listeners, struct text *problem)
{
    uint64_t wanted = limits->max_connections ? limits->max_connections : 1;
    rlim_t descriptors;
    uint64_t most;

    if (raise_descriptors(wanted, listeners, &descriptors) < 0) {
        text_addf(problem, "cannot read the limit of descriptors: %s", strerror(errno));
        return -1;
    }
    most = most_connections(descriptors, listeners);
    if (most < wanted) {
        text_addf(
            problem,
            "cannot serve %" PRIu64 " connection%s with a limit of %" PRIu64
            " descriptors, of which %zu are needed for other things; raise it (LimitNOFILE= in the "
            "unit, ulimit -n in a shell) or lower --max-connections",
            wanted, wanted == 1 ? "" : "s", (uint64_t)descriptors, OWN_DESCRIPTORS + listeners);
        return -1;
    }
    if (limits->max_connections == 0)
        limits->max_connections = most;
    if (limits->max_per_source == 0)
        limits->max_per_source = (limits->max_connections + DEFAULT_SHARE - 1) / DEFAULT_SHARE;
    return 0;
}
