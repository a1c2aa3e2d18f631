#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# reconnecting-websocket with ws: an attempt that gets no answer ends the process; a refused one is retried.
#
# Seen with reconnecting-websocket 4.4.0 and ws 8.23.0 on Node.js 20.20. All SYNs to port 8080 are dropped, port 8081
# refuses; each program has a listener for "error" and is watched for 12 s:
#
#     refused: still running
#     dropped: Error: WebSocket was closed before the connection was established
#
# After its connection timeout (4 s) the library removes its listeners from the socket, and closes it. ws then emits
# an "error" on a socket that is still connecting, and nothing listens any more: an uncaught exception. So a
# firewall that drops stops a client that is there to reconnect, and only outside a browser.
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
	cat >program.js <<'PROGRAM'
const Socket = require('reconnecting-websocket');
const socket = new Socket(process.argv[2], [], { WebSocket: require('ws') });
socket.addEventListener('error', () => {});
PROGRAM
	status=0
	timeout 12 node program.js ws://127.0.0.1:8081/ >said 2>&1 || status=$?
	[ "$status" -eq 124 ] && echo "refused: still running"
	timeout 12 node program.js ws://127.0.0.1:8080/ >said 2>&1 || status=$?
	echo "dropped: $(grep '^Error' said)"
	[ "$status" -eq 1 ] && grep -qx 'Error: WebSocket was closed before the connection was established' said
	exit
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
script=$(realpath "$0")
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts reconnecting-websocket@4.4.0 ws@8.23.0
unshare --net -- "$script" inside
