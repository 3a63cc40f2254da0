/* SPDX-License-Identifier: MIT */
#include "common/address.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define DEFAULT_PORT "4040"

/* Adds "'part' problem", the part being `length` bytes, and returns -1. */
static int reject(struct text *reason, const char *part, size_t length, const char *problem)
{
    text_add_char(reason, '\'');
    text_add_bytes(reason, part, length);
    text_add(reason, "' ");
    text_add(reason, problem);
    return -1;
}

/* Reads `length` decimal digits, all of the field, into a number of 32 bits. */
static int read_number(const char *digits, size_t length, uint32_t *number)
{
    uint64_t value = 0;

    if (length == 0)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return -1;
        value = value * 10 + (uint64_t)(digits[i] - '0');
        if (value > UINT32_MAX)
            return -1;
    }
    *number = (uint32_t)value;
    return 0;
}

static int set_port(struct address *address, const char *port, struct text *reason)
{
    uint32_t number;

    if (read_number(port, strlen(port), &number) < 0 || number < 1 || number > 65535)
        return reject(reason, port, strlen(port), "is not a port from 1 to 65535");
    snprintf(address->port, sizeof address->port, "%u", (unsigned)number);
    return 0;
}

static int set_host(struct address *address, const char *host, size_t length, struct text *reason)
{
    if (length == 0) {
        text_add(reason, "the host is missing");
        return -1;
    }
    if (length >= sizeof address->host)
        return reject(reason, host, length, "is too long for the name of a host");
    memcpy(address->host, host, length);
    address->host[length] = '\0';
    return 0;
}

/* Whether it is an IPv6 address in digits, perhaps with %INTERFACE behind it. */
static bool is_ipv6(const char *host, size_t length)
{
    char digits[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    const char *percent = memchr(host, '%', length);
    size_t size = percent ? (size_t)(percent - host) : length;

    if (size >= sizeof digits)
        return false;
    memcpy(digits, host, size);
    digits[size] = '\0';
    return inet_pton(AF_INET6, digits, &ignored) == 1;
}

static int set_ipv6(struct address *address, const char *host, size_t length, struct text *reason)
{
    if (!is_ipv6(host, length))
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
    if (strchr(colon + 1, ':'))
        return set_ipv6(address, text, strlen(text), reason);
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
    if (text[0] == '[')
        return parse_bracketed(text, address, reason);
    return parse_host(text, address, reason);
}

static void print_ipv6(const struct sockaddr_in6 *name, struct text *text)
{
    char digits[INET6_ADDRSTRLEN], interface[IF_NAMESIZE];

    inet_ntop(AF_INET6, &name->sin6_addr, digits, sizeof digits);
    text_add_char(text, '[');
    text_add(text, digits);
    if (name->sin6_scope_id != 0 && if_indextoname(name->sin6_scope_id, interface)) {
        text_add_char(text, '%');
        text_add(text, interface);
    }
    text_add(text, "]:");
    text_add_number(text, ntohs(name->sin6_port));
}

static void print_unix(const struct sockaddr_un *name, socklen_t size, struct text *text)
{
    size_t length = size - offsetof(struct sockaddr_un, sun_path);

    text_add(text, "unix:");
    if (length > 0 && name->sun_path[0] == '\0') {
        text_add_char(text, '@');
        text_add_bytes(text, name->sun_path + 1, length - 1);
    } else {
        text_add_bytes(text, name->sun_path, strnlen(name->sun_path, length));
    }
}

void address_print(const struct sockaddr_storage *socket, socklen_t size, struct text *text)
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)socket;
    const struct sockaddr_vm *vsock = (const struct sockaddr_vm *)socket;
    char digits[INET_ADDRSTRLEN];

    switch (socket->ss_family) {
    case AF_INET:
        text_add(text, inet_ntop(AF_INET, &ipv4->sin_addr, digits, sizeof digits));
        text_add_char(text, ':');
        text_add_number(text, ntohs(ipv4->sin_port));
        break;
    case AF_INET6:
        print_ipv6((const struct sockaddr_in6 *)socket, text);
        break;
    case AF_UNIX:
        print_unix((const struct sockaddr_un *)socket, size, text);
        break;
    case AF_VSOCK:
        text_add(text, "vsock:");
        text_add_number(text, vsock->svm_cid);
        text_add_char(text, ':');
        text_add_number(text, vsock->svm_port);
        break;
    default:
        text_add(text, "an address of an unknown family");
    }
}
