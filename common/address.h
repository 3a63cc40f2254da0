/* SPDX-License-Identifier: MIT */
/*
 * Where a server is, as a user writes it: HOST, HOST:PORT, an IPv6 address (in brackets when a port
 * follows), unix:PATH, unix:@NAME or vsock:CID:PORT; or unix:PATH#PORT for a
 * port of a guest behind the hybrid vsock socket of its hypervisor (only a client can go there).
 * tcp:// may stand in front of a host.
 */
#ifndef TINCAN_COMMON_ADDRESS_H
#define TINCAN_COMMON_ADDRESS_H

#include "common/sockaddr.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_DEFAULT "127.0.0.1:4040"

struct address {
    const char *text; /* as the user wrote it */
    /* A name or an IP address; empty when `socket` has the address already. */
    char host[256]; /* a name of the DNS has at most 253 characters */
    char port[6];
    struct sockaddr_storage socket; /* AF_UNIX or AF_VSOCK */
    socklen_t socket_size;
    bool hybrid; /* after connecting, ask the hypervisor for `hybrid_port` */
    uint32_t hybrid_port;
};

/*
 * Reads `text`, which must outlive `address`. Returns 0; or -1 with the reason, which names the
 * part that is wrong, added to `reason`.
 */
int address_parse(const char *text, struct address *address, struct text *reason);

/* Returns AF_INET or AF_INET6 if the host is an IP address in digits, else AF_UNSPEC. */
int address_family(const struct address *address);

/*
 * If the host was written without brackets and the end of it may have been meant as a port, as in
 * ::1:4040, adds how to write that: "; for port 4040 of ::1 write [::1]:4040". Else adds nothing.
 */
void address_propose_brackets(const struct address *address, struct text *reason);

#endif
