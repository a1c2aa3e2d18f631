#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An ICMP error that arrives while connect() still runs is put off until the next SYN, 1 s later.
#
# Seen on Linux 6.18 with nftables 1.0.6 and Python 3.11. A firewall on the loopback interface rejects
# port 7 with "administratively prohibited". A non-blocking connect() has EHOSTUNREACH at once; a
# blocking one has it only after the first retransmission:
#
#     blocking EHOSTUNREACH after 1.02 s
#     non-blocking EHOSTUNREACH after 0.00 s
#
# The error comes within the system call, which holds the socket; tcp_v4_err() then only notes it as
# a soft error (net/ipv4/tcp_ipv4.c, sock_owned_by_user()). Across a real network the answer comes
# later, when connect() sleeps, and both have it at once. A test of "unreachable" on loopback that
# does not know this measures a retry delay that no client has.
#
# Needs root, for a network namespace of its own. Exits 0 while it is so, 1 when it has changed.
set -eu
if [ "${1:-}" != inside ]; then
	exec unshare --net -- "$0" inside
fi
ip link set lo up
nft -f - <<'RULES'
table inet finding {
	chain input {
		type filter hook input priority 0
		tcp dport 7 reject with icmp type admin-prohibited
	}
}
RULES
python3 - <<'PROGRAM'
import errno
import select
import socket
import sys
import time


def attempt(blocking):
    client = socket.socket()
    client.setblocking(blocking)
    begun = time.monotonic()
    error = client.connect_ex(("127.0.0.1", 7))
    if error == errno.EINPROGRESS:
        select.select([], [client], [], 5)
        error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return errno.errorcode.get(error, error), time.monotonic() - begun


slow, quick = attempt(True), attempt(False)
print("blocking %s after %.2f s" % slow)
print("non-blocking %s after %.2f s" % quick)
as_seen = (slow[0] == quick[0] == "EHOSTUNREACH" and 0.9 < slow[1] < 1.5 and quick[1] < 0.5)
sys.exit(0 if as_seen else 1)
PROGRAM
