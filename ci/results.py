#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sums up what ci/test ran: ci/results.py DIRECTORY [WHAT WENT WRONG]...

DIRECTORY has files LABEL.NAME.json, each a log of `meson test` of one or more suites, or NAME.xml, each a
JUnit report. Beside each is a file of the same name with .status: exit status and duration, in seconds, of
the command. Each further argument counts as a failure.

Prints a table, how long each part took and may take on 2 cores, the output of the first failed tests (after
the tables, since people look at the end of a log), and as the last line "N passed, N failed, N skipped".
Exits 1 if anything failed, if a required suite did not run, or if a test was skipped that SKIPS does not
allow.
"""

import fnmatch
import json
import re
import sys
import xml.etree.ElementTree
from pathlib import Path

# What may be skipped: the suite's name, and a pattern of the test's name and reason. The rest has to run.
OTHER_PSQL = "psql (up to 16|from 17 on)"
SKIPS = (
    # An unpacked archive and a shallow clone have no commits to check.
    ("*.history", "commits"),
    # Schemas of other projects are not in the source tree.
    ("*.unit", "SYNFAULT_SCHEMAS is not set"),
    # A kernel without linear timeouts, without MPTCP.
    ("*.integration", "this kernel has no linear timeouts|no MPTCP here"),
    ("*.lint", "clang-format [0-9]+ formats some lines otherwise"),
    # A machine has only one of two versions of a client. A bare root has two of the real clients.
    ("demo", OTHER_PSQL),
    ("fresh", "the scenario requires|as above"),
)
# What has to run at least one test, and how many seconds it may take on 2 cores: less than 20 minutes
# together. Compilers run beside tests that wait.
REQUIRED = {
    "plain.unit": 35, "plain.docs": 10, "plain.lint": 30, "plain.tidy": 125, "plain.fuzz": 5,
    "plain.integration": 190, "plain.diagnose": 40, "plain.load": 75, "plain.container": 125,
    "plain.package+browser+machine": 90, "sanitized.unit": 65, "sanitized.fuzz": 5,
    "sanitized.integration": 205, "sanitized.container": 40, "fuzzed.fuzz": 45, "demo": 25, "fresh": 75,
}
# How many failures are shown with their output, and how many lines of each.
MOST_SHOWN = 10
MOST_LINES = 60


class Count:
    """Tests that passed, failed, and were skipped, with the names of the latter two."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []
        self.said = {}  # output of failed tests, by name

    def add(self, outcome, name):
        if outcome == "passed":
            self.passed += 1
        else:
            getattr(self, outcome).append(name)


def tap_detail(text):
    """Returns the YAML block or the comments after a line of TAP, if the text starts with such."""
    block = re.match(r"\n  ---\n(.*?)\n  \.\.\.", text, re.S)
    return block[1] if block else re.match(r"(?:\n#.*)*", text)[0].strip()


def count_tap(test, count):
    """Counts the subtests of a test program. Returns False if its output is not TAP."""
    plan = re.search(r"^1\.\.(\d+)", test["stdout"], re.M)
    if not plan or plan[1] == "0":
        return False
    seen = 0
    for line in re.finditer(r"^(not )?ok\b[ \d]*(?:- )?(.*?)(# *SKIP.*)?$", test["stdout"],
                            re.M | re.I):
        seen += 1
        name = f'{test["name"]}: {line[2].strip()}'
        if line[3]:
            count.add("skipped", f"{name} {line[3]}")
        else:
            count.add("failed" if line[1] else "passed", name)
        if line[1]:
            count.said[name] = tap_detail(test["stdout"][line.end():])
    for _ in range(int(plan[1]) - seen):
        count.add("failed", f'{test["name"]}: a planned test that did not report')
    return True


def count_meson(path):
    """Returns one count per suite, by LABEL.SUITE."""
    counts = {}
    label = path.stem.split(".")[0]
    for line in path.read_text(encoding="utf-8").splitlines():
        test = json.loads(line)
        # "PROJECT:SUITE / NAME"
        suite = test["name"].split(" / ")[0].split(":")[-1]
        count = counts.setdefault(f"{label}.{suite}", Count())
        good = test["result"] in ("OK", "EXPECTEDFAIL", "SKIP")
        failed_before = len(count.failed)
        if not count_tap(test, count):
            outcome = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}
            # A test that is skipped as a whole says why in its first line.
            why = f': {test["stdout"].strip()}'.splitlines()[0] if test["result"] == "SKIP" else ""
            count.add(outcome.get(test["result"], "failed"), test["name"] + why)
        if not good and len(count.failed) == failed_before:
            count.add("failed", f'{test["name"]}: {test["result"]}')
        for name in count.failed[failed_before:]:
            # A program that said nothing about its tests: keep its last lines.
            last = (test["stdout"] + test.get("stderr", "")).splitlines()[-MOST_LINES:]
            count.said.setdefault(name, "\n".join(last))
    return counts


def count_junit(path):
    count = Count()
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = case.get("name")
        if case.find("failure") is not None or case.find("error") is not None:
            count.add("failed", name)
            found = case.find("failure")
            found = case.find("error") if found is None else found
            count.said[name] = f'{found.get("message", "")}\n{found.text or ""}'.strip()
        elif case.find("skipped") is not None:
            count.add("skipped", f'{name}: {case.find("skipped").get("message", "")}')
        else:
            count.add("passed", name)
    return count


def suites(part):
    """Returns the names of a part's counts: "plain.a+b" ran two suites at once."""
    label, dot, names = part.partition(".")
    return [f"{label}{dot}{name}" for name in names.split("+")]


def may_skip(suite, test):
    return any(fnmatch.fnmatchcase(suite, pattern) and re.search(reason, test) for pattern, reason in SKIPS)


def collect(directory):
    """Returns all counts by name, what is wrong with them, and the seconds of each part."""
    counts = {}
    wrong = []
    times_s = {}
    for path in sorted(directory.iterdir()):
        if path.suffix == ".json":
            found = count_meson(path)
        elif path.suffix == ".xml":
            found = {path.stem: count_junit(path)}
        else:
            continue
        counts |= found
        status, took_s = path.with_suffix(".status").read_text(encoding="utf-8").split()
        times_s[path.stem] = int(took_s)
        if status != "0" and not any(count.failed for count in found.values()):
            wrong.append(f"{path.stem} ended with status {status}")
    for name in (suite for part in REQUIRED for suite in suites(part)):
        if name not in counts:
            wrong.append(f"{name} did not run")
        elif not counts[name].passed and not counts[name].failed:
            wrong.append(f"{name}: no test ran")
    for name, count in counts.items():
        wrong += [f"{name} must not skip {skipped}" for skipped in count.skipped
                  if not may_skip(name, skipped)]
    return counts, wrong, times_s


def show_times(times_s):
    """Prints what each part took. A slow machine is not a failure: an exceeded budget is only shown."""
    total_s = sum(times_s.values())
    print(f'{"":34}{"seconds":>8}{"share":>7}{"budget":>8}')
    for name, took_s in sorted(times_s.items(), key=lambda item: -item[1]):
        budget_s = REQUIRED.get(name)
        print(f'{name:34}{took_s:8}{took_s / max(total_s, 1):7.0%}{budget_s or "":>8}'
              f'{"  over" if budget_s and took_s > budget_s else ""}')
    print(f'{"all tests":34}{total_s:8}{"":7}{sum(REQUIRED.values()):8}')


def show_failures(counts):
    """Prints the output of failed tests, without colours and control characters."""
    failures = [(f"{name}: {failed}", count.said.get(failed, ""))
                for name, count in counts.items() for failed in count.failed]
    for name, said in failures[:MOST_SHOWN]:
        lines = re.sub(r"\x1b\[[0-9;]*m|[^\n\t -~\xa0-\U0010ffff]", "", said).splitlines()
        print(f"---- {name}")
        print("\n".join(lines[:MOST_LINES]))
        if len(lines) > MOST_LINES:
            print(f"({len(lines) - MOST_LINES} more lines)")
    if len(failures) > MOST_SHOWN:
        print(f"---- and {len(failures) - MOST_SHOWN} more")


def main():
    counts, wrong, times_s = collect(Path(sys.argv[1]))
    wrong += sys.argv[2:]

    print(f'{"":24}{"passed":>8}{"failed":>8}{"skipped":>8}')
    for name, count in counts.items():
        print(f"{name:24}{count.passed:8}{len(count.failed):8}{len(count.skipped):8}")
    show_times(times_s)
    show_failures(counts)
    for name, count in counts.items():
        for failed in count.failed:
            print(f"failed: {name}: {failed}")
        for skipped in count.skipped:
            print(f"skipped: {name}: {skipped}")
    for sentence in wrong:
        print(f"failed: {sentence}")
    privileged = sum(count.passed + len(count.failed) for name, count in counts.items()
                     if name.split(".")[-1] in ("integration", "container"))
    print(f"privileged tests that ran: {privileged}")

    failed = len(wrong) + sum(len(count.failed) for count in counts.values())
    print(f"{sum(count.passed for count in counts.values())} passed, {failed} failed, "
          f"{sum(len(count.skipped) for count in counts.values())} skipped")
    return 1 if failed else 0


sys.exit(main())
