#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The bindings in the test frameworks themselves: a right client passes, a wrong one fails with the
finding in the framework's own report, an unknown outcome is an error, and a missing capability skips.

frameworks.py SYNFAULT. The report is TAP.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = ROOT / "bindings" / "python"
EXAMPLE = PYTHON / "example"
NODE = ROOT / "bindings" / "node"

# The tests of the examples.
RETRIED, JUDGED = "test_refusals_are_retried", "test_scenario_is_judged_when_the_test_has_ended"
BESIDE, IMPOSSIBLE = "test_sessions_are_side_by_side", "test_what_is_impossible_here_is_skipped"
NODE_TESTS = ("refusals are retried", "a scenario is judged when the test has ended", "sessions are side by side",
              "what is impossible here is skipped")

# A session whose second fault never fires, and one that nothing closes while the test fails.
NODE_UNKNOWN = """
const net = require("node:net");
const {test} = require("node:test");
const {faults} = require("%s");
test("unknown", async (t) => {
    const session = await faults(t, {api: "refuse x2"});
    const {host, port} = session.endpoints.api;
    await new Promise((resolve) => net.connect(port, host).on("error", resolve));
});
"""
UNKNOWN = """
import socket, pytest
def connect(address):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
def test_unknown(faults):
    connect(faults(api="refuse x2").api.address)
def test_fails_by_itself(faults):
    connect(faults(api="refuse x2").api.address)
    assert False, "its own reason"
def test_bad_steps(faults):
    faults(api="refuze")
"""


class Tap:
    def __init__(self):
        self.number, self.failed = 0, False

    def result(self, name, problems):
        self.number += 1
        print(f"{'not ok' if problems else 'ok'} {self.number} - {name}")
        for problem in problems:
            print("# " + problem.replace("\n", "\n# "))
        self.failed = self.failed or bool(problems)

    def end(self):
        print(f"1..{self.number}")
        sys.exit(1 if self.failed else 0)


def interpreter():
    """A Python that has pytest: that of the distribution, where this one has none."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import pytest"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def run_pytest(python, synfault, tests, directory, **variables):
    """Returns the exit status and {test: (outcome, text)} of pytest's own JUnit report."""
    report = pathlib.Path(directory) / "pytest.xml"
    environment = {**os.environ, "PYTHONPATH": str(PYTHON), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    environment.pop("SYNFAULT_CONTROL", None)
    command = [python, "-m", "pytest", "-q", "-p", "pytest_synfault", "-p", "no:cacheprovider",
               f"--junitxml={report}", str(tests)]
    if synfault:
        command = [synfault, "exec", "--"] + command
    process = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=directory,
                             timeout=60)
    results = {}
    for case in ElementTree.parse(report).iter("testcase"):
        outcome = [(child.tag, child.get("message", "") + (child.text or "")) for child in case
                   if child.tag in ("failure", "error", "skipped")]
        # A test that passed and whose teardown failed has two cases.
        if outcome or case.get("name") not in results:
            results[case.get("name")] = outcome[0] if outcome else ("passed", "")
    return process.returncode, results, process.stdout + process.stderr


def compare(expected, ran):
    status, results, output = ran
    problems = []
    for name, (outcome, text) in expected.items():
        seen = results.get(name, ("missing", ""))
        if seen[0] != outcome or text not in seen[1]:
            problems.append(f"{name}: {seen[0]} {seen[1]!r}, not {outcome} {text!r}")
    failures = any(outcome in ("failure", "error") for outcome, _ in expected.values())
    if (status != 0) != failures:
        problems.append(f"exit status {status}")
    return problems + ([output] if problems else [])


def test_pytest(tap, synfault):
    python = interpreter()
    if not python:
        tap.number += 1
        print(f"ok {tap.number} - pytest # SKIP there is no pytest")
        return
    with tempfile.TemporaryDirectory() as directory:
        unknown = pathlib.Path(directory) / "test_unknown.py"
        unknown.write_text(UNKNOWN, encoding="utf-8")
        tap.result("pytest passes a right client, and skips what is impossible", compare(
            {RETRIED: ("passed", ""), JUDGED: ("passed", ""), BESIDE: ("passed", ""),
             IMPOSSIBLE: ("skipped", "hostname")},
            run_pytest(python, synfault, EXAMPLE, directory)))
        tap.result("pytest fails a wrong client with the finding", compare(
            {RETRIED: ("failure", ""), JUDGED: ("failure", "attempts: expected 3, got 1"), BESIDE: ("passed", "")},
            run_pytest(python, synfault, EXAMPLE, directory, EXAMPLE_RETRIES="0")))
        tap.result("pytest reports an unknown outcome as an error", compare(
            {"test_unknown": ("error", "fired for 1 of 2 attempts"),
             "test_fails_by_itself": ("failure", "its own reason"),
             "test_bad_steps": ("failure", "unknown step")},
            run_pytest(python, synfault, unknown, directory)))
        tap.result("pytest skips all where there is no synfault", compare(
            {name: ("skipped", "synfault exec --") for name in (RETRIED, JUDGED, BESIDE, IMPOSSIBLE)},
            run_pytest(python, None, EXAMPLE, directory)))


def run_node(synfault, tests, directory, **variables):
    """Returns the exit status and {test: (outcome, text)} of node's report, which is TAP."""
    environment = {**os.environ, **variables}
    environment.pop("SYNFAULT_CONTROL", None)
    command = ["node", "--test", "--test-reporter=tap", str(tests)]
    if synfault:
        command = [synfault, "exec", "--"] + command
    process = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=directory,
                             timeout=60)
    results, name = {}, None
    for line in process.stdout.splitlines():
        match = re.match(r" *(not )?ok \d+ - (.*?)(?: # SKIP ?(.*))?$", line)
        if match:
            name = match[2]
            outcome = "failure" if match[1] else "passed" if match[3] is None else "skipped"
            results[name] = (outcome, match[3] or "")
        elif name:
            results[name] = (results[name][0], results[name][1] + line + "\n")
    return process.returncode, results, process.stdout + process.stderr


def test_node(tap, synfault):
    example = NODE / "example" / "retries.test.js"
    retried, judged, beside, impossible = NODE_TESTS
    with tempfile.TemporaryDirectory() as directory:
        unknown = pathlib.Path(directory) / "unknown.test.js"
        unknown.write_text(NODE_UNKNOWN % (NODE / "synfault.js"), encoding="utf-8")
        tap.result("node passes a right client, and skips what is impossible", compare(
            {retried: ("passed", ""), judged: ("passed", ""), beside: ("passed", ""),
             impossible: ("skipped", "hostname")},
            run_node(synfault, example, directory)))
        tap.result("node fails a wrong client with the finding", compare(
            {retried: ("failure", ""), judged: ("failure", "attempts: expected 3, got 1"), beside: ("passed", "")},
            run_node(synfault, example, directory, EXAMPLE_RETRIES="0")))
        tap.result("node reports an unknown outcome as an error of its own type", compare(
            {"unknown": ("failure", "fired for 1 of 2 attempts")}, run_node(synfault, unknown, directory)))
        tap.result("node skips all where there is no synfault", compare(
            {name: ("skipped", "synfault exec --") for name in NODE_TESTS},
            run_node(None, example, directory)))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tap = Tap()
    test_pytest(tap, os.path.abspath(sys.argv[1]))
    test_node(tap, os.path.abspath(sys.argv[1]))
    tap.end()


main()
