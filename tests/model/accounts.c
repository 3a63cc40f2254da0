/* SPDX-License-Identifier: MIT */
#include "tests/model/accounts.h"

#include "tincand/memory.h"

/* The least room that is worth reading for. */
#define LEAST_ROOM (MEMORY_READ_MIN + TAG_MAX)

/* How many of the oldest buffers of a source are looked at for a slow connection. */
#define CANDIDATES 16

size_t accounts_used(const struct accounts *accounts, int source)
{
    size_t used = 0;

    for (int i = 0; i < CONNECTIONS; i++)
        if (source < 0 ? i != accounts->reserved : accounts->list[i].source == source)
            used += accounts->list[i].held;
    return used;
}

/* Returns the room for a source that uses `own` bytes: then as much must be free as it uses. */
static size_t room(const struct accounts *accounts, size_t own)
{
    size_t used = accounts_used(accounts, -1);
    size_t free = used < accounts->max ? accounts->max - used : 0;

    if (accounts->shared)
        return own < free ? (free - own) / 2 : 0;
    return free;
}

size_t accounts_room(const struct accounts *accounts, int number, size_t buffer_max)
{
    const struct account *account = &accounts->list[number];

    if (number == accounts->reserved)
        return buffer_max - account->held;
    return room(accounts, accounts_used(accounts, account->source));
}

/* Returns which connection of the source waits for longest. */
static int first_waiting(const struct accounts *accounts, int source)
{
    const struct account *list = accounts->list;
    int first = -1;

    for (int i = 0; i < CONNECTIONS; i++)
        if (list[i].waiting_since > 0 && list[i].source == source &&
            (first < 0 || list[i].waiting_since < list[first].waiting_since))
            first = i;
    return first;
}

size_t accounts_read_size(const struct accounts *accounts, int number)
{
    const struct account *account = &accounts->list[number];
    size_t size = room(accounts, accounts_used(accounts, account->source));
    bool is_new = account->held == 0 && !account->served;

    if (number == accounts->reserved)
        return MEMORY_READ_MAX;
    if (size < LEAST_ROOM || account->waiting_since > 0 ||
        (is_new && first_waiting(accounts, account->source) >= 0))
        return 0;
    return size - TAG_MAX < MEMORY_READ_MAX ? size - TAG_MAX : MEMORY_READ_MAX;
}

void accounts_hold(struct accounts *accounts, int number, size_t size)
{
    struct account *account = &accounts->list[number];

    if (account->held == 0) {
        account->holding_since = ++accounts->turn;
        account->slow_from = accounts->now + MEMORY_PAUSE_USEC;
    }
    account->held = size;
}

void accounts_move(struct accounts *accounts, int number, size_t count)
{
    struct account *account = &accounts->list[number];
    uint64_t latest = accounts->now + MEMORY_PAUSE_USEC;
    uint64_t from = account->slow_from > accounts->now ? account->slow_from : accounts->now;

    if (account->held == 0)
        return;
    from += count * 1000 / MEMORY_RATE;
    account->slow_from = from < latest ? from : latest;
}

void accounts_stop_waiting(struct accounts *accounts, int number)
{
    accounts->list[number].waiting_since = 0;
    if (number == accounts->reserved && accounts->list[number].held == 0)
        accounts->reserved = -1;
}

void accounts_free(struct accounts *accounts, int number)
{
    accounts->list[number].held = 0;
    accounts_stop_waiting(accounts, number);
}

void accounts_wait(struct accounts *accounts, int number)
{
    struct account *account = &accounts->list[number];

    if (account->waiting_since > 0)
        return;
    accounts->turn++;
    if (first_waiting(accounts, account->source) < 0)
        accounts->turns[account->source] = accounts->turn;
    account->waiting_since = accounts->turn;
    account->served = false;
}

/* --- the next to continue --- */

static bool is_before(const struct accounts *accounts, int one, int other)
{
    size_t used = accounts_used(accounts, one), others = accounts_used(accounts, other);

    return used < others || (used == others && accounts->turns[one] < accounts->turns[other]);
}

/* Returns the source that uses least of those that wait; of several, the one whose turn is
 * earliest; -1: none waits. */
static int smallest_waiting(const struct accounts *accounts)
{
    int smallest = -1;

    for (int source = 0; source < SOURCES; source++)
        if (first_waiting(accounts, source) >= 0 &&
            (smallest < 0 || is_before(accounts, source, smallest)))
            smallest = source;
    return smallest;
}

static int serve(struct accounts *accounts, int source)
{
    int number = first_waiting(accounts, source);

    accounts->list[number].waiting_since = 0;
    accounts->list[number].served = true;
    accounts->list[number].slow_from = accounts->now + MEMORY_PAUSE_USEC;
    accounts->turns[source] = ++accounts->turn;
    return number;
}

/* Returns whether nobody has the reserve, or its holder has room without it. */
static bool reserve_is_free(const struct accounts *accounts)
{
    const struct account *holder = &accounts->list[accounts->reserved < 0 ? 0 : accounts->reserved];

    return accounts->reserved < 0 ||
           room(accounts, accounts_used(accounts, holder->source) - holder->held) >= holder->held;
}

int accounts_next(struct accounts *accounts)
{
    int source = smallest_waiting(accounts);

    if (source < 0)
        return -1;
    if (room(accounts, accounts_used(accounts, source)) >= LEAST_ROOM)
        return serve(accounts, source);
    if (!reserve_is_free(accounts))
        return -1;
    return accounts->reserved = serve(accounts, source);
}

/* --- the one to end --- */

/* Returns whether the source uses so much more than the smallest that waits, by two times and what
 * is read at a time, that its connections are slow even while they wait. */
static bool has_much(const struct accounts *accounts, int source)
{
    size_t least = accounts_used(accounts, smallest_waiting(accounts));

    return accounts_used(accounts, source) > 2 * (least + MEMORY_READ_MAX);
}

/* Returns how many buffers of its source are older. */
static int age(const struct accounts *accounts, int number)
{
    const struct account *list = accounts->list;
    int older = 0;

    for (int i = 0; i < CONNECTIONS; i++)
        older += list[i].held > 0 && list[i].source == list[number].source &&
                 list[i].holding_since < list[number].holding_since;
    return older;
}

/* Returns the oldest slow connection of a source, or -1. */
static int oldest_slow(const struct accounts *accounts, int source)
{
    const struct account *list = accounts->list;
    bool much = has_much(accounts, source);
    int oldest = -1;

    for (int i = 0; i < CONNECTIONS; i++)
        if (list[i].held > 0 && list[i].source == source && accounts->now > list[i].slow_from &&
            (much || list[i].waiting_since == 0) && age(accounts, i) < CANDIDATES &&
            (oldest < 0 || list[i].holding_since < list[oldest].holding_since))
            oldest = i;
    return oldest;
}

/* Returns the most that a source with a slow connection uses, if that is more than the smallest
 * that waits does; or 0. */
static size_t greatest_use(const struct accounts *accounts)
{
    size_t greatest = 0;
    size_t least = accounts_used(accounts, smallest_waiting(accounts));

    for (int source = 0; source < SOURCES; source++) {
        size_t used = accounts_used(accounts, source);
        if (used > least && used > greatest && oldest_slow(accounts, source) >= 0)
            greatest = used;
    }
    return greatest;
}

/* Returns the holder of the reserve if it is slow and another source waits. */
static int blocked_reserve(const struct accounts *accounts)
{
    int holder = accounts->reserved;

    if (holder < 0 || accounts->now <= accounts->list[holder].slow_from)
        return -1;
    for (int source = 0; source < SOURCES; source++)
        if (source != accounts->list[holder].source && first_waiting(accounts, source) >= 0)
            return holder;
    return -1;
}

bool accounts_may_end(const struct accounts *accounts, int number)
{
    size_t greatest;

    if (!accounts->shared || smallest_waiting(accounts) < 0)
        return number < 0;
    greatest = greatest_use(accounts);
    if (greatest == 0)
        return number == blocked_reserve(accounts);
    return number >= 0 && accounts_used(accounts, accounts->list[number].source) == greatest &&
           number == oldest_slow(accounts, accounts->list[number].source);
}
