#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What sessions of `synfault exec` cost, one JSON line for each figure (ci/bench).

exec_sessions.py SYNFAULT: how long it takes to open a session, beside starting a process that does nothing;
the memory that a session takes, beside that of the whole program; how long it takes to replace faults while
a client connects a thousand times a second; what a session adds to a test under pytest, beside that test.
exec_sessions.py --inside DIRECTORY: what it runs under `synfault exec`.
"""

import json
import os
import pathlib
import signal
import socket
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
CHANGES = 200
SYN_INTERVAL = 0.001
TESTS = 100
SUITE = """
import socket
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_is_refused(number{argument}):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection({address}, 5)
"""


def report(name, ours, reference, unit, goal):
    print(json.dumps({"name": name, "ours": ours, "reference": reference, "ratio": ours / reference, "unit": unit,
                      "goal": goal}), flush=True)


def timed(function):
    started = time.monotonic()
    result = function()
    return (time.monotonic() - started) * 1e3, result


def connect_steadily(address, write_fd):
    """A client that notes what each of its attempts came to, until it is terminated."""
    seen, stopped = [], []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    started = time.monotonic()
    while not stopped:
        try:
            socket.create_connection(address, 5).close()
            seen.append("accept")
        except ConnectionRefusedError:
            seen.append("refuse")
        time.sleep(max(0.0, started + len(seen) * SYN_INTERVAL - time.monotonic()))
    with os.fdopen(write_fd, "w") as pipe:
        json.dump([seen, time.monotonic() - started], pipe)
    os._exit(0)


def replace_faults():
    """Returns how long each change took, and the client's rate; each attempt has to have had the fault in force."""
    session = synfault.open(api="refuse")
    read_fd, write_fd = os.pipe()
    client = os.fork()
    if client == 0:
        connect_steadily(session.api.address, write_fd)
    os.close(write_fd)
    session.wait("syn")
    changes, taken = [], []
    for i in range(CHANGES):
        fault = ("accept", "refuse")[i % 2]
        milliseconds, first = timed(lambda fault=fault: session.faults(fault))
        session.wait("syn", attempt=first)
        changes.append((first, fault))
        taken.append(milliseconds)
    os.kill(client, signal.SIGTERM)
    with os.fdopen(read_fd, encoding="utf-8") as pipe:
        seen, seconds = json.load(pipe)
    os.waitpid(client, 0)
    session.close()
    expected = "refuse"
    for number, outcome in enumerate(seen, 1):
        expected = next((fault for first, fault in reversed(changes) if first == number), expected)
        if outcome != expected:
            sys.exit(f"attempt {number} had the fault {outcome}, not {expected}")
    return taken, len(seen) / seconds


def inside(directory):
    """Opens sessions one after the other, then many at once, which stay until the outer process has looked."""
    opened, reference = [], []
    for _ in range(ROUNDS):
        milliseconds, session = timed(lambda: synfault.open(api="drop"))
        opened.append(milliseconds)
        session.close()
        reference.append(timed(lambda: subprocess.run(["true"], check=True))[0])
    replaced, rate = replace_faults()
    sessions = [synfault.open(api="drop") for _ in range(SESSIONS)]
    (directory / "times").write_text(json.dumps([opened, reference, replaced, rate]), encoding="utf-8")
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


def percentile(values, part):
    return sorted(values)[len(values) * part // 100]


def run_tests(program, directory, with_session):
    """Returns the milliseconds that pytest takes for its tests, under exec in any case."""
    python = next(python for python in (sys.executable, "/usr/bin/python3")
                  if subprocess.run([python, "-c", "import pytest"], capture_output=True, check=False).returncode == 0)
    suite = directory / f"test_{'with' if with_session else 'without'}.py"
    text = SUITE.format(tests=TESTS, argument=", faults" if with_session else "",
                        address="faults.api.address" if with_session else '("127.0.0.1", 9)')
    if with_session:
        text = text.replace("@pytest", "@pytest.mark.faults(api='refuse')\n@pytest", 1)
    suite.write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "bindings" / "python"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [program, "exec", "--", python, "-m", "pytest", "-q", "-p", "pytest_synfault", "-p", "no:cacheprovider", suite]
    return timed(lambda: subprocess.run(command, env=environment, stdout=sys.stderr, check=True))[0]


def measure_tests(program, directory):
    without = min(run_tests(program, directory, False) for _ in range(3))
    with_sessions = min(run_tests(program, directory, True) for _ in range(3))
    report("session-pytest", (with_sessions - without) / TESTS, without / TESTS, "ms", "ours <= 10")


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
            opened, reference, replaced, rate = json.loads((directory / "times").read_text(encoding="utf-8"))
            (directory / "looked").touch()
        if process.returncode != 0:
            sys.exit(f"exit status {process.returncode}")
        measure_tests(sys.argv[1], directory)
    started = statistics.median(reference)
    report("session-open", statistics.median(opened), started, "ms", "ours <= 3")
    report("session-open-p99", percentile(opened, 99), started, "ms", "ours <= 10")
    report("session-faults", statistics.median(replaced), started, "ms", "")
    report("session-faults-p99", percentile(replaced, 99), started, "ms", "")
    report("session-faults-rate", rate, 1 / SYN_INTERVAL, "SYNs/s", "")
    report("session-memory", total / SESSIONS, alone, "KB", "ours <= 100")


main()
