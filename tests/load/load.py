#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts hold when processors are scarce: no wrong client passes, and no right one fails.

load.py SYNFAULT TARGETS [OPTION...]: runs a right and a wrong client for each expectation while the
client and synfault have a share of a processor (--quota), the client alone has (--client-quota), or
every processor is busy (--busy). A run may be inconclusive, but with --table no more often than the
documentation promises. The report is TAP, or a table.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
import mistakes
import quota

# The most inconclusive runs, in percent, by quota. Without a quota: none when idle.
MAX_UNKNOWN = {10: 60, 15: 40, 20: 30, 30: 20, 50: 10}
OUTCOMES = {0: "pass", 1: "fail", 3: "unknown"}


class Setting:
    """A kind of load."""

    def __init__(self, percent=None, client_alone=False, busy=False):
        self.percent, self.client_alone, self.busy = percent, client_alone, busy

    def __str__(self):
        if self.busy:
            return "all processors busy"
        return f"{'client' if self.client_alone else 'client and synfault'} at {self.percent} %"

    def at_once(self):
        """How many runs the machine can give their quota at the same time."""
        processors = os.cpu_count() or 1
        return 4 * processors if self.busy else max(1, min(8, processors * 80 // self.percent))


def pairs(everything):
    """Scenarios with a mistake that each catches: one for each expectation, or all."""
    seen = set()
    for mistake, name, finding in mistakes.BEHAVIOUR:
        if everything or finding not in seen:
            seen.add(finding)
            yield name, mistake


def run_one(arguments, name, mistake, setting):
    """Returns the outcome, and what the program printed."""
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "PATH": f"{arguments.targets}:{os.environ['PATH']}",
                       "TMPDIR": directory}
        environment.pop("SYNFAULT_MISTAKE", None)
        if mistake:
            environment["SYNFAULT_MISTAKE"] = mistake
        pack = mistakes.ROOT / "scenarios" / mistakes.pack_of(name)
        process = quota.run([arguments.synfault, "run", "--retries", "0", "--filter", name, pack],
                            setting.percent, setting.client_alone, env=environment,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors="replace")
    return OUTCOMES.get(process.returncode, f"exit {process.returncode}"), process.stdout


def run_setting(arguments, setting):
    """Returns (name, mistake or None, outcome, output) of every run."""
    jobs = [(name, which) for _ in range(arguments.runs)
            for name, mistake in pairs(arguments.all) for which in (None, mistake)]
    spinners = [subprocess.Popen(["sh", "-c", "while :; do :; done"])
                for _ in range(os.cpu_count() or 1)] if setting.busy else []
    try:
        with ThreadPoolExecutor(setting.at_once()) as pool:
            results = list(pool.map(lambda job: run_one(arguments, *job, setting), jobs))
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()
    return [(*job, *result) for job, result in zip(jobs, results)]


def is_false(mistake, outcome):
    """A verdict that is not merely unknown but wrong."""
    return outcome not in ("unknown", "fail" if mistake else "pass")


def show(results, prefix):
    for name, mistake, outcome, output in results:
        if is_false(mistake, outcome):
            print(f"{prefix}{name}: {outcome} for {mistake or 'the right client'}")
            for line in output.splitlines():
                print(f"{prefix}  {line}")


def report_tap(settings, arguments):
    names = sorted({name for name, _ in pairs(arguments.all)})
    print(f"1..{len(settings) * len(names)}", flush=True)
    number = n_false = 0
    for setting in settings:
        results = run_setting(arguments, setting)
        for name in names:
            number += 1
            own = [result for result in results if result[0] == name]
            wrong = any(is_false(result[1], result[2]) for result in own)
            outcomes = ", ".join(f"{'wrong' if result[1] else 'right'}: {result[2]}"
                                 for result in own)
            print(f"{'not ok' if wrong else 'ok'} {number} - {setting}: {name} ({outcomes})")
            show(own, "# ")
            n_false += wrong
        sys.stdout.flush()
    return n_false


def report_table(settings, arguments):
    """Also holds the share of unknown verdicts against its bound."""
    print(f"{'setting':<30} {'right clients':<28} {'wrong clients':<28} {'unknown':>8} {'bound':>6}")
    n_false = 0
    for setting in settings:
        results = run_setting(arguments, setting)
        columns = []
        for wrong in (False, True):
            counts = Counter(result[2] for result in results if bool(result[1]) == wrong)
            columns.append(", ".join(f"{count} {outcome}"
                                     for outcome, count in sorted(counts.items())))
        share = 100 * sum(result[2] == "unknown" for result in results) / len(results)
        bound = MAX_UNKNOWN.get(setting.percent)
        print(f"{str(setting):<30} {columns[0]:<28} {columns[1]:<28} {share:6.1f} % "
              f"{f'{bound} %' if bound else '-':>6}", flush=True)
        show(results, "  ")
        n_false += sum(is_false(result[1], result[2]) for result in results)
        n_false += bound is not None and share > bound
    return n_false


def percents(text):
    return [int(part) for part in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("synfault", type=os.path.abspath)
    parser.add_argument("targets", type=os.path.abspath)
    parser.add_argument("--runs", type=int, default=3, help="of each client (3)")
    parser.add_argument("--quota", type=percents, default=[], metavar="P,P...",
                        help="shares of a processor for client and synfault together")
    parser.add_argument("--client-quota", type=percents, default=[], metavar="P,P...",
                        help="shares of a processor for the client alone")
    parser.add_argument("--busy", action="store_true", help="keep all processors busy")
    parser.add_argument("--all", action="store_true", help="every mistake, not one per expectation")
    parser.add_argument("--table", action="store_true", help="print a table")
    arguments = parser.parse_args()
    settings = [Setting(percent) for percent in arguments.quota]
    settings += [Setting(percent, client_alone=True) for percent in arguments.client_quota]
    settings += [Setting(busy=True)] if arguments.busy else []
    report = report_table if arguments.table else report_tap
    sys.exit(1 if report(settings, arguments) else 0)


if __name__ == "__main__":
    main()
