/* SPDX-License-Identifier: MIT */
#include "client/net/bind_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool parse_ipv4(const char *string, struct bind_address *bind_address)
{
    struct sockaddr_in *name = (struct sockaddr_in *)&bind_address->address;

    if (inet_pton(AF_INET, string, &name->sin_addr) != 1)
        return false;
    name->sin_family = AF_INET;
    bind_address->address_size = sizeof *name;
    return true;
}

static bool parse_ipv6(const char *string, struct bind_address *bind_address)
{
    struct sockaddr_in6 *name = (struct sockaddr_in6 *)&bind_address->address;
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
    bind_address->address_size = sizeof *name;
    return true;
}

static bool parse_interface(const char *string, struct bind_address *bind_address)
{
    size_t length = strlen(string);

    if (length == 0 || length >= sizeof bind_address->interface || if_nametoindex(string) == 0)
        return false;
    memcpy(bind_address->interface, string, length + 1);
    return true;
}

int bind_address_parse(const char *string, struct bind_address *bind_address, struct text *reason)
{
    memset(bind_address, 0, sizeof *bind_address);
    if (parse_ipv4(string, bind_address) || parse_ipv6(string, bind_address) ||
        parse_interface(string, bind_address))
        return 0;
    text_addf(reason, "'%s' is neither an IP address nor an interface of this machine", string);
    return -1;
}

bool bind_address_given(const struct bind_address *bind_address)
{
    return bind_address->address.ss_family != AF_UNSPEC || bind_address->interface[0] != '\0';
}

int bind_address_apply(const struct bind_address *bind_address, int fd)
{
    static const int yes = 1;

    if (bind_address->interface[0] != '\0' &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bind_address->interface,
                   (socklen_t)strlen(bind_address->interface) + 1) < 0)
        return -1;
    if (bind_address->address.ss_family == AF_UNSPEC)
        return 0;
    /* Lets connect(2) pick the port, when it knows for which peer the port must be unique. */
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    return bind(fd, (const struct sockaddr *)&bind_address->address, bind_address->address_size);
}
