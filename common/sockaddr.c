/* SPDX-License-Identifier: MIT */
#include "common/sockaddr.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static void print_ipv6(struct text *text, const struct sockaddr_in6 *six, interface_name *name)
{
    char digits[INET6_ADDRSTRLEN], interface[IF_NAMESIZE];

    text_addf(text, "[%s", inet_ntop(AF_INET6, &six->sin6_addr, digits, sizeof digits));
    if (six->sin6_scope_id != 0 && name && name(six->sin6_scope_id, interface))
        text_addf(text, "%%%s", interface);
    else if (six->sin6_scope_id != 0)
        text_addf(text, "%%%u", (unsigned)six->sin6_scope_id);
    text_addf(text, "]:%u", ntohs(six->sin6_port));
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
    const struct sockaddr_vm *vsock = (const struct sockaddr_vm *)address;
    char digits[INET_ADDRSTRLEN];

    switch (address->ss_family) {
    case AF_INET:
        text_addf(text, "%s:%u", inet_ntop(AF_INET, &four->sin_addr, digits, sizeof digits),
                  ntohs(four->sin_port));
        break;
    case AF_INET6:
        print_ipv6(text, (const struct sockaddr_in6 *)address, name);
        break;
    case AF_UNIX:
        print_unix(text, (const struct sockaddr_un *)address, size);
        break;
    case AF_VSOCK:
        text_addf(text, "vsock:%u:%u", vsock->svm_cid, vsock->svm_port);
        break;
    default:
        text_add(text, "-");
    }
}

bool sockaddr_parse(struct sockaddr_storage *address, const char *host, size_t size, uint16_t port)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    char digits[INET6_ADDRSTRLEN];

    if (size >= 2 && host[0] == '[' && host[size - 1] == ']')
        host++, size -= 2;
    (void)snprintf(digits, sizeof digits, "%.*s", (int)size, size < sizeof digits ? host : "");
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
