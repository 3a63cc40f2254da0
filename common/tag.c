/* SPDX-License-Identifier: MIT */
#include "common/tag.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>

void tag_print(struct text *text, const struct sockaddr_storage *peer, const char *name)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)peer;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)peer;
    const struct sockaddr_vm *vsock = (const struct sockaddr_vm *)peer;
    char host[INET6_ADDRSTRLEN];

    switch (peer->ss_family) {
    case AF_INET:
        text_addf(text, "('%s', %u): ", inet_ntop(AF_INET, &four->sin_addr, host, sizeof host),
                  ntohs(four->sin_port));
        break;
    case AF_INET6:
        text_addf(text,
                  "('%s', %u, %u, %u): ", inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host),
                  ntohs(six->sin6_port), ntohl(six->sin6_flowinfo), six->sin6_scope_id);
        break;
    case AF_VSOCK:
        text_addf(text, "(%u, %u): ", vsock->svm_cid, vsock->svm_port);
        break;
    default:
        text_addf(text, "'%s': ", name);
    }
}
