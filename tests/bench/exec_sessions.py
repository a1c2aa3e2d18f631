#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What sessions of `synfault exec` cost, one JSON line for each figure (ci/bench).

exec_sessions.py SYNFAULT: how long it takes to open a session, beside starting a process that does nothing;
the memory that a session takes, beside that of the whole program.
exec_sessions.py --inside DIRECTORY: what it runs under `synfault exec`.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python"))
import synfault

SESSIONS = 200
ROUNDS = 200


def report(name, ours, reference, unit, goal):
    print(json.dumps({"name": name, "ours": ours, "reference": reference, "ratio": ours / reference, "unit": unit,
                      "goal": goal}), flush=True)


def timed(function):
    started = time.monotonic()
    result = function()
    return (time.monotonic() - started) * 1e3, result


def inside(directory):
    """Opens sessions one after the other, then many at once, which stay until the outer process has looked."""
    opened, reference = [], []
    for _ in range(ROUNDS):
        milliseconds, session = timed(lambda: synfault.open(api="drop"))
        opened.append(milliseconds)
        session.close()
        reference.append(timed(lambda: subprocess.run(["true"], check=True))[0])
    sessions = [synfault.open(api="drop") for _ in range(SESSIONS)]
    (directory / "times").write_text(json.dumps([opened, reference]), encoding="utf-8")
    (directory / "ready").touch()
    while not (directory / "looked").exists():
        time.sleep(0.05)
    for session in sessions:
        session.close()


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def memory(pid):
    """Proportional set size in KB: what is shared counts in parts."""
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


def processes(pid):
    """All processes of a session: its own, and its server's."""
    return [pid] + [descendant for child in children(pid) for descendant in processes(child)]


def main():
    if sys.argv[1] == "--inside":
        inside(pathlib.Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        command = [sys.argv[1], "exec", "--", sys.executable, __file__, "--inside", name]
        # Sessions that nothing connects to prove nothing, but the command closes each of them.
        with subprocess.Popen(command) as process:
            while not (directory / "ready").exists() and process.poll() is None:
                time.sleep(0.05)
            inner, = children(process.pid)
            total = sum(memory(pid) for child in children(inner) for pid in processes(child)
                        if "--inside" not in pathlib.Path(f"/proc/{child}/cmdline").read_text().split("\0")[1:3])
            alone = memory(process.pid)
            opened, reference = json.loads((directory / "times").read_text(encoding="utf-8"))
            (directory / "looked").touch()
        if process.returncode != 0:
            sys.exit(f"exit status {process.returncode}")
    opened.sort()
    report("session-open", statistics.median(opened), statistics.median(reference), "ms", "")
    report("session-open-p99", opened[len(opened) * 99 // 100], statistics.median(reference), "ms", "")
    report("session-memory", total / SESSIONS, alone, "KB", "")


main()
