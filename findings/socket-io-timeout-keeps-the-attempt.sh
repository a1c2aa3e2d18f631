#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# socket.io-client: a connect that timed out is never given up; each reconnection adds another one.
#
# Seen with socket.io-client 4.8.4 (engine.io-client 6.6) on Node.js 20.20. All SYNs to port 8080 are dropped;
# "timeout" is 3 s. After 20 s there are four sockets in SYN-SENT or more, where one was to be expected:
#
#     10 s: 2 or more sockets in SYN-SENT
#     20 s: 4 or more sockets in SYN-SENT
#
# The manager's timeout closes the transport, but long polling defers its close until the handshake is done
# (engine.io-client, transports/polling, doClose()), which never comes. So the request, and its SYNs, go on until the
# kernel gives up after 131 s: with the default timeout of 20 s, six attempts at a time.
#
# Needs root, for a network namespace of its own, and npm. Exits 0 while it is so, 1 when it has changed.
set -eu
if [ "${1:-}" = inside ]; then
	ip link set lo up
	nft -f - <<'RULES'
table inet finding {
	chain input {
		type filter hook input priority 0
		tcp dport 8080 drop
	}
}
RULES
	node -e 'require("socket.io-client").io("http://127.0.0.1:8080/", { timeout: 3000, reconnectionDelay: 500 })' &
	client=$!
	trap 'kill $client' EXIT
	sleep 10
	early=$(ss -Htn state syn-sent | wc -l)
	sleep 10
	late=$(ss -Htn state syn-sent | wc -l)
	echo "10 s: $early sockets in SYN-SENT"
	echo "20 s: $late sockets in SYN-SENT"
	[ "$early" -ge 2 ] && [ "$late" -ge 4 ] && [ "$late" -gt "$early" ]
	exit
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
script=$(realpath "$0")
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts socket.io-client@4.8.4
unshare --net -- "$script" inside
