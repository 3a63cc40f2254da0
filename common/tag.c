/* SPDX-License-Identifier: MIT */
#include "common/tag.h"

#include "common/sockaddr.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>

void tag_print(struct text *text, const struct sockaddr_storage *peer, const char *name)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)peer;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)peer;
    const struct sockaddr_vm *vsock = (const struct sockaddr_vm *)peer;

    switch (peer->ss_family) {
    case AF_INET:
        text_add(text, "('");
        sockaddr_print_host(text, peer);
        text_add_number(text, "', ", ntohs(four->sin_port));
        text_add(text, "): ");
        break;
    case AF_INET6:
        text_add(text, "('");
        sockaddr_print_host(text, peer);
        text_add_number(text, "', ", ntohs(six->sin6_port));
        text_add_number(text, ", ", ntohl(six->sin6_flowinfo));
        text_add_number(text, ", ", six->sin6_scope_id);
        text_add(text, "): ");
        break;
    case AF_VSOCK:
        text_add_number(text, "(", vsock->svm_cid);
        text_add_number(text, ", ", vsock->svm_port);
        text_add(text, "): ");
        break;
    default:
        text_add(text, "'");
        text_add(text, name);
        text_add(text, "': ");
    }
}
