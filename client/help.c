/* SPDX-License-Identifier: MIT */
#include "client/help.h"

#include "common/address.h"

#include <stddef.h>
#include <string.h>

/* clang-format off */
#define GENERAL \
    "Usage: tincan [OPTION]... [HOST[:PORT] | [IPV6]:PORT | unix:PATH[#PORT]\n" \
    "                           | unix:@NAME | vsock:CID:PORT]   (" ADDRESS_DEFAULT ")\n" \
    "Send messages to an echo server and check that they come back. At a terminal it\n" \
    "asks for messages; else each line of standard input is one.\n" \
    "\n" \
    "  -m, --message=TEXT    send TEXT\n" \
    "  -0, --null            messages and echoes are separated by null bytes\n" \
    "      --whole           all of standard input is one message\n" \
    "      --connect-first   connect before asking for a message\n" \
    "      --classic         in a conversation, only the lines of the book\n" \
    "  -4, --ipv4            use IPv4 only\n" \
    "  -6, --ipv6            use IPv6 only\n" \
    "  -I, --source=ADDRESS  connect from this address, or through this interface\n" \
    "  -W, --timeout=TIME    time for a whole exchange, e.g. 500ms (default 10s)\n" \
    "      --max-bytes=SIZE  longest message to send, e.g. 64k (default 1M)\n" \
    "  -q, --quiet           print only echoes, only errors, or only the summary\n" \
    "      --color=WHEN      failures in red: auto (at a terminal), always or never\n" \
    "  -h, --help[=TOPIC]    print this help, or help on probe, report or all\n" \
    "  -V, --version         print the version\n" \
    "\n" \
    "Like ping or fping: -c COUNT. A flood: -f. What is wrong: --diagnose.\n" \
    "At which size replies stop: --sweep. On these: --help=probe.\n" \
    "JSON, Prometheus, Nagios, a histogram: --help=report.\n" \
    "Exit status: 0 all echoed, or no input; 1 some not; 2 wrong use; 3 one altered.\n"

#define ON_PROBES \
    "Usage: tincan -c COUNT [OPTION]... [ADDRESS]...\n" \
    "Probe servers: each probe is a connection and a message, checked and timed.\n" \
    "Each of these options but -W and -m, and of --help=report but -q, turns it on.\n" \
    "\n" \
    "  -c, --count=COUNT     how many probes (default: until Ctrl-C)\n" \
    "  -i, --interval=TIME   from one probe to the next, at least 1ms (default 1s)\n" \
    "      --rate=N          N probes a second instead, up to 1000000\n" \
    "  -w, --deadline=TIME   time for the whole run\n" \
    "  -W, --timeout=TIME    time for each probe (default 10s, in a sweep 2s)\n" \
    "  -f, --flood           start the next probe as soon as one ends\n" \
    "      --targets=FILE    also probe the addresses in FILE, one a line (-: input)\n" \
    "      --all-addresses   probe each address of a name by itself\n" \
    "      --parallel=N      at most N probes at once (flood: 32)\n" \
    "  -s, --size=SIZE       bytes of a message (default 56, or the size of the file)\n" \
    "  -P, --pattern=NAME    text, ascii, utf8, crlf, iac, random:SEED or file:PATH\n" \
    "  -m, --message=TEXT    send TEXT instead\n" \
    "      --sweep=FROM-TO   find the size of message at which replies stop\n" \
    "      --diagnose        try each pattern, then sizes, and say what is wrong\n" \
    "\n" \
    "Ctrl-C ends the run with a summary; Ctrl-\\ prints one and goes on.\n"

#define ON_REPORTS \
    "Usage: tincan -c COUNT [OPTION]... [ADDRESS]...\n" \
    "How probes are reported, instead of a line for each and a summary:\n" \
    "\n" \
    "  -q, --quiet           only the summary\n" \
    "  -D, --timestamps      begin each line with the seconds since 1970\n" \
    "      --report-every=TIME  also sum up each such stretch of time, e.g. 10s\n" \
    "      --json            one JSON object a line, and a summary\n" \
    "      --histogram       also draw how times are distributed\n" \
    "      --prometheus=FILE also write a file for the textfile collector\n" \
    "      --check           one line as a monitoring plugin, status 0, 1, 2 or 3;\n" \
    "                        defaults -c 5 -i 200ms -w 10s\n" \
    "      --warning=RANGE, --critical=RANGE\n" \
    "                        for --check: limits of the average time, e.g. 100ms, or\n" \
    "                        ranges as plugins have them: 10:100, @10:100, ~:100\n" \
    "      --warning-loss=RANGE, --critical-loss=RANGE\n" \
    "                        for --check: of the loss, in percent (default: 0 warns)\n"
/* clang-format on */

const char *help_text(const char *topic)
{
    if (!topic)
        return GENERAL;
    if (strcmp(topic, "probe") == 0)
        return ON_PROBES;
    if (strcmp(topic, "report") == 0)
        return ON_REPORTS;
    return strcmp(topic, "all") == 0 ? GENERAL "\n" ON_PROBES "\n" ON_REPORTS : NULL;
}
