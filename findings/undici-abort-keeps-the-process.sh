#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# undici: an aborted fetch() rejects on time, and its connect attempt keeps the process for 8 s more.
#
# Seen with undici 6.21.0 on Node.js 20.20. All SYNs to port 8080 are dropped; AbortSignal.timeout(2000)
# ends the fetch(), nothing else is left to do:
#
#     rejected with TimeoutError after 2 s
#     process ended after 10 s
#
# The socket that is being connected is not destroyed with the request; undici's own connect timeout
# (10 s by default) ends it. Until then it goes on sending SYNs, and a short-lived program (a hook, a
# health check, a lambda) runs five times as long as its author limited it to.
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
	node program.js | tee said
	grep -qx 'rejected with TimeoutError after 2 s' said && grep -qxE 'process ended after (10|11) s' said
	exit
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
script=$(realpath "$0")
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts undici@6.21.0
cat >program.js <<'PROGRAM'
const { fetch } = require('undici');
const begun = Date.now();
const seconds = () => Math.round((Date.now() - begun) / 1000);
fetch('http://127.0.0.1:8080/', { signal: AbortSignal.timeout(2000) }).catch((error) =>
  console.log(`rejected with ${error.name} after ${seconds()} s`));
process.on('exit', () => console.log(`process ended after ${seconds()} s`));
PROGRAM
unshare --net -- "$script" inside
