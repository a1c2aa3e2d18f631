#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Finished runs: what `run --json` writes, and what report, judge and compare make of it.

stored.py SYNFAULT: the report is TAP. Skips if scenarios can't run here.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "integration" / "data" / "run-1.json"
NOBODY = 65534

SCENARIOS = r"""
name: is refused twice
tags: [refuse]
endpoints: {api: {faults: [refuse x2, accept]}}
client:
  command: [sh, -c, "for i in 1 2 3; do curl -s http://${api}/ && exit 0; sleep 0.3; done"]
expect: {exit: 0, attempts: 3, backoff: {fixed: 320ms}}
---
name: expects too much
endpoints: {api: {faults: [refuse]}}
client: {command: [sh, -c, "printf '\\033[1m\\377]]>\\000x'; curl -s http://${api}/"]}
expect: {exit: 0, attempts: 2}
---
name: is wrong
endpoints: {api: {fautls: [refuse]}}
client: {command: [curl, "http://${api}/"]}
expect: {exit: 0}
"""
FLAKY = """
name: passes at the second time
endpoints: {api: {faults: [accept]}}
client: {command: [sh, -c, "curl -s http://${api}/; [ -e again ] || { touch again; exit 1; }"]}
expect: {exit: 0}
"""


class Tap:
    def __init__(self):
        self.number, self.failed = 0, False

    def result(self, name, *problems):
        found = [line for problem in problems if problem for line in str(problem).splitlines()[:20]]
        self.number += 1
        print(f"{'not ok' if found else 'ok'} {self.number} - {name}", flush=True)
        for line in found:
            print(f"# {line}")
        self.failed = self.failed or bool(found)

    def end(self):
        print(f"1..{self.number}")
        sys.exit(1 if self.failed else 0)


class Place:
    """A directory in which synfault runs."""

    def __init__(self, synfault, directory):
        self.synfault, self.directory = synfault, pathlib.Path(directory)

    def run(self, *arguments, **options):
        return subprocess.run([self.synfault, *arguments], cwd=self.directory, capture_output=True, text=True,
                              errors="replace", check=False, **options)

    def read(self, name):
        return (self.directory / name).read_bytes()

    def json(self, name):
        return json.loads(self.read(name))


def unless(condition, text):
    return "" if condition else text


def last_line(process):
    return process.stdout.strip().splitlines()[-1] if process.stdout.strip() else ""


def schema_problems(document):
    schema = json.loads((ROOT / "docs" / "run.schema.json").read_text())
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
            for error in jsonschema.Draft7Validator(schema).iter_errors(document)]


def test_document(tap, here):
    run = here.run("run", "--json", "run.json", "--junit", "run.xml", "a.yaml")
    document = here.json("run.json")
    outcomes = [scenario["outcome"] for scenario in document["scenarios"]]
    tap.result("run --json writes a document that matches its schema", *schema_problems(document))
    tap.result("it has all results of the scenarios",
               unless(outcomes == ["pass", "fail", "error"], outcomes),
               unless(document["summary"]["exit_status"] == run.returncode == 1, document["summary"]),
               unless(document["scenarios"][2]["diagnostics"][0]["hint"] == 'did you mean "faults"?', "no hint"),
               unless(document["files"][0]["source"] == SCENARIOS, "not the source"),
               unless("base64" in document["scenarios"][1]["record"]["streams"][0]["head"], "not base64"))
    return run


def test_report(tap, here, elsewhere):
    """Reports and judges without the scenario files and without privileges."""
    report = elsewhere.run("report", "run.json", "--junit", "again.xml", "--json", "again.json", user=NOBODY)
    tap.result("report makes the same JUnit report and the same document, elsewhere, as another user",
               unless(report.returncode == 0, report.stderr),
               unless(elsewhere.read("again.xml") == here.read("run.xml"), "another JUnit report"),
               unless(elsewhere.read("again.json") == here.read("run.json"), "another document"))


def test_judge(tap, elsewhere, run):
    judged = elsewhere.run("judge", "run.json", user=NOBODY)
    tap.result("judge comes to the same result elsewhere, as another user",
               unless(judged.returncode == run.returncode, f"{judged.returncode}: {judged.stderr}"),
               unless(last_line(judged) == last_line(run), judged.stdout),
               unless("expects too much" in judged.stdout, judged.stdout))
    lenient = SCENARIOS.split("---")[1].replace("exit: 0, attempts: 2", "exit: nonzero, attempts: 1")
    (elsewhere.directory / "b.yaml").write_text(lenient)
    judged = elsewhere.run("judge", "run.json", "b.yaml", user=NOBODY)
    tap.result("judge uses what the given scenarios expect now",
               unless(judged.returncode == 0, f"{judged.returncode}: {judged.stdout}{judged.stderr}"),
               unless(last_line(judged) == "1 passed, 0 failed, 0 skipped", judged.stdout))
    (elsewhere.directory / "b.yaml").write_text(SCENARIOS.split("---")[0].replace("320ms", "2s"))
    judged = elsewhere.run("judge", "run.json", "b.yaml", "--json", "b.json")
    seen = elsewhere.json("b.json")["scenarios"][0]["judgement"]["findings"][0].get("looks_like", "")
    report = elsewhere.run("report", "b.json")
    tap.result("what backoff shows is found later, stored, and shown by report",
               unless(seen.startswith("backoff: maybe fixed"), seen),
               unless(seen in judged.stdout, judged.stdout), unless(seen in report.stdout, report.stdout),
               *schema_problems(elsewhere.json("b.json")))
    (elsewhere.directory / "b.yaml").write_text(lenient.replace("refuse]", "drop]"))
    judged = elsewhere.run("judge", "run.json", "b.yaml")
    tap.result("judge refuses a record of other faults as evidence",
               unless(judged.returncode == 3, f"{judged.returncode}: {judged.stdout}"),
               unless("the record is of another scenario" in judged.stdout, judged.stdout))
    (elsewhere.directory / "b.yaml").write_text(lenient.replace("expects too much", "is new"))
    judged = elsewhere.run("judge", "run.json", "b.yaml")
    tap.result("judge says which scenarios have no record",
               unless(judged.returncode == 5, f"{judged.returncode}: {judged.stdout}"),
               unless("no record: b.yaml:2: is new" in judged.stderr, judged.stderr))


def test_records(tap, here):
    here.run("run", "--records", "records", "a.yaml")
    judged = here.run("judge", "records", user=NOBODY)
    tap.result("judge reads a directory of records",
               unless(judged.returncode == 1, f"{judged.returncode}: {judged.stdout}{judged.stderr}"),
               unless(last_line(judged) == "1 passed, 1 failed, 0 skipped", judged.stdout))
    compared = here.run("compare", "records", "run.json")
    tap.result("compare reads a directory of records, too", unless("2 the same" in compared.stdout, compared.stdout + compared.stderr))


def test_compare(tap, here):
    here.run("run", "--json", "second.json", "a.yaml")
    compared = here.run("compare", "run.json", "second.json", user=NOBODY)
    tap.result("compare finds no difference between two runs of the same client",
               unless(compared.returncode == 0, compared.stdout + compared.stderr))
    here.run("run", "--json", "third.json", "a.yaml", "--filter", "is refused twice", "--", "sh", "-c",
             "for i in 1 2; do curl -s http://${api}/; sleep 1; done; exit 7")
    compared = here.run("compare", "run.json", "third.json")
    tap.result("compare reports how another client behaves differently",
               unless(compared.returncode == 1, compared.returncode),
               *(unless(text in compared.stdout, f"{text}: {compared.stdout}")
                 for text in ("attempts\n    old  3\n    new  2", "backoff 1: 3", "old  exit 0\n    new  exit 7",
                              "removed: a.yaml: expects too much", "0 the same, 1 different, 0 added, 2 removed")))
    document = json.loads(here.run("compare", "--format", "json", "run.json", "third.json").stdout)
    tap.result("compare reports differences as JSON",
               unless([scenario["result"] for scenario in document["scenarios"]] ==
                      ["different", "removed", "removed"], document))


def test_flaky(tap, here):
    (here.directory / "flaky.yaml").write_text(FLAKY)
    run = here.run("run", "--retries", "1", "--json", "flaky.json", "--junit", "flaky.xml", "flaky.yaml")
    document = here.json("flaky.json")
    scenario = document["scenarios"][0]
    here.run("report", "flaky.json", "--junit", "flaky-again.xml")
    tap.result("a flaky scenario is stored with its first run",
               unless(scenario["reason"] == "passed in run 2; run 1: exit status: expected 0, got 1", scenario),
               unless(run.returncode == 0, run.stdout), *schema_problems(document),
               unless(scenario["flaky"] and scenario["earlier"][0]["judgement"]["outcome"] == "fail", scenario),
               unless(here.read("flaky.xml") == here.read("flaky-again.xml"), "another JUnit report"),
               unless("1 flaky" in here.run("judge", "flaky.json").stdout, "not flaky when judged again"))


def test_shown(tap, here, run):
    """A stored run looks the same as the run itself."""
    problems = []
    for options in (["--failure-output", "never"], ["--failure-output", "immediate"], ["--quiet"]):
        for command in ("report", "judge"):
            shown = here.run(command, "run.json", *options)
            # The names of both failures appear once more at the end.
            full, once = shown.stdout.count("  reproduce: "), shown.stdout.count("expects too much")
            expected = {"never": 0, "immediate": 1, "--quiet": 1}[options[-1]]
            if full != expected or not once or ("PASS" in shown.stdout) == (options == ["--quiet"]):
                problems.append(f"{command} {options}: {shown.stdout}{shown.stderr}")
    verbose = here.run("report", "run.json", "-v", env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    tap.result("report and judge show failures as their options say", *problems,
               unless("  expectations\n    ✓ exit      0\n" in verbose, verbose),
               unless("✗ attempts  1  expected 2" in verbose, verbose))
    page = here.directory / "summary.md"
    environment = {**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page)}
    for command, arguments, wanted in (("report", [], True), ("judge", [], True),
                                       ("report", ["--html-single", "page.html"], False),
                                       ("report", ["--html-single", "page.html", "--github", "always"], True),
                                       ("judge", ["--github", "never"], False)):
        page.unlink(missing_ok=True)
        shown = here.run(command, "run.json", *arguments, env=environment)
        lines = shown.stdout.splitlines()
        places = [number for number, line in enumerate(lines) if line.startswith("::error file=a.yaml,line=")]
        stops = [number for number, line in enumerate(lines) if line.startswith("::stop-commands::")]
        tap.result(f"{command} {' '.join(arguments)} writes {'' if wanted else 'no '}annotations and summary",
                   unless((stops == [0] and len(places) == 2) == wanted, shown.stdout + shown.stderr),
                   unless(wanted or not (stops or places), shown.stdout),
                   unless(page.exists() == wanted, "a summary" if page.exists() else "no summary"),
                   unless(not wanted or last_line(shown) == last_line(run), shown.stdout))


def test_interrupted(tap, here):
    (here.directory / "long.yaml").write_text(
        "name: takes long\nendpoints: {api: {}}\n"
        "client: {command: [sh, -c, \"touch started; sleep 20\"]}\nexpect: {exit: 0}\n")
    running = subprocess.Popen([here.synfault, "run", "--json", "long.json", "long.yaml"], cwd=here.directory,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 15
    while not (here.directory / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    status = running.wait(20)
    document = here.json("long.json")
    tap.result("an interrupted run writes its document, too", *schema_problems(document),
               unless(status == 2, status), unless(document["interrupted"] and document["stop"] == "signal", document))


def test_refusals(tap, here):
    (here.directory / "other.json").write_text("{\"format\": \"other\"}")
    cases = [
        (["report", "nowhere.json"], "nowhere.json: can't be read: No such file"),
        (["report", "other.json"], "other.json: the document: not written by `synfault run --json`"),
        (["judge", "a.yaml"], "a.yaml: this is a scenario, not a run"),
        (["compare", "run.json", "other.json"], "other.json: the document: not written by"),
        (["judge", "records/.."], "is not what `synfault run --records` writes"),
        (["report", "run.json", "--junit", "."], "can't write the JUnit report"),
        (["judge", "run.json", "nowhere.yaml"], "nowhere.yaml: error: there is no such file"),
        (["compare", "run.json"], "two runs are needed"),
    ]
    problems = []
    for arguments, message in cases:
        process = here.run(*arguments)
        if process.returncode != 4 or message not in process.stderr:
            problems.append(f"{' '.join(arguments)}: {process.returncode}: {process.stderr}")
    tap.result("a file that is not a run is refused with its place", *problems)


def status_of(process):
    """Returns /proc/PID/status as a mapping."""
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return dict(line.split(":", 1) for line in text.splitlines())


def test_confinement(tap, here):
    """Readers of others' files have confined themselves by the time they open one: here, a FIFO."""
    fifo = here.directory / "fifo"
    os.mkfifo(fifo)
    sanitized = b"__asan_init" in pathlib.Path(here.synfault).read_bytes()
    problems = []
    for arguments in (["judge", "fifo"], ["report", "fifo"], ["compare", "fifo", "fifo"], ["merge", "out.xml", "fifo"]):
        with subprocess.Popen([here.synfault, *arguments], cwd=here.directory, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) as process:
            # Returns when the program has the other end, and before it can have read anything.
            with open(fifo, "w", encoding="utf-8") as file:
                status = status_of(process)
                file.write("hostile")
            process.communicate(timeout=20)
        # Programs with sanitizers trace themselves at their end, so they have no filter.
        if not sanitized and status["Seccomp"].strip() != "2":
            problems.append(f"{arguments}: has no filter")
        # CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER and FSETID
        if int(status["CapPrm"], 16) & ~0x1f:
            problems.append(f"{arguments}: has the capabilities {status['CapPrm'].strip()}")
        if process.returncode not in (3, 4):
            problems.append(f"{arguments}: exit status {process.returncode}")
    tap.result("readers of what others wrote are confined before they read", *problems)


def test_sample(tap, here):
    """A document of version 1, kept for this test."""
    judged = here.run("judge", str(SAMPLE))
    tap.result("a document of version 1 is refused by its version",
               unless(judged.returncode == 4 and 'format 1 was made by an older synfault' in judged.stderr, judged.stdout + judged.stderr))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tap = Tap()
    if subprocess.run([sys.argv[1], "doctor"], capture_output=True, check=False).returncode or os.geteuid() != 0:
        print("1..0 # SKIP scenarios can't be run here, or not by root")
        sys.exit(1 if os.environ.get("SYNFAULT_REQUIRE_PRIVILEGES") == "1" else 0)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second, \
            tempfile.TemporaryDirectory() as third:
        # Every user can reach this directory, unlike the build directory.
        program = shutil.copy(sys.argv[1], third)
        os.chmod(third, 0o755)
        here, elsewhere = Place(program, first), Place(program, second)
        os.chmod(first, 0o755)
        os.chmod(second, 0o777)
        (here.directory / "a.yaml").write_text(SCENARIOS)
        run = test_document(tap, here)
        (elsewhere.directory / "run.json").write_bytes(here.read("run.json"))
        test_report(tap, here, elsewhere)
        test_judge(tap, elsewhere, run)
        test_records(tap, here)
        test_compare(tap, here)
        test_flaky(tap, here)
        test_shown(tap, here, run)
        test_interrupted(tap, here)
        test_refusals(tap, here)
        test_confinement(tap, here)
        test_sample(tap, here)
    tap.end()


main()
