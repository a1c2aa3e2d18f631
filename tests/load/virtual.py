#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts in virtual time are those of real time, beside load, too.

virtual.py gate SYNFAULT TARGETS [--runs N]: first runs the scenarios of virtual.yaml in real time on the
otherwise idle machine, all at once (some five minutes). Then runs them N times in all in virtual time, one,
four and forty at once, in private and in shared isolation, while --busy processes compute. Outcome, attempts
and endings have to be the same each time, and no more than 2 % of the runs be repeated in real time.

virtual.py packs SYNFAULT TARGETS: runs all packs in both times, and the mistakes of clients that they catch.
Outcomes, attempts and endings have to be the same, and so do the findings about wrong clients.

Exits 1 if there is a difference.
"""

import argparse
import collections
import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/integration"))
import mistakes

# How many at once, and what part of the runs.
AT_ONCE = ((1, 0.2), (4, 0.3), (40, 0.5))
MAX_REAL = 0.02


def build(directory):
    """Builds the clients; those whose compiler is missing are left out, and their scenarios skipped."""
    for path in (HERE / "clients").iterdir():
        shutil.copy(path, directory)
    shutil.copy(HERE / "virtual.yaml", directory)
    commands = [["cc", "-O2", "-o", "retry", "retry.c"],
                ["cc", "-O2", "-static", "-o", "retry-static", "retry.c"]]
    if shutil.which("javac"):
        commands.append(["javac", "Retry.java"])
    if shutil.which("go"):
        commands.append(["go", "build", "-o", "retry-go", "retry.go"])
    for command in commands:
        subprocess.run(command, cwd=directory, check=True,
                       env={**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off"})


def run(options, directory, *arguments, **environment):
    """Runs scenarios; returns the results of its JSON report, and how long that took."""
    report = Path(directory, "run.json")
    report.unlink(missing_ok=True)
    process = subprocess.run(
        [options.synfault, "run", "--quiet", "--json", report, *arguments],
        env={**os.environ, "PATH": f"{options.targets}:{os.environ['PATH']}", **environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if not report.exists():
        sys.exit(process.stdout.decode(errors="replace"))
    return json.loads(report.read_text(encoding="utf-8", errors="replace"))


def seen(result):
    """Returns what has to be the same in both times: the outcome, the exit, each attempt's end."""
    record = result.get("record") or {}
    ends = [[attempt["endpoint"]] for attempt in record.get("attempts", [])]
    exits = []
    for event in record.get("events", []):
        if event["kind"] == "exit":
            exits.append(event["wait_status"])
        elif event["kind"] == "established":
            ends[event["attempt"]].append("established")
        elif event["kind"] == "verdict" and event["verdict"] not in ends[event["attempt"]]:
            ends[event["attempt"]].append(event["verdict"])
    return result["outcome"], sorted(exits), ends


def in_virtual_time(result):
    return bool((result.get("record") or {}).get("virtual_time"))


@contextlib.contextmanager
def busy(n_processes):
    spinners = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(n_processes)]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


class Counts:
    """What came out of some of the runs."""

    def __init__(self):
        self.runs = self.different = self.unknown = self.real = self.again = 0
        self.kinds = collections.Counter()

    def add(self, result, expected):
        self.runs += 1
        self.again += bool(result.get("earlier"))
        # An error says that the run can't be judged; `auto` repeats it in real time.
        unknown = result["outcome"] == "error"
        real = not in_virtual_time(result)
        self.unknown += unknown
        self.real += real
        if unknown or real:
            self.kinds[result["name"]] += 1
            reasons = [finding["message"] for run in [*result.get("earlier", []), result]
                       for finding in (run.get("judgement") or {}).get("findings", [])[:1]]
            print(f"  {'inconclusive' if unknown else 'in real time'}: {result['name']}: "
                  f"{reasons[:1]}")
        elif seen(result) != expected:
            self.different += 1
            print(f"  DIFFERENT: {result['name']}: {seen(result)} instead of {expected}: "
                  f"{result['reason']}")
        sys.stdout.flush()


def gate(options):
    everything = Counts()
    with tempfile.TemporaryDirectory() as directory:
        build(directory)
        scenarios = Path(directory, "virtual.yaml")
        if not options.real or not options.real.exists():
            real = run(options, directory, "--time", "real", "-j", "100", "--late-retries", "0", scenarios)
            if options.real:
                options.real.write_text(json.dumps(real), encoding="utf-8")
        else:
            real = json.loads(options.real.read_text(encoding="utf-8"))
        real = real["scenarios"]
        skipped = [result["name"] for result in real if result["outcome"] == "skip"]
        expected = {result["name"]: seen(result) for result in real
                    if result["outcome"] not in ("skip", "error")}
        for result in real:
            if result["outcome"] == "error":
                print(f"  inconclusive in real time, left out: {result['name']}")
        print(f"real time: {len(expected)} of {len(real)} scenarios judged; "
              f"skipped: {', '.join(skipped) or 'none'}")
        filters = [word for name in expected for word in ("--filter", name)]
        shares = [(isolation, at_once, share / len(options.isolation.split(",")))
                  for isolation in options.isolation.split(",") for at_once, share in AT_ONCE]
        for isolation, at_once, share in shares:
            repeat = max(1, math.ceil(options.runs * share / max(len(expected), 1)))
            counts = Counts()
            with busy(options.busy):
                report = run(options, directory, "--time", "virtual", "--isolation", isolation,
                             "--repeat", str(repeat), "-j", str(at_once), *filters, scenarios)
            for result in report["scenarios"]:
                counts.add(result, expected[result["name"]])
                everything.add(result, expected[result["name"]])
            print(f"{isolation}, {at_once} at once beside {options.busy} busy processes: "
                  f"{counts.runs} runs in {report['duration_ns'] / 1e9:.0f} s: {counts.different} different, "
                  f"{counts.unknown} inconclusive, {counts.real} in real time, "
                  f"{counts.again} run again", flush=True)
    repeated = everything.unknown + everything.real
    print(f"all: {everything.runs} runs, {everything.different} different, {repeated} to be repeated in "
          f"real time ({repeated / max(everything.runs, 1):.1%})")
    for name, n in everything.kinds.most_common():
        print(f"  {n:4} {name}")
    return everything.different > 0 or repeated > MAX_REAL * everything.runs or not everything.runs


def findings(result):
    return [(finding["type"], finding["subject"].split(" ")[0])
            for finding in (result.get("judgement") or {}).get("findings", [])]


def compare(real, virtual, what, wrong):
    """Returns how many scenarios differ, and how many were run in virtual time."""
    n_different = n_virtual = 0
    before = {(result["path"], result["name"], result.get("matrix")): result for result in real}
    for result in virtual:
        old = before.get((result["path"], result["name"], result.get("matrix")))
        if old is None or "error" in (old["outcome"], result["outcome"]) or \
                not (in_virtual_time(result) or any(map(in_virtual_time, result.get("earlier", [])))):
            continue
        n_virtual += 1
        same = findings(old)[:1] == findings(result)[:1] if wrong else seen(old) == seen(result)
        if same and old["outcome"] == result["outcome"]:
            continue
        n_different += 1
        print(f"  DIFFERENT: {what}: {result['name']}: {seen(result)} {findings(result)} instead of "
              f"{seen(old)} {findings(old)}", flush=True)
    return n_different, n_virtual


def packs(options):
    n_different = n_wrong = 0
    with tempfile.TemporaryDirectory() as directory:
        runs = [run(options, directory, "--time", time, ROOT / "scenarios")["scenarios"]
                for time in ("real", "virtual")]
        n_different, n_virtual = compare(*runs, "packs", False)
        print(f"packs: {n_virtual} of {len(runs[0])} scenarios in virtual time, {n_different} different")
        for mistake, name, _ in mistakes.BEHAVIOUR:
            runs = [run(options, directory, "--time", time, "--filter", name,
                        ROOT / "scenarios" / mistakes.pack_of(name), SYNFAULT_MISTAKE=mistake)["scenarios"]
                    for time in ("real", "virtual")]
            different, virtual = compare(*runs, mistake, True)
            n_different += different
            n_wrong += virtual
        print(f"mistakes: {n_wrong} in virtual time; {n_different} different in all")
    return n_different > 0 or n_virtual == 0 or n_wrong == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("gate", "packs"))
    parser.add_argument("synfault")
    parser.add_argument("targets")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--busy", type=int, default=20)
    parser.add_argument("--isolation", default="private,shared")
    parser.add_argument("--real", type=Path, help="keep the verdicts of real time in this file, and use them if it exists")
    options = parser.parse_args()
    options.synfault = os.path.abspath(options.synfault)
    options.targets = os.path.abspath(options.targets)
    return 1 if {"gate": gate, "packs": packs}[options.part](options) else 0


if __name__ == "__main__":
    sys.exit(main())
