#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel's notice of a dead socket lacks the peer's port when a blocking connect() was refused.
#
# Seen on Linux 6.18 with ss of iproute2 6.1 and Python 3.11: `ss -E` shows both sockets' deaths, from
# port 40001 after a blocking connect() and from 40002 after a non-blocking one, both refused by port 7:
#
#     127.0.0.1:40001 127.0.0.1:*
#     127.0.0.1:40002 127.0.0.1:7
#
# A failed blocking connect() disconnects the socket before it returns (net/ipv4/af_inet.c,
# __inet_stream_connect(), sk->sk_prot->disconnect()), which clears the peer's port and struct
# tcp_info; a socket that was not bound by its owner loses its own address, too. Who matches such notices by
# addresses misses the commonest clients; the socket's cookie stays.
#
# Needs root, for a network namespace of its own. Exits 0 while it is so, 1 when it has changed.
set -eu
if [ "${1:-}" != inside ]; then
	exec unshare --net -- "$0" inside
fi
ip link set lo up
deaths=$(mktemp)
trap 'rm -f "$deaths"' EXIT
stdbuf -oL ss -E -tn >"$deaths" &
watcher=$!
sleep 1
python3 - <<'PROGRAM'
import select
import socket

for port, blocking in ((40001, True), (40002, False)):
    client = socket.socket()
    client.bind(("127.0.0.1", port))
    client.setblocking(blocking)
    client.connect_ex(("127.0.0.1", 7))
    if not blocking:
        select.select([], [client], [], 1)
    client.close()
PROGRAM
sleep 1
kill "$watcher"
seen=$(awk '$4 ~ /:4000[12]$/ { print $4, $5 }' "$deaths")
printf '%s\n' "$seen"
[ "$seen" = "127.0.0.1:40001 127.0.0.1:*
127.0.0.1:40002 127.0.0.1:7" ]
