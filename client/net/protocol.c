/* SPDX-License-Identifier: MIT */
#include "client/net/protocol.h"

#include <string.h>

const char *protocol_server(const char *reply, size_t length)
{
    static const struct {
        const char *start, *server;
    } known[] = {
        {"HTTP/", "an HTTP server"},       {"SSH-", "an SSH server"},
        {"220 ", "an SMTP or FTP server"}, {"220-", "an SMTP or FTP server"},
        {"+OK ", "a POP3 server"},         {"* OK ", "an IMAP server"},
        {"-ERR ", "a Redis server"},       {"RFB ", "a VNC server"},
        {"\x15\x03", "a TLS server"},      {"\xff\xfd", "a telnet server"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t size = strlen(known[i].start);

        if (length >= size && memcmp(reply, known[i].start, size) == 0)
            return known[i].server;
    }
    return NULL;
}
