/* SPDX-License-Identifier: MIT */
#include "client/net/bind_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool parse_ipv4(const char *string, struct bind_address *source)
{
    struct sockaddr_in *name = (struct sockaddr_in *)&source->address;

    if (inet_pton(AF_INET, string, &name->sin_addr) != 1)
        return false;
    name->sin_family = AF_INET;
    source->address_size = sizeof *name;
    return true;
}

static bool parse_ipv6(const char *string, struct bind_address *source)
{
    struct sockaddr_in6 *name = (struct sockaddr_in6 *)&source->address;
    char digits[INET6_ADDRSTRLEN];
    const char *percent = strchr(string, '%');
    size_t size = percent ? (size_t)(percent - string) : strlen(string);

    if (size >= sizeof digits)
        return false;
    memcpy(digits, string, size);
    digits[size] = '\0';
    if (inet_pton(AF_INET6, digits, &name->sin6_addr) != 1)
        return false;
    if (percent && (name->sin6_scope_id = if_nametoindex(percent + 1)) == 0)
        return false;
    name->sin6_family = AF_INET6;
    source->address_size = sizeof *name;
    return true;
}

static bool parse_interface(const char *string, struct bind_address *source)
{
    size_t length = strlen(string);

    if (length == 0 || length >= sizeof source->interface || if_nametoindex(string) == 0)
        return false;
    memcpy(source->interface, string, length + 1);
    return true;
}

int bind_address_parse(const char *string, struct bind_address *source, struct text *reason)
{
    memset(source, 0, sizeof *source);
    if (parse_ipv4(string, source) || parse_ipv6(string, source) || parse_interface(string, source))
        return 0;
    text_add(reason, "'");
    text_add(reason, string);
    text_add(reason, "' is neither an IP address nor an interface of this machine");
    return -1;
}

bool bind_address_given(const struct bind_address *source)
{
    return source->address.ss_family != AF_UNSPEC || source->interface[0] != '\0';
}

int bind_address_apply(const struct bind_address *source, int fd)
{
    static const int yes = 1;

    if (source->interface[0] != '\0' &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, source->interface,
                   (socklen_t)strlen(source->interface) + 1) < 0)
        return -1;
    if (source->address.ss_family == AF_UNSPEC)
        return 0;
    /* The port is picked at connect, when it is known for which peer it need be unique. */
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    return bind(fd, (const struct sockaddr *)&source->address, source->address_size);
}
