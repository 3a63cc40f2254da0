/* SPDX-License-Identifier: MIT */
#include "handler/peer.h"

#include "common/quantity.h"
#include "common/sockaddr.h"
#include "common/tag.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* An address or host name from the environment longer than this is cut. */
#define HOST_NAME_MAX_SHOWN 100

/* The variables in which launchers name the peer: tcpserver and s6 (UCSPI), ncat, socat, xinetd,
 * systemd. */
static const struct {
    const char *address, *port;
} variables[] = {
    {"REMOTE_ADDR", "REMOTE_PORT"},           {"TCPREMOTEIP", "TCPREMOTEPORT"},
    {"NCAT_REMOTE_ADDR", "NCAT_REMOTE_PORT"}, {"SOCAT_PEERADDR", "SOCAT_PEERPORT"},
    {"REMOTE_HOST", "REMOTE_PORT"},
};

/* Reads a numeric address, perhaps in brackets as socat writes it; false if it is none. */
static bool parse_address(struct sockaddr_storage *address, const char *host, in_port_t port)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = port};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = port};
    char bare[INET6_ADDRSTRLEN];
    size_t length = strlen(host);

    if (host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    }
    if (length >= sizeof bare)
        return false;
    memcpy(bare, host, length);
    bare[length] = '\0';
    if (inet_pton(AF_INET, bare, &four.sin_addr) == 1)
        memcpy(address, &four, sizeof four);
    else if (inet_pton(AF_INET6, bare, &six.sin6_addr) == 1)
        memcpy(address, &six, sizeof six);
    else
        return false;
    sockaddr_unmap(address);
    return true;
}

/* Takes the peer from the environment, as an address if it is one; returns whether it is another
 * text, which is the name then. */
static bool name_from_environment(struct peer *peer)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *host = getenv(variables[i].address);
        const char *port_text = getenv(variables[i].port);
        uint64_t port = 0;
        struct text name;

        if (!host || !host[0])
            continue;
        if (port_text)
            (void)quantity_size(port_text, 0, UINT16_MAX, &port);
        if (parse_address(&peer->address, host, htons((uint16_t)port)))
            return false;
        text_init(&name, peer->name, sizeof peer->name);
        text_add_escaped_word(&name, host, strnlen(host, HOST_NAME_MAX_SHOWN));
        return true;
    }
    return false;
}

static void add_credentials(struct text *name, int fd)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;

    text_add(name, "unix:");
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0)
        text_addf(name, "uid=%u,pid=%d", credentials.uid, credentials.pid);
}

/*
 * An unnamed socketpair leads to a relay such as socat, which names its own peer in the
 * environment; a connection to a bound AF_UNIX socket comes from the peer itself.
 */
static bool is_socketpair(int fd)
{
    struct sockaddr_un own;
    socklen_t size = sizeof own;

    return getsockname(fd, (struct sockaddr *)&own, &size) == 0 &&
           size <= offsetof(struct sockaddr_un, sun_path);
}

void peer_name(struct peer *peer, int fd)
{
    struct text name;

    text_init(&name, peer->name, sizeof peer->name);
    sockaddr_unmap(&peer->address);
    if (peer->address.ss_family == AF_UNIX)
        add_credentials(&name, fd);
    else
        sockaddr_print(&name, &peer->address, sizeof peer->address, NULL);
}

void peer_find(struct peer *peer, int fd, bool is_socket)
{
    socklen_t size = sizeof peer->address;
    bool known = is_socket && getpeername(fd, (struct sockaddr *)&peer->address, &size) == 0;
    bool relayed = known && peer->address.ss_family == AF_UNIX && is_socketpair(fd);

    if (!known)
        peer->address.ss_family = AF_UNSPEC;
    if ((!known || relayed) && name_from_environment(peer)) {
        peer->address.ss_family = AF_UNSPEC;
        return;
    }
    peer_name(peer, fd);
}

size_t peer_put_tag(const struct peer *peer, char *message)
{
    char buffer[TAG_MAX + 1];
    struct text tag;

    text_init(&tag, buffer, sizeof buffer);
    tag_print(&tag, &peer->address, peer->name);
    memcpy(message - tag.length, tag.start, tag.length);
    return tag.length;
}
