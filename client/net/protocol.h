/* SPDX-License-Identifier: MIT */
/* Servers of other protocols, known by how their answers begin. */
#ifndef TINCAN_CLIENT_NET_PROTOCOL_H
#define TINCAN_CLIENT_NET_PROTOCOL_H

#include <stddef.h>

/* Returns what kind of server begins so, "an HTTP server", a constant; or NULL. */
const char *protocol_server(const char *reply, size_t length);

#endif
