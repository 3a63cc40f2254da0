/* SPDX-License-Identifier: MIT */
#include "tincand/sources.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *one, const void *other)
{
    return memcmp(one, other, sizeof(struct source_key));
}

static struct source_key key_of(int fd, const union connection_peer *peer)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct source_key key = {.family = peer->any.sa_family};
    struct ucred credentials;
    socklen_t size = sizeof credentials;

    switch (key.family) {
    case AF_INET:
        memcpy(key.name, &peer->ipv4.sin_addr, 4);
        break;
    case AF_INET6:
        /* An IPv4 peer is the same source on an IPv6 socket. */
        if (memcmp(&peer->ipv6.sin6_addr, mapped, sizeof mapped) == 0) {
            key.family = AF_INET;
            memcpy(key.name, peer->ipv6.sin6_addr.s6_addr + 12, 4);
        } else {
            memcpy(key.name, &peer->ipv6.sin6_addr, 8);
        }
        break;
    case AF_UNIX:
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0)
            memcpy(key.name, &credentials.uid, sizeof credentials.uid);
        break;
    case AF_VSOCK:
        memcpy(key.name, &peer->vsock.svm_cid, sizeof peer->vsock.svm_cid);
        break;
    }
    return key;
}

/* Returns the source with this key, which is made if there is none; or NULL without memory. */
static struct source *find_or_make(struct sources *sources, const struct source_key *key)
{
    struct source **found = tfind(key, &sources->tree, compare);
    struct source *source;

    if (found)
        return *found;
    source = malloc(sizeof *source);
    if (!source)
        return NULL;
    *source = (struct source){.key = *key};
    memory_share_init(&source->memory);
    if (!tsearch(source, &sources->tree, compare)) {
        free(source);
        errno = ENOMEM;
        return NULL;
    }
    return source;
}

struct source *sources_enter(struct sources *sources, int fd, const union connection_peer *peer)
{
    struct source_key key = key_of(fd, peer);
    struct source *source = find_or_make(sources, &key);

    if (source && source->connections == sources->limit) {
        errno = EUSERS;
        return NULL;
    }
    if (!source)
        return NULL;
    source->connections++;
    return source;
}

void sources_leave(struct sources *sources, struct source *source)
{
    if (--source->connections > 0)
        return;
    tdelete(source, &sources->tree, compare);
    free(source);
}
