/* SPDX-License-Identifier: MIT */
#include "client/net/bind_address.h"

#include "common/sockaddr.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/* Reads an address in digits; one of IPv6 may have %INTERFACE behind it. */
static bool parse_address(const char *string, struct bind_address *bind_address)
{
    struct sockaddr_storage address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
    size_t length = strcspn(string, "%");

    if (!sockaddr_parse(&address, string, length, 0))
        return false;
    if (string[length] == '%' && (address.ss_family != AF_INET6 ||
                                  !(six->sin6_scope_id = if_nametoindex(string + length + 1))))
        return false;
    bind_address->address = address;
    bind_address->address_size =
        address.ss_family == AF_INET6 ? sizeof *six : sizeof(struct sockaddr_in);
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
    if (parse_address(string, bind_address) || parse_interface(string, bind_address))
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

bool bind_address_is_here(const struct bind_address *bind_address)
{
    int family = bind_address->address.ss_family;
    int fd = family == AF_UNSPEC ? -1 : socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool here = fd < 0 || bind_address_apply(bind_address, fd) == 0 || errno != EADDRNOTAVAIL;

    if (fd >= 0)
        close(fd);
    return here;
}
