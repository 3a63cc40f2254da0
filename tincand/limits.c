/* SPDX-License-Identifier: MIT */
#include "tincand/limits.h"

#include <inttypes.h>
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

/* Returns the limit of descriptors, raised if it is too low for `connections`. */
static rlim_t raise_descriptors(uint64_t connections, size_t listeners)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        most_connections(limit.rlim_cur, listeners) < connections) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}

int limits_complete(struct limits *limits, size_t listeners, struct text *problem)
{
    uint64_t wanted = limits->max_connections ? limits->max_connections : 1;
    rlim_t descriptors = raise_descriptors(wanted, listeners);
    uint64_t most = most_connections(descriptors, listeners);

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
