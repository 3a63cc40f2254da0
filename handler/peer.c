/* SPDX-License-Identifier: MIT */
#include "handler/peer.h"

#include "common/quantity.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* An address or host name from the environment longer than this is cut. */
#define HOST_NAME_MAX_SHOWN 100

/* struct sockaddr_vm of vsock(7), whose header the C library doesn't always bring. */
struct vsock_address {
    sa_family_t family;
    unsigned short reserved;
    unsigned int port;
    unsigned int cid;
};

/* The variables in which launchers name the peer: tcpserver and s6 (UCSPI), ncat, socat, xinetd,
 * systemd. */
static const struct {
    const char *address, *port;
} variables[] = {
    {"REMOTE_ADDR", "REMOTE_PORT"},           {"TCPREMOTEIP", "TCPREMOTEPORT"},
    {"NCAT_REMOTE_ADDR", "NCAT_REMOTE_PORT"}, {"SOCAT_PEERADDR", "SOCAT_PEERPORT"},
    {"REMOTE_HOST", "REMOTE_PORT"},
};

/* Turns an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) into the IPv4 address that it stands for.
 */
static void unmap(struct sockaddr_storage *address)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    struct sockaddr_in four = {.sin_family = AF_INET};

    if (address->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        return;
    four.sin_port = six->sin6_port;
    memcpy(&four.sin_addr, six->sin6_addr.s6_addr + 12, sizeof four.sin_addr);
    memcpy(address, &four, sizeof four);
}

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
    unmap(address);
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
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return;
    text_add(name, "uid=");
    text_add_number(name, credentials.uid);
    text_add(name, ",pid=");
    text_add_number(name, (uint64_t)credentials.pid);
}

/*
 * An unnamed socketpair leads to a relay such as socat, which knows whom it relays; a connection
 * to a bound AF_UNIX socket is the peer itself.
 */
static bool is_socketpair(int fd)
{
    struct sockaddr_un own;
    socklen_t size = sizeof own;

    return getsockname(fd, (struct sockaddr *)&own, &size) == 0 &&
           size <= offsetof(struct sockaddr_un, sun_path);
}

/* What the two internet address families have in common, ready to be printed. */
struct internet_address {
    char host[INET6_ADDRSTRLEN];
    uint16_t port;
    uint32_t flow, scope; /* IPv6 only */
};

static struct internet_address internet_address(const struct sockaddr_storage *address)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    struct internet_address internet = {.host = "?"};

    if (address->ss_family == AF_INET) {
        inet_ntop(AF_INET, &four->sin_addr, internet.host, sizeof internet.host);
        internet.port = ntohs(four->sin_port);
    } else {
        inet_ntop(AF_INET6, &six->sin6_addr, internet.host, sizeof internet.host);
        internet.port = ntohs(six->sin6_port);
        internet.flow = ntohl(six->sin6_flowinfo);
        internet.scope = six->sin6_scope_id;
    }
    return internet;
}

static void add_internet_name(struct text *name, const struct sockaddr_storage *address)
{
    struct internet_address internet = internet_address(address);
    bool brackets = address->ss_family == AF_INET6;

    text_add(name, brackets ? "[" : "");
    text_add(name, internet.host);
    if (internet.scope) {
        text_add_char(name, '%');
        text_add_number(name, internet.scope);
    }
    text_add(name, brackets ? "]:" : ":");
    text_add_number(name, internet.port);
}

static void add_vsock_name(struct text *name, const struct sockaddr_storage *address)
{
    const struct vsock_address *vsock = (const struct vsock_address *)address;

    text_add(name, "vsock:");
    text_add_number(name, vsock->cid);
    text_add_char(name, ':');
    text_add_number(name, vsock->port);
}

void peer_name(struct peer *peer, int fd)
{
    struct text name;

    text_init(&name, peer->name, sizeof peer->name);
    unmap(&peer->address);
    switch (peer->address.ss_family) {
    case AF_INET:
    case AF_INET6:
        add_internet_name(&name, &peer->address);
        break;
    case AF_UNIX:
        add_credentials(&name, fd);
        break;
    case AF_VSOCK:
        add_vsock_name(&name, &peer->address);
        break;
    default:
        text_add_char(&name, '-');
    }
}

void peer_find(struct peer *peer, int fd, int is_socket)
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

void peer_add_tag(const struct peer *peer, struct text *text)
{
    const sa_family_t family = peer->address.ss_family;

    if (family == AF_INET || family == AF_INET6) {
        struct internet_address internet = internet_address(&peer->address);
        text_add(text, "('");
        text_add(text, internet.host);
        text_add(text, "', ");
        text_add_number(text, internet.port);
        if (family == AF_INET6) {
            text_add(text, ", ");
            text_add_number(text, internet.flow);
            text_add(text, ", ");
            text_add_number(text, internet.scope);
        }
        text_add(text, "): ");
    } else if (family == AF_VSOCK) {
        const struct vsock_address *vsock = (const struct vsock_address *)&peer->address;
        text_add_char(text, '(');
        text_add_number(text, vsock->cid);
        text_add(text, ", ");
        text_add_number(text, vsock->port);
        text_add(text, "): ");
    } else {
        text_add_char(text, '\'');
        text_add(text, peer->name);
        text_add(text, "': ");
    }
}

size_t peer_put_tag(const struct peer *peer, char *message)
{
    char buffer[PEER_TEXT_SIZE];
    struct text tag;

    text_init(&tag, buffer, sizeof buffer);
    peer_add_tag(peer, &tag);
    memcpy(message - tag.length, tag.start, tag.length);
    return tag.length;
}
