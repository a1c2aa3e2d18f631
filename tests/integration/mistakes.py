#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenarios catch every mistake that the clients can make.

mistakes.py SYNFAULT TARGETS: the synfault program and the directory of the built clients. Runs each
client with each mistake under the scenario that should catch it. The outcome has to be "fail", and the
JUnit report has to name what went wrong. Without a mistake the client passes. The report is TAP.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENTS = ("python", "backoff", "curl")

REFUSED = ("refused", "gives up after 5 refused attempts and says why")
UNANSWERED = ("refused", "reports a server that never answers, and does not retry")
DROPPED = ("dropped", "closes the socket that timed out before it retries")

# The mistake, the behaviour and scenario that catch it, and the subjects of the findings.
MISTAKES = [
    ("never-gives-up", REFUSED, "timeout"),
    ("no-pause", REFUSED, "backoff"),
    ("retries-everything", UNANSWERED, "attempts"),
    ("retries-nothing", REFUSED, "attempts"),
    ("swallows-error", REFUSED, "exit stderr"),
    ("no-cap", REFUSED, "backoff"),
    ("one-too-many", REFUSED, "attempts"),
    ("leaks-socket", DROPPED, "retransmissions"),
]

# The same for each expectation on behaviour, with synfault-backoff only; the scenarios are in
# scenarios/behaviour.
BEHAVIOUR = [
    ("slow-timeout", "gives up an unanswered attempt after 400 ms", "connect-timeout"),
    ("one-too-many", "gives up after three attempts, within a second", "gives-up"),
    ("leaves-child", "gives up after three attempts, within a second", "gives-up"),
    ("no-cap", "waits in all no longer than its cap allows", "total-backoff"),
    ("nested-retries", "waits in all no longer than its cap allows", "total-backoff"),
    ("no-cap", "starts attempts at growing intervals from 200 ms to its cap", "attempt-delay"),
    ("nested-retries", "ends within its time limit", "duration"),
    (
        "retries-everything",
        "retries a refusal, but not a server that accepts and never answers",
        "retry-on",
    ),
    (
        "retries-nothing",
        "gets its answer after it was refused",
        "stdout connected bytes ended",
    ),
    ("wrong-order", "tries the backup only after the first server has failed", "order"),
    ("slow-fallback", "tries the backup at once", "fallback"),
    ("impatient", "has one attempt under way at a time", "concurrent-attempts"),
    ("leaks-socket", "has one attempt under way at a time", "concurrent-attempts"),
    ("leaks-socket", "leaves no socket open", "leaks"),
    ("hands-socket-on", "leaves no socket open", "leaks"),
    ("same-seed", "spreads the retries of ten clients by its jitter", "backoff"),
    ("same-seed", "ten clients with random backoff spread their retries", "herd"),
    ("slow-read", "waits 400 ms for the answer to its question", "read-timeout"),
    ("nested-retries", "is done with connecting within a second", "connecting"),
    ("pauses-first", "retries at once, and then after pauses that double", "backoff"),
    ("wide-jitter", "adds up to 200 ms to each pause", "backoff"),
    ("never-resets", "begins its backoff again after a success", "backoff"),
    ("no-pause", "goes on trying every 300 ms until it is stopped", "backoff"),
    ("slow-stop", "ends within a second of SIGTERM", "exit"),
    ("wrong-order", "tries the first address before the second", "order"),
    ("slow-fallback", "turns to the second address at once", "fallback"),
    ("wrong-order", "turns to the second address at once", "fallback"),
    ("no-pause", "pauses between rounds over all addresses", "backoff"),
    ("retries-nothing", "needs the backup once at most", "attempts"),
]

# The same for clients that keep a connection, with keeper.py; the scenarios are in
# scenarios/restart.
RESTART = "connects again after its server has restarted, over ipv4"
KEEPER = [
    ("no-pause", RESTART, "backoff"),
    ("retries-nothing", RESTART, "exit connected reconnects"),
    ("keeps-dead", RESTART, "stale"),
    ("keeps-old", RESTART, "stale sockets"),  # left open
]

# The clients as given after "--", where "--mistake NAME" is added; for REFUSED.
COMMANDS = {
    "python": ["python3", str(ROOT / "targets/clients/fetch.py"), "--delay=0.3", "http://${api}/"],
    "backoff": ["synfault-backoff", "--base=200", "--cap=400", "${api}"],
    "curl": ["synfault-curl-retry", "--delay=300", "http://${api}/"],
}

# A run spends its time waiting, so there can be more runs at once than processors.
CONCURRENT = 2 * (os.cpu_count() or 1)
EXIT_PASS, EXIT_FAIL = 0, 1


def pack_of(name):
    """Returns the file below scenarios/behaviour that has the scenario of this name."""
    return next(f"behaviour/{path.name}"
                for path in sorted((ROOT / "scenarios/behaviour").glob("*.yaml"))
                if f"\nname: {name}\n" in path.read_text(encoding="utf-8"))


class Case:
    """One run of one scenario, and its expected result."""

    def __init__(self, client, scenario, mistake=None, finding=None, by_switch=False):
        self.client, self.mistake, self.finding = client, mistake, finding
        directory, self.scenario = scenario
        self.pack = pack_of(self.scenario) if directory == "behaviour" \
            else f"{directory}/{client}.yaml"
        self.by_switch = by_switch

    def __str__(self):
        if self.mistake is None:
            return f"{self.client}: without a mistake it passes: {self.scenario}"
        how = " (by switch)" if self.by_switch else ""
        return f"{self.client}: {self.mistake} is caught by {self.finding}{how}"

    def command(self, synfault, junit):
        pack = str(ROOT / "scenarios" / self.pack)
        command = [synfault, "run", "--late-retries", "8", "--filter", self.scenario,
                   "--junit", junit, pack]
        if self.finding == "timeout":
            command += ["--timeout", "5s"]  # a client that never ends need not run longer
        if self.by_switch:
            command += ["--", *COMMANDS[self.client], "--mistake", self.mistake]
        return command

    def environment(self, targets):
        environment = dict(os.environ)
        environment.pop("SYNFAULT_MISTAKE", None)
        environment["PATH"] = f"{targets}:{environment['PATH']}"
        if self.mistake is not None and not self.by_switch:
            environment["SYNFAULT_MISTAKE"] = self.mistake
        return environment


def findings(junit):
    """Returns the report's outcomes, the subjects of its findings, and its number of scenarios."""
    outcomes, subjects, n_cases = [], set(), 0
    for testcase in xml.etree.ElementTree.parse(junit).getroot().iter("testcase"):
        n_cases += 1
        for element in testcase:
            if element.tag not in ("failure", "error", "skipped"):
                continue
            outcomes.append(element.tag)
            # The type names only the first finding; the text numbers all of them.
            subjects.add(element.get("type"))
            subjects.update(re.findall(r"^\d+\. (\w+)", element.text or "", re.MULTILINE))
            if "the client was still running" in (element.text or ""):
                subjects.add("timeout")
    if "wait" in subjects:
        subjects.add("backoff")
    return outcomes, subjects, n_cases


def run(case, synfault, targets):
    """Returns what is wrong, as a list of lines."""
    with tempfile.TemporaryDirectory() as directory:
        junit = os.path.join(directory, "junit.xml")
        process = subprocess.run(
            case.command(synfault, junit),
            env=case.environment(targets),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=150,
        )
        problems = []
        expected = EXIT_PASS if case.mistake is None else EXIT_FAIL
        if process.returncode != expected:
            problems.append(f"exit status {process.returncode} instead of {expected}")
        try:
            outcomes, subjects, n_cases = findings(junit)
        except (OSError, xml.etree.ElementTree.ParseError) as error:
            outcomes, subjects, n_cases = [], set(), 0
            problems.append(f"no report: {error}")
        if n_cases != 1:
            problems.append(f"{n_cases} scenarios ran instead of 1")
        if outcomes != ([] if case.mistake is None else ["failure"]):
            problems.append(f"outcomes {outcomes}")
        for finding in case.finding.split() if case.mistake is not None else ():
            if finding not in subjects:
                problems.append(f"no finding about {finding}, only about {subjects}")
        if problems:
            problems += process.stdout.splitlines()
        return problems


def all_cases():
    cases = []
    for client in CLIENTS:
        for scenario in dict.fromkeys(scenario for _, scenario, _ in MISTAKES):
            cases.append(Case(client, scenario))
        for mistake, scenario, finding in MISTAKES:
            cases.append(Case(client, scenario, mistake, finding))
        cases.append(Case(client, REFUSED, "no-pause", "backoff", by_switch=True))
    for mistake, name, finding in BEHAVIOUR:
        scenario = ("behaviour", name)
        cases.append(Case("backoff", scenario))
        cases.append(Case("backoff", scenario, mistake, finding))
    cases.append(Case("keeper", ("restart", RESTART)))
    for mistake, name, finding in KEEPER:
        cases.append(Case("keeper", ("restart", name), mistake, finding))
    return cases


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    synfault, targets = (os.path.abspath(argument) for argument in sys.argv[1:])
    cases = all_cases()
    failed = False
    print(f"1..{len(cases)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(CONCURRENT) as pool:
        results = pool.map(lambda case: run(case, synfault, targets), cases)
        for number, (case, problems) in enumerate(zip(cases, results), start=1):
            print(f"{'not ok' if problems else 'ok'} {number} - {case}")
            for line in problems:
                print(f"# {line}")
            sys.stdout.flush()
            failed = failed or bool(problems)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
