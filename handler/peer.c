/* SPDX-License-Identifier: MIT */
#include "handler/peer.h"

#include "common/quantity.h"
#include "common/sockaddr.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* How much of an address or host name from the environment is shown, in bytes. */
#define HOST_NAME_SHOWN 100

/* The variables in which launchers name the peer: systemd, tcpserver and s6 (UCSPI), ncat, socat,
 * xinetd. */
static const struct {
    const char *address, *port;
} variables[] = {
    {"REMOTE_ADDR", "REMOTE_PORT"},           {"TCPREMOTEIP", "TCPREMOTEPORT"},
    {"NCAT_REMOTE_ADDR", "NCAT_REMOTE_PORT"}, {"SOCAT_PEERADDR", "SOCAT_PEERPORT"},
    {"REMOTE_HOST", "REMOTE_PORT"},
};

/* Sets the peer from the environment: an address, or a name where that is no address. Returns
 * whether the environment names the peer. */
static bool find_in_environment(struct peer *peer)
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
        if (sockaddr_parse(&peer->address, host, strlen(host), (uint16_t)port)) {
            peer_name(peer, -1);
            return true;
        }
        text_init(&name, peer->name, sizeof peer->name);
        text_add_escaped(&name, host, strnlen(host, HOST_NAME_SHOWN));
        return true;
    }
    return false;
}

static void print_credentials(struct text *name, int fd)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;

    text_add(name, "unix:");
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return;
    text_add_number(name, "uid=", credentials.uid);
    text_add_number(name, ",pid=", (unsigned)credentials.pid);
}

/*
 * Returns whether `fd` is one end of an unnamed socketpair, which leads to a relay such as socat:
 * the relay names its own peer in the environment. A bound AF_UNIX socket leads to the peer itself.
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
        print_credentials(&name, fd);
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
    if ((known && !relayed) || !find_in_environment(peer))
        peer_name(peer, fd);
}
