#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# undici 6: a reset in the first milliseconds of the first connection leaves the request pending for ever. A program
# that awaits nothing else ends with status 0, without an answer and without an error.
#
# Seen with undici 6.29.1 on Node.js 20.20, and with @elastic/elasticsearch 8.17.0, which uses it. The server
# resets each connection 1 ms after it has accepted it. Of 12 runs of a program that prints what became of its request:
#
#     8 times: ECONNRESET
#     4 times: nothing, and status 0
#
# connectH1() (lib/dispatcher/client-h1.js) waits until its HTTP parser is compiled, once in a process, and only
# then listens for "error" and "close" of the socket. Both have been emitted by then. The connector's own "error"
# listener does nothing once it has reported the connection. So the client neither fails the request nor connects
# again, and no retry and no timeout of undici ends it, since all of them begin later. fetch() of Node.js 20.20
# (undici 6.24.1) does so, too, more rarely: once in 24 runs.
# undici 7.16.0 compiles it without waiting, and looks at socket.errored and socket.destroyed.
#
# Needs root, for a network namespace of its own, and npm. Exits 0 while it is so, 1 when it has changed.
set -eu
if [ "${1:-}" = inside ]; then
	ip link set lo up
	python3 server.py >port &
	trap 'kill $!' EXIT
	until [ -s port ]; do sleep 0.1; done
	for run in $(seq 100); do
		said=$(timeout 60 node program.js "http://127.0.0.1:$(cat port)/") || exit 1
		if [ -z "$said" ]; then
			echo "run $run: neither an answer nor an error, status 0"
			exit 0
		fi
		echo "run $run: $said"
	done
	exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
script=$(realpath "$0")
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts undici@6.29.1
cat >server.py <<'PROGRAM'
import socket
import struct
import time

server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    connection, _ = server.accept()
    time.sleep(0.001)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
PROGRAM
cat >program.js <<'PROGRAM'
const { request } = require('undici');
request(process.argv[2]).then(() => console.log('answered'), (error) => console.log(error.code));
PROGRAM
unshare --net -- "$script" inside
