#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts hold when processors are scarce: no wrong client passes, and no right one fails.

load.py SYNFAULT TARGETS [OPTION...]: runs a right and a wrong client for each expectation (pairs.py; with
--all also the packs and every mistake that they catch). Client and synfault share a part of a processor
(--quota), or only the client is limited to one (--client-quota), or every processor is busy (--busy). A
run may be inconclusive, but with --table no more often than the documentation promises. The report is TAP,
or a table.
"""

import argparse
import json
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
from pairs import PAIRS

# Maximum of inconclusive runs, in percent, by quota; None: idle.
MAX_UNKNOWN = {10: 60, 15: 40, 20: 30, 30: 20, 50: 10, None: 0}
OUTCOMES = {0: "pass", 1: "fail", 3: "unknown"}


class Setting:
    """A kind of load."""

    def __init__(self, percent=None, client_alone=False, busy=False):
        self.percent, self.client_alone, self.busy = percent, client_alone, busy

    def __str__(self):
        if self.busy:
            return "all processors busy"
        if self.percent is None:
            return "idle"
        return f"{'client' if self.client_alone else 'client and synfault'} at {self.percent} %"

    def at_once(self):
        """Returns how many runs can have their quota at the same time on this machine."""
        processors = os.cpu_count() or 1
        if self.percent is None:
            return 2 * processors if self.busy else processors
        return max(1, min(16, processors * 80 // self.percent))


class Case:
    """A right or a wrong client under one scenario."""

    def __init__(self, name, wrong, arguments, scenario=None, mistake=None):
        self.name, self.wrong, self.arguments = name, wrong, arguments
        self.scenario, self.mistake = scenario, mistake

    def run(self, options, setting):
        """Returns the outcome, and what the program printed."""
        with tempfile.TemporaryDirectory() as directory:
            environment = {**os.environ, "PATH": f"{options.targets}:{os.environ['PATH']}",
                           "TMPDIR": directory}
            environment.pop("SYNFAULT_MISTAKE", None)
            if self.mistake:
                environment["SYNFAULT_MISTAKE"] = self.mistake
            if self.scenario:
                Path(directory, "case.yaml").write_text(self.scenario, encoding="utf-8")
            process = quota.run([options.synfault, "run", "--retries", "0", *self.arguments],
                                setting.percent, setting.client_alone, env=environment,
                                cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, errors="replace")
        return OUTCOMES.get(process.returncode, f"exit {process.returncode}"), process.stdout


def own_case(expectation, scenario, steps, wrong):
    """Makes a case of pairs.py; "~" is a blank in a step."""
    addresses = '"${api}", "${backup}"' if "backup" in scenario else '"${api}"'
    words = ", ".join(f'"{step}"' for step in steps.split()).replace("~", " ")
    command = f"python3, {mistakes.ROOT / 'targets/clients/steps.py'}, {addresses}, --, {words}"
    return Case(expectation, wrong, ["case.yaml"],
                f"name: {expectation}\ntimeout: 20s\n{scenario}\nclient: {{command: [{command}]}}\n")


def without_pair():
    """Returns the expectations for which PAIRS has no clients."""
    schema = json.loads((mistakes.ROOT / "docs/scenario.schema.json").read_text(encoding="utf-8"))
    names = {name for mapping in ("expect", "bytes") for name in schema["definitions"][mapping]["properties"]}
    return sorted(names - {"tolerance", "bytes"} - {expectation for expectation, *_ in PAIRS})


def all_cases(everything):
    for expectation, scenario, right, wrong in PAIRS:
        yield own_case(expectation, scenario, right, False)
        yield own_case(expectation, scenario, wrong, True)
    for mistake, name, _ in mistakes.BEHAVIOUR if everything else ():
        arguments = ["--filter", name, mistakes.ROOT / "scenarios" / mistakes.pack_of(name)]
        yield Case(name, False, arguments)
        yield Case(name, True, arguments, mistake=mistake)


def run_setting(options, setting):
    """Returns (case, outcome, output) of every run."""
    cases = list(all_cases(options.all)) * options.runs
    spinners = [subprocess.Popen(["sh", "-c", "while :; do :; done"])
                for _ in range(os.cpu_count() or 1)] if setting.busy else []
    try:
        with ThreadPoolExecutor(setting.at_once()) as pool:
            results = list(pool.map(lambda case: case.run(options, setting), cases))
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()
    return [(case, *result) for case, result in zip(cases, results)]


def is_false(case, outcome):
    """Returns whether a verdict is wrong, not only unknown."""
    return outcome not in ("unknown", "fail" if case.wrong else "pass")


def show(results, prefix):
    for case, outcome, output in results:
        if is_false(case, outcome):
            print(f"{prefix}{case.name}: {outcome} for the {'wrong' if case.wrong else 'right'} client")
            for line in output.splitlines():
                print(f"{prefix}  {line}")


def report_tap(settings, options):
    names = list(dict.fromkeys(case.name for case in all_cases(options.all)))
    print(f"1..{len(settings) * len(names)}", flush=True)
    number = n_false = 0
    for setting in settings:
        results = run_setting(options, setting)
        for name in names:
            number += 1
            own = [result for result in results if result[0].name == name]
            false = any(is_false(*result[:2]) for result in own)
            outcomes = ", ".join(f"{'wrong' if case.wrong else 'right'}: {outcome}"
                                 for case, outcome, _ in own)
            print(f"{'not ok' if false else 'ok'} {number} - {setting}: {name} ({outcomes})")
            show(own, "# ")
            n_false += false
        sys.stdout.flush()
    return n_false


def report_table(settings, options):
    """Also compares the share of unknown verdicts with its bound."""
    print(f"{'setting':<30} {'right clients':<28} {'wrong clients':<28} {'unknown':>8} {'bound':>6}")
    n_false = 0
    for setting in settings:
        results = run_setting(options, setting)
        columns = []
        for wrong in (False, True):
            counts = Counter(outcome for case, outcome, _ in results if case.wrong == wrong)
            columns.append(", ".join(f"{count} {outcome}"
                                     for outcome, count in sorted(counts.items())))
        share = 100 * sum(outcome == "unknown" for _, outcome, _ in results) / len(results)
        bound = None if setting.busy else MAX_UNKNOWN.get(setting.percent)
        print(f"{str(setting):<30} {columns[0]:<28} {columns[1]:<28} {share:6.1f} % "
              f"{'-' if bound is None else f'{bound} %':>6}", flush=True)
        show(results, "  ")
        n_false += sum(is_false(*result[:2]) for result in results)
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
    parser.add_argument("--idle", action="store_true", help="also run without load")
    parser.add_argument("--all", action="store_true", help="also every mistake that packs catch")
    parser.add_argument("--table", action="store_true", help="print a table")
    options = parser.parse_args()
    if missing := without_pair():
        sys.exit(f"pairs.py lacks a right and a wrong client for: {', '.join(missing)}")
    settings = [Setting(percent) for percent in options.quota]
    settings += [Setting(percent, client_alone=True) for percent in options.client_quota]
    settings += [Setting(busy=True)] if options.busy else []
    settings += [Setting()] if options.idle else []
    report = report_table if options.table else report_tap
    sys.exit(1 if report(settings, options) else 0)


if __name__ == "__main__":
    main()
