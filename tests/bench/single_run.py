#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What one scenario from the command line costs, as a JSON line (ci/bench): single_run.py SYNFAULT TINY.

Ours is `synfault run` with two refused attempts and a successful one; the reference refuses the same attempts by
a rule that nft adds and removes. Both are without the time that the client needs on its own. Alternates
between the three, and takes the medians. Runs in a network namespace of its own, as root.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

INSIDE = "SYNFAULT_BENCH_INSIDE"
ROUNDS = 31
PORT = 8080
SCENARIO = """
name: one
endpoints: {{api: {{faults: [refuse x2, accept]}}}}
client: {{command: [{tiny}, --tries, "3", --sleep, "0", "${{api}}"]}}
expect: {{exit: 0, attempts: 3}}
"""
RULES = """
table inet bench {
    chain out { type filter hook output priority 0; tcp dport %d tcp flags syn / syn,ack reject with tcp reset; }
}
""" % PORT
SCRIPT = """
nft -f rules
"$1" --tries 2 --sleep 0 "$2"
nft delete table inet bench
"$1" --tries 1 "$2"
"""


def run(command, statuses=(0,)):
    """Returns the milliseconds that a command takes."""
    began = time.monotonic()
    status = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    elapsed = (time.monotonic() - began) * 1000
    if status not in statuses:
        sys.exit(f"{command}: status {status}")
    return elapsed


def main():
    synfault, tiny = (os.path.abspath(path) for path in sys.argv[1:])
    if INSIDE not in os.environ:
        os.execvpe("unshare", ["unshare", "--net", sys.executable, __file__, synfault, tiny],
                   {**os.environ, INSIDE: "1"})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server = f"127.0.0.1:{PORT}"
    with tempfile.TemporaryDirectory() as directory, socket.create_server(("127.0.0.1", PORT), backlog=1024):
        os.chdir(directory)
        Path("one.yaml").write_text(SCENARIO.format(tiny=tiny), encoding="ascii")
        Path("rules").write_text(RULES, encoding="ascii")
        os.environ["XDG_STATE_HOME"] = directory
        ours, reference, bare = [], [], []
        for _ in range(ROUNDS):
            ours.append(run([synfault, "run", "one.yaml"]))
            reference.append(run(["sh", "-c", SCRIPT, "sh", tiny, server]))
            bare.append(run([tiny, "--tries", "1", server]))
    client = statistics.median(bare)
    ours_ms, reference_ms = statistics.median(ours) - client, statistics.median(reference) - client
    print(json.dumps({"name": "single-run", "ours": ours_ms, "reference": reference_ms,
                      "ratio": ours_ms / reference_ms, "unit": "ms", "goal": "<= 0.6"}))


main()
