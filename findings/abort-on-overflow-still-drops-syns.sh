#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# net.ipv4.tcp_abort_on_overflow=1 resets no client while the accept queue stays full: SYNs are dropped as before.
#
# Seen on Linux 6.18 with Python 3.11. A server with a backlog of 1 accepts nothing; the third connect() gets no
# answer within 1.5 s, and is in SYN-SENT with one retransmission, with the setting as without:
#
#     abort_on_overflow=0: connected, connected, silent
#     abort_on_overflow=1: connected, connected, silent
#
# The queue is looked at twice. When the SYN comes, a full queue drops it (net/ipv4/tcp_input.c,
# tcp_conn_request()), with either setting. Only a handshake whose queue fills up between SYN and ACK gets the
# RST (net/ipv4/tcp_minisocks.c, tcp_check_req()). So the setting, often recommended to make clients of an overloaded
# server fail at once, does so in a race alone: they hang until their connect timeout.
#
# Needs root, for a network namespace of its own. Exits 0 while it is so, 1 when it has changed.
set -eu
if [ "${1:-}" != inside ]; then
	exec unshare --net -- "$0" inside
fi
ip link set lo up
seen=$(
	for abort in 0 1; do
		echo "$abort" >/proc/sys/net/ipv4/tcp_abort_on_overflow
		python3 - "$abort" <<'PROGRAM'
import socket
import sys

server = socket.create_server(("127.0.0.1", 0), backlog=1)
said, clients = [], []
for _ in range(3):
    client = socket.socket()
    client.settimeout(1.5)
    try:
        client.connect(server.getsockname())
        said.append("connected")
    except ConnectionError as error:
        said.append(type(error).__name__)
    except TimeoutError:
        said.append("silent")
    clients.append(client)
print(f"abort_on_overflow={sys.argv[1]}: {', '.join(said)}")
PROGRAM
	done
)
printf '%s\n' "$seen"
[ "$seen" = "abort_on_overflow=0: connected, connected, silent
abort_on_overflow=1: connected, connected, silent" ]
