/* SPDX-License-Identifier: MIT */
#include "common/address.h"

#include "common/quantity.h"

#include <ctype.h>
#include <linux/vm_sockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define DEFAULT_PORT "4040"

/* Adds "'PART' PROBLEM", where the part is `length` bytes, and returns -1. */
static int reject(struct text *reason, const char *part, size_t length, const char *problem)
{
    text_addf(reason, "'%.*s' %s", (int)length, part, problem);
    return -1;
}

/* Reads `length` decimal digits, all of the field, into a number of 32 bits. */
static int read_number(const char *digits, size_t length, uint32_t *number)
{
    uint64_t value;

    if (length == 0 || quantity_digits(digits, length, UINT32_MAX, &value) != length)
        return -1;
    *number = (uint32_t)value;
    return 0;
}

static int set_port(struct address *address, const char *port, struct text *reason)
{
    uint32_t number;

    if (read_number(port, strlen(port), &number) < 0 || number < 1 || number > 65535)
        return reject(
            reason, port, strlen(port),
            isalpha((unsigned char)*port)
                ? "is not a port from 1 to 65535; give the number of a service, not its name"
                : "is not a port from 1 to 65535");
    snprintf(address->port, sizeof address->port, "%u", (unsigned)number);
    return 0;
}

static int set_host(struct address *address, const char *host, size_t length, struct text *reason)
{
    if (length == 0) {
        text_add(reason, "the host is missing");
        return -1;
    }
    if (memchr(host, ' ', length))
        return reject(reason, host, length, "has a blank; for a port write HOST:PORT");
    if (length >= sizeof address->host)
        return reject(reason, host, length, "is too long for the name of a host");
    memcpy(address->host, host, length);
    address->host[length] = '\0';
    return 0;
}

/* Returns the family of an IP address in digits, perhaps with %INTERFACE behind it. */
static int family_of(const char *host, size_t length)
{
    struct sockaddr_storage read;
    const char *percent = memchr(host, '%', length);

    (void)sockaddr_parse(&read, host, percent ? (size_t)(percent - host) : length, 0);
    return read.ss_family;
}

static int set_ipv6(struct address *address, const char *host, size_t length, struct text *reason)
{
    if (family_of(host, length) != AF_INET6)
        return reject(reason, host, length, "is not an IPv6 address");
    return set_host(address, host, length, reason);
}

static int parse_bracketed(const char *text, struct address *address, struct text *reason)
{
    const char *end = strchr(text, ']');

    if (!end || (end[1] != '\0' && end[1] != ':')) {
        text_add(reason, "an address in brackets is written [IPV6] or [IPV6]:PORT");
        return -1;
    }
    if (set_ipv6(address, text + 1, (size_t)(end - text - 1), reason) < 0)
        return -1;
    return end[1] == ':' ? set_port(address, end + 2, reason) : 0;
}

static int parse_host(const char *text, struct address *address, struct text *reason)
{
    const char *colon = strchr(text, ':');

    if (!colon)
        return set_host(address, text, strlen(text), reason);
    if (strchr(colon + 1, ':')) {
        if (set_ipv6(address, text, strlen(text), reason) == 0)
            return 0;
        address_propose_brackets(address, reason);
        return -1;
    }
    if (set_host(address, text, (size_t)(colon - text), reason) < 0)
        return -1;
    return set_port(address, colon + 1, reason);
}

/* Takes the #PORT of a hybrid vsock socket off the end; returns the length of what is before it. */
static size_t take_hybrid_port(const char *path, struct address *address)
{
    const char *hash = strrchr(path, '#');
    uint32_t port;

    if (!hash || read_number(hash + 1, strlen(hash + 1), &port) < 0 || port == VMADDR_PORT_ANY)
        return strlen(path);
    address->hybrid = true;
    address->hybrid_port = port;
    return (size_t)(hash - path);
}

static int parse_unix(const char *path, struct address *address, struct text *reason)
{
    struct sockaddr_un *name = (struct sockaddr_un *)&address->socket;
    bool abstract = path[0] == '@';
    size_t length = take_hybrid_port(path, address);

    if (length == 0 || (abstract && length == 1)) {
        text_add(reason, "the path of the socket is missing");
        return -1;
    }
    /* A path is followed by a null byte; an abstract name begins with one instead. */
    if (length + !abstract > sizeof name->sun_path)
        return reject(reason, path, length, "is too long for the path of a socket");
    name->sun_family = AF_UNIX;
    memcpy(name->sun_path, path, length);
    if (abstract)
        name->sun_path[0] = '\0';
    address->socket_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !abstract);
    return 0;
}

static int parse_vsock(const char *text, struct address *address, struct text *reason)
{
    struct sockaddr_vm *name = (struct sockaddr_vm *)&address->socket;
    const char *colon = strchr(text, ':');
    uint32_t cid, port;

    if (!colon) {
        text_add(reason, "a vsock address is written vsock:CID:PORT");
        return -1;
    }
    if (read_number(text, (size_t)(colon - text), &cid) < 0 || cid == VMADDR_CID_ANY)
        return reject(reason, text, (size_t)(colon - text),
                      "is not a context id from 0 to 4294967294");
    if (read_number(colon + 1, strlen(colon + 1), &port) < 0 || port == VMADDR_PORT_ANY)
        return reject(reason, colon + 1, strlen(colon + 1),
                      "is not a vsock port from 0 to 4294967294");
    name->svm_family = AF_VSOCK;
    name->svm_cid = cid;
    name->svm_port = port;
    address->socket_size = sizeof *name;
    return 0;
}

int address_parse(const char *text, struct address *address, struct text *reason)
{
    *address = (struct address){.text = text, .port = DEFAULT_PORT};
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, address, reason);
    if (strncmp(text, "vsock:", 6) == 0)
        return parse_vsock(text + 6, address, reason);
    if (strncasecmp(text, "tcp://", 6) == 0)
        text += 6;
    if (strstr(text, "://"))
        return reject(reason, text, strlen(text), "can't be used; only tcp:// may stand in front");
    if (text[0] == '[')
        return parse_bracketed(text, address, reason);
    return parse_host(text, address, reason);
}

int address_family(const struct address *address)
{
    return family_of(address->host, strlen(address->host));
}

void address_propose_brackets(const struct address *address, struct text *reason)
{
    const char *host = address->text, *colon = strrchr(host, ':');
    size_t length;
    uint32_t port;

    if (host[0] == '[' || !colon)
        return;
    length = (size_t)(colon - host);
    if (family_of(host, length) != AF_INET6 ||
        read_number(colon + 1, strlen(colon + 1), &port) < 0 || port < 1 || port > 65535)
        return;
    text_addf(reason, "; for port %s of %.*s write [%.*s]:%s", colon + 1, (int)length, host,
              (int)length, host, colon + 1);
}
