#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# TCP_SYNCNT and tcp_syn_retries don't count retransmissions any more: 1 makes 2, 2 makes 5, 3 makes 7.
#
# Seen on Linux 6.18 (nftables 1.0.6 counts the SYNs, Python 3.11 connects) with the default
# net.ipv4.tcp_syn_linear_timeouts of 4, which came with Linux 6.5. tcp(7) calls TCP_SYNCNT "the number
# of SYN retransmits":
#
#     TCP_SYNCNT 1: 3 SYNs, ETIMEDOUT after 3.1 s
#     TCP_SYNCNT 2: 6 SYNs, ETIMEDOUT after 7.1 s
#     TCP_SYNCNT 3: 8 SYNs, ETIMEDOUT after 19.6 s
#     TCP_SYNCNT 1 without linear timeouts: 2 SYNs, ETIMEDOUT after 3.1 s
#
# The kernel turns the number into the time that this many exponential timeouts would take
# (net/ipv4/tcp_timer.c, retransmits_timed_out()) and compares the time that has passed with it; the
# linear timeouts of 1 s each fit more SYNs into it, and the last wait can go far beyond it. Who
# computes a connect timeout from the number, or asserts a count of SYNs, is wrong on one side of 6.5.
#
# Needs root, for a network namespace of its own. Exits 0 while it is so, 1 when it has changed, 77
# before Linux 6.5. Takes 35 s.
set -eu
if [ "${1:-}" != inside ]; then
	exec unshare --net -- "$0" inside
fi
[ -e /proc/sys/net/ipv4/tcp_syn_linear_timeouts ] || exit 77
ip link set lo up
nft -f - <<'RULES'
table inet finding {
	counter syns { }
	chain input {
		type filter hook input priority 0
		tcp dport 7 counter name syns drop
	}
}
RULES
python3 - <<'PROGRAM'
import errno
import re
import socket
import subprocess
import sys
import time


def attempt(count, linear):
    with open("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", "w") as file:
        file.write(str(linear))
    subprocess.run(["nft", "reset", "counters"], capture_output=True, check=True)
    client = socket.socket()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, count)
    begun = time.monotonic()
    error = client.connect_ex(("127.0.0.1", 7))
    took = time.monotonic() - begun
    listing = subprocess.run(["nft", "list", "counters"], capture_output=True, text=True, check=True).stdout
    syns = int(re.search(r"packets (\d+)", listing)[1])
    print("TCP_SYNCNT %d%s: %d SYNs, %s after %.1f s"
          % (count, "" if linear else " without linear timeouts", syns, errno.errorcode[error], took), flush=True)
    return syns


seen = [attempt(1, 4), attempt(2, 4), attempt(3, 4), attempt(1, 0)]
sys.exit(0 if seen == [3, 6, 8, 2] else 1)
PROGRAM
