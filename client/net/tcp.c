/* SPDX-License-Identifier: MIT */
#include "client/net/tcp.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

void tcp_read(struct tcp *tcp, int fd, bool connected, size_t sent)
{
    struct tcp_info info = {.tcpi_min_rtt = UINT32_MAX}; /* an old kernel fills in less */
    socklen_t size = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
        return;
    if (connected)
        tcp->counts[COUNT_SEGMENTS_RESENT] =
            info.tcpi_total_retrans - tcp->counts[COUNT_SYNS_RESENT];
    else
        tcp->counts[COUNT_SYNS_RESENT] = info.tcpi_total_retrans;
    tcp->segment = info.tcpi_snd_mss;
    tcp->timestamps = (info.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0;
    tcp->counts[COUNT_OUT_OF_ORDER] = info.tcpi_rcv_ooopack;
    if (info.tcpi_min_rtt != UINT32_MAX)
        tcp->round_trip = (int64_t)info.tcpi_min_rtt * 1000;
    if (info.tcpi_bytes_acked > 0) /* which counts the SYN */
        tcp->unacknowledged = (int64_t)(sent + 1 - info.tcpi_bytes_acked);
}
