/* SPDX-License-Identifier: MIT */
#include "common/sockaddr.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#define GROUPS 8 /* of 16 bits in an IPv6 address */

/* The address's longest row of groups that are 0: at least two, the first of several. */
struct gap {
    size_t start, length;
};

static unsigned group_of(const struct in6_addr *address, size_t i)
{
    return (unsigned)address->s6_addr[2 * i] << 8 | address->s6_addr[2 * i + 1];
}

static struct gap find_gap(const struct in6_addr *address)
{
    struct gap longest = {0}, present = {0};

    for (size_t i = 0; i < GROUPS; i++) {
        if (group_of(address, i) != 0) {
            present.length = 0;
            continue;
        }
        if (present.length++ == 0)
            present.start = i;
        if (present.length > longest.length)
            longest = present;
    }
    return longest.length > 1 ? longest : (struct gap){.start = GROUPS};
}

static void print_four(struct text *text, const uint8_t bytes[4])
{
    for (size_t i = 0; i < 4; i++)
        text_add_number(text, i > 0 ? "." : "", bytes[i]);
}

/* As RFC 5952 recommends in 4 and 5. */
static void print_six(struct text *text, const struct in6_addr *address)
{
    struct gap gap = find_gap(address);

    if (IN6_IS_ADDR_V4MAPPED(address)) {
        text_add(text, "::ffff:");
        print_four(text, &address->s6_addr[12]);
        return;
    }
    for (size_t i = 0; i < GROUPS; i++) {
        if (i == gap.start) {
            text_add(text, "::");
            i += gap.length - 1;
            continue;
        }
        if (i > 0 && i != gap.start + gap.length)
            text_add(text, ":");
        text_add_hex(text, group_of(address, i), 1);
    }
}

void sockaddr_print_host(struct text *text, const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        print_four(text, (const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr);
    else
        print_six(text, &((const struct sockaddr_in6 *)address)->sin6_addr);
}

static void print_scope(struct text *text, unsigned scope, interface_name *name)
{
    char interface[IF_NAMESIZE];

    if (name && name(scope, interface)) {
        text_add(text, "%");
        text_add(text, interface);
    } else {
        text_add_number(text, "%", scope);
    }
}

static void print_unix(struct text *text, const struct sockaddr_un *local, socklen_t size)
{
    size_t length = size - offsetof(struct sockaddr_un, sun_path);

    text_add(text, "unix:");
    if (length > 0 && local->sun_path[0] == '\0') {
        text_add(text, "@");
        text_add_bytes(text, local->sun_path + 1, length - 1);
    } else {
        text_add_bytes(text, local->sun_path, strnlen(local->sun_path, length));
    }
}

void sockaddr_print(struct text *text, const struct sockaddr_storage *address, socklen_t size,
                    interface_name *name)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    const struct sockaddr_vm *vsock = (const struct sockaddr_vm *)address;

    switch (address->ss_family) {
    case AF_INET:
        sockaddr_print_host(text, address);
        text_add_number(text, ":", ntohs(four->sin_port));
        break;
    case AF_INET6:
        text_add(text, "[");
        sockaddr_print_host(text, address);
        if (six->sin6_scope_id != 0)
            print_scope(text, six->sin6_scope_id, name);
        text_add_number(text, "]:", ntohs(six->sin6_port));
        break;
    case AF_UNIX:
        print_unix(text, (const struct sockaddr_un *)address, size);
        break;
    case AF_VSOCK:
        text_add_number(text, "vsock:", vsock->svm_cid);
        text_add_number(text, ":", vsock->svm_port);
        break;
    default:
        text_add(text, "-");
    }
}

bool sockaddr_parse(struct sockaddr_storage *address, const char *host, size_t size, uint16_t port)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    char digits[INET6_ADDRSTRLEN] = "";

    if (size >= 2 && host[0] == '[' && host[size - 1] == ']')
        host++, size -= 2;
    if (size < sizeof digits)
        memcpy(digits, host, size);
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, digits, &four.sin_addr) == 1)
        memcpy(address, &four, sizeof four);
    else if (inet_pton(AF_INET6, digits, &six.sin6_addr) == 1)
        memcpy(address, &six, sizeof six);
    return address->ss_family != AF_UNSPEC;
}

void sockaddr_unmap(struct sockaddr_storage *address)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    struct sockaddr_in four = {.sin_family = AF_INET};

    if (address->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        return;
    four.sin_port = six->sin6_port;
    memcpy(&four.sin_addr, six->sin6_addr.s6_addr + 12, sizeof four.sin_addr);
    memcpy(address, &four, sizeof four);
}
