#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What virtual time costs and gains, one JSON line for each figure (ci/bench).

virtual_time.py FIGURE SYNFAULT TARGETS
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "load"))
import virtual

# A client of tests/load/clients that is refused five times waits for 310 s: 10 s, and twice as long each time.
NOMINAL_S = 310
REFUSED = "endpoints: {api: {faults: [refuse x5, accept]}}\n"
EXPECTED = "expect: {exit: 0, attempts: 6, backoff: {exponential: {base: 10s}}}\n"
WAITS = ("${api}", "8", "10", "2")
CLIENTS = {
    "c": (["${dir}/retry", *WAITS], 1),
    "python": (["python3", "${dir}/retry.py", *WAITS], 1),
    "node": (["node", "${dir}/retry.js", *WAITS], 1),
    "go": (["${dir}/retry-go", *WAITS], 1),
    "java": (["java", "-cp", "${dir}", "Retry", *WAITS], 2),
}
TICKS = """
let left = 3000; const timer = setInterval(() => { if (--left === 0) clearInterval(timer); }, 100);
"""
ROUNDS = 5


def report(name, ours, reference, ratio, unit, goal):
    print(json.dumps({"name": name, "ours": ours, "reference": reference, "ratio": ratio, "unit": unit,
                      "goal": goal}), flush=True)


class Bench:
    def __init__(self, synfault, targets, directory):
        self.synfault, self.directory = os.path.abspath(synfault), Path(directory)
        self.environment = {**os.environ, "PATH": f"{os.path.abspath(targets)}:{os.environ['PATH']}"}

    def run(self, scenario, *arguments, mode="virtual"):
        """Returns how long a run took that has to pass."""
        path = self.directory / "bench.yaml"
        path.write_text(scenario, encoding="utf-8")
        started = time.monotonic()
        process = subprocess.run([self.synfault, "run", "--time", mode, *arguments, path],
                                 cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if process.returncode != 0:
            sys.exit(process.stdout.decode(errors="replace"))
        return time.monotonic() - started

    def median(self, scenario, **options):
        return statistics.median(self.run(scenario, **options) for _ in range(ROUNDS))

    def compare(self, scenario):
        """Returns medians in virtual and in real time, measured in turn."""
        times = [(self.run(scenario), self.run(scenario, mode="real")) for _ in range(ROUNDS)]
        return [statistics.median(column) for column in zip(*times)]


def scenario(name, command, faults=REFUSED, expected=EXPECTED, more=""):
    return (f"name: {name}\ntimeout: 30m\n{more}{faults}client: {{command: {json.dumps(command)}}}\n"
            f"{expected}")


def virtual_speed(bench):
    """All scenarios of tests/load/virtual.yaml, one after the other: their own time over the wall's."""
    path = bench.directory / "run.json"
    process = subprocess.run([bench.synfault, "run", "--time", "virtual", "-j", "1", "--json", path,
                              bench.directory / "virtual.yaml"], env=bench.environment,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    # A busy machine may make some inconclusive; they took their time, too.
    if process.returncode not in (0, 3):
        sys.exit(process.stdout.decode(errors="replace"))
    results = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    exits = [event["at_ns"] / 1e9 for result in results["scenarios"]
             for event in (result.get("record") or {}).get("events", []) if event["kind"] == "exit"]
    wall_s = results["duration_ns"] / 1e9
    report("virtual-speed", wall_s, sum(exits), sum(exits) / wall_s,
           f"s for {len(exits)} scenarios; reference: by the clients' clocks", ">= 300")


def virtual_client(bench):
    """One scenario of 310 s, by kind of client."""
    for name, (command, goal_s) in CLIENTS.items():
        program = command[0].replace("${dir}", str(bench.directory))
        if shutil.which(program) and (name != "java" or shutil.which("javac")):
            ours = bench.median(scenario(name, command))
            report(f"virtual-client-{name}", ours, NOMINAL_S, NOMINAL_S / ours, "s for 310 s",
                   f"ours <= {goal_s}")
    commands = {
        "curl": (["curl", "-sS", "--retry", "8", "--retry-connrefused", "--retry-delay", "60",
                  "http://${api}/"], "60s"),
        "wget": (["wget", "-q", "-O", "/dev/null", "--tries=9", "--retry-connrefused",
                  "--waitretry=60", "http://${api}/"], None),
        "ssh": (["ssh", "-F", "none", "-o", "ConnectionAttempts=300", "-o", "BatchMode=yes", "-p",
                 "${api.port}", "${api.host}"], "1s"),
        "psql": (["sh", "-c", "for i in 1 2 3 4 5 6; do psql \"host=${api.host} port=${api.port} "
                  "connect_timeout=50\" -c 'select 1'; done; exit 0"], None),
    }
    faults = {"ssh": "refuse", "psql": "drop"}
    for name, (command, backoff) in commands.items():
        if not shutil.which(name):
            continue
        expected = f"backoff: {{fixed: {backoff}}}" if backoff else "attempts: 1.."
        ours = bench.median(scenario(
            name, command, f"endpoints: {{api: {{faults: [{faults.get(name, 'refuse x5, accept')}]}}}}\n",
            f"expect: {{{expected}}}\n"))
        report(f"virtual-client-{name}", ours, NOMINAL_S, NOMINAL_S / ours, "s for 300 s or more",
               "ours <= 1")


def virtual_polling(bench):
    """A client in Node that looks around ten times a second for 300 s."""
    if not shutil.which("node"):
        return
    (bench.directory / "ticks.js").write_text(TICKS, encoding="utf-8")
    ours = bench.median(scenario(
        "polls", ["sh", "-c", "synfault-tiny ${api}; node ${dir}/ticks.js; synfault-tiny ${api}"],
        "endpoints: {api: {faults: [refuse, accept]}}\n",
        "expect: {exit: 0, attempts: 2, backoff: {fixed: 300s}}\n"))
    report("virtual-polling", ours, 300, 300 / ours, "s for 3,000 ticks in 300 s", "ours <= 5")


def virtual_many(bench):
    """200 scenarios of 310 s."""
    text = "---\n".join(scenario(f"scenario {i}", CLIENTS["c"][0]) for i in range(200))
    ours = bench.run(text)
    report("virtual-many", ours, NOMINAL_S, NOMINAL_S / ours, "s for 200 scenarios of 310 s",
           "ours <= 60")


def virtual_instances(bench):
    """100 instances of one client."""
    ours = bench.median(scenario(
        "instances", ["${dir}/retry", "${api}", "6", "10", "2"], "endpoints: {api: {faults: [refuse]}}\n",
        "expect: {exit: 1, attempts: 600}\n", "clients: 100\n"))
    report("virtual-instances", ours, NOMINAL_S, NOMINAL_S / ours, "s for 100 instances, 310 s",
           "ours <= 5")


def virtual_watching(bench):
    """200 MB by curl, while nothing jumps: in virtual time over real time."""
    with open(bench.directory / "large", "wb") as file:
        file.truncate(200_000_000)
    (bench.directory / "serve.py").write_text(
        "import http.server, os, sys\nos.chdir(sys.argv[1])\n"
        "http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[2])),\n"
        "    http.server.SimpleHTTPRequestHandler).serve_forever()\n", encoding="utf-8")
    ours, real = bench.compare(scenario(
        "downloads", ["curl", "-sS", "-o", "/dev/null", "http://${api}/large"],
        "endpoints: {api: {serve: {command: [python3, '${dir}/serve.py', '${dir}', '${api.port}']}}}\n",
        "expect: {exit: 0, attempts: 1}\n"))
    report("virtual-watching", ours, real, ours / real, "s for 200 MB; reference: in real time", "<= 1.1")


def virtual_start(bench):
    """The start and end of a program: what 50 more of them add, in both times."""
    def starts(n):
        # Each is a process of its own, and the shell waits for it.
        return scenario(f"{n} starts", ["sh", "-c", f"synfault-tiny ${{api}}; i=0; "
                                        f"while [ $i -lt {n} ]; do /bin/true; i=$((i+1)); done"],
                        "endpoints: {api: {}}\n", "expect: {exit: 0}\n")
    few, many = bench.compare(starts(0)), bench.compare(starts(50))
    ours, real = [(b - a) * 1000 / 50 for a, b in zip(few, many)]
    report("virtual-program-start", ours - real, real, ours / real,
           "ms more for each program; reference: in real time", "ours <= 10")
    report("virtual-run-start", (few[0] - few[1]) * 1000, few[1] * 1000, few[0] / few[1],
           "ms more for a whole run; reference: in real time", "")


FIGURES = {"virtual-speed": virtual_speed, "virtual-client": virtual_client, "virtual-polling": virtual_polling,
           "virtual-many": virtual_many, "virtual-instances": virtual_instances,
           "virtual-watching": virtual_watching, "virtual-start": virtual_start}


def main():
    figure, synfault, targets = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        virtual.build(directory)
        FIGURES[figure](Bench(synfault, targets, directory))


main()
