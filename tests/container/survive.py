#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs in the container as its first process: survive.py REPORT CASE...

Each case breaks something while synfault runs: kills it, or takes memory, processes or disk space away.
Then what synfault prints has to be right, and nothing may be left, or its next start has to remove it.
What is wrong is written to REPORT as JSON, a list of lines for each case.
"""

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import traceback
import xml.etree.ElementTree
from pathlib import Path

import inside

EXIT_PASS, EXIT_FAILED, EXIT_UNJUDGED = 0, 1, 3
# Longer than anything takes.
PATIENCE_S = 30
RUN_S = 120
WORK = Path(sys.argv[1]).parent / "work"
# A directory on a file system without room; see faults.py.
FULL = Path("/full")
# Only shared sandboxes: private ones have a test of their own.
SYNFAULT = ("synfault", "run", "--isolation", "shared", "--timing-scale", "4")
MANY = 60
# Not enough for many scenarios at once.
FEW_PROCESSES = 24

# Connects, says so, leaves a daemon behind and never ends; judged by its attempts alone, it looks right.
ENDLESS = """
name: endless {name}
timeout: 10m
endpoints: {{api: {{faults: [refuse, accept], families: [{family}]}}}}
client:
  command:
    - sh
    - -c
    - 'synfault-tiny --tries 2 "$1"; setsid sleep 1000 & touch {work}/{name}; exec sleep 1000'
    - sh
    - ${{api}}
expect: {{attempts: 2}}
"""
QUICK = """
name: quick {name}
endpoints: {{api: {{faults: [refuse, accept], families: [{family}]}}}}
client: {{command: [synfault-tiny, --tries, "2", --sleep, "500", "${{api}}"]}}
expect: {{exit: 0, attempts: 2}}
"""
# Its client is wrong, so it must never pass.
WRONG = """
name: wrong {name}
endpoints: {{api: {{faults: [refuse, accept], families: [{family}]}}}}
client: {{command: [synfault-tiny, --tries, "1", "${{api}}"]}}
expect: {{exit: 0, attempts: 2}}
"""
# Takes more memory than there is.
EATER = "eaten = [bytearray(b'x') * (4 << 20) for _ in range(200)]"
HUNGRY = """
name: hungry {name}
endpoints: {{api: {{families: [{family}]}}}}
client:
  command: [sh, -c, 'synfault-tiny "$1" && exec python3 -c "$2"', sh, "${{api}}", "{eater}"]
expect: {{exit: 0, attempts: 1}}
"""
# Which process the kernel kills when memory is short, in thousandths of all memory that count as used by
# it: first the one that a case names, then the eater, then synfault rather than this script.
OOM_SYNFAULT, OOM_VICTIM = "500", "1000"


# ---- the program ----

def prefer_to_kill(score, pid="self"):
    Path(f"/proc/{pid}/oom_score_adj").write_text(score, encoding="ascii")


def write(file, *documents):
    """Writes a scenario file from pairs of template and name. IPv6 and IPv4 take turns."""
    texts = [template.format(name=name, family=("ipv6", "ipv4")[number % 2], work=WORK, eater=EATER)
             for number, (template, name) in enumerate(documents)]
    path = WORK / file
    path.write_text("---".join(texts), encoding="utf-8")
    return path


def many():
    return write("many.yaml", *((template, f"{number}") for number in range(MANY // 2)
                                for template in (QUICK, WRONG)))


class Program:
    """synfault, running these files."""

    def __init__(self, *arguments, name="run", most_processes=None, **options):
        def prepare():
            prefer_to_kill(OOM_SYNFAULT)
            if most_processes:
                resource.setrlimit(resource.RLIMIT_NPROC, (most_processes, most_processes))


        self.junit = WORK / f"{name}.xml"
        self.log = WORK / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*SYNFAULT, "--junit", self.junit, *arguments], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, preexec_fn=prepare, **options)

    def wait(self):
        return self.process.wait(timeout=RUN_S)

    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def supervisors(self):
        """Its children."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # The name, in parentheses, can contain anything.
                fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
                if int(fields[1]) == self.process.pid and fields[0] != "Z":
                    found.append(int(path.parent.name))
        return found

    def outcomes(self):
        found = {}
        for case in xml.etree.ElementTree.parse(self.junit).iter("testcase"):
            for element in case:
                if element.tag in ("failure", "error", "skipped"):
                    found[case.get("name")] = element.tag, element.get("message")
            found.setdefault(case.get("name"), ("pass", ""))
        return found


def until(condition, what):
    by = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > by:
            raise TimeoutError(f"waited in vain: {what}")
        time.sleep(0.02)


def under_way(*names):
    until(lambda: all((WORK / name).exists() for name in names), f"{names} under way")


# ---- what a case looks at afterwards ----

def left_behind(before):
    """Returns lines about what was not there before, after giving it time to disappear."""
    by = time.monotonic() + PATIENCE_S
    after = inside.state()
    while after != before and time.monotonic() < by:
        time.sleep(0.05)
        after = inside.state()
    return [f"left behind: {what} were {before[what]}, are {after[what]}"
            for what in before if after[what] != before[what]]


def expect_status(program, *expected):
    status = program.wait()
    if status not in expected:
        yield f"exit status {status}, not {expected}:"
        yield from program.output().splitlines()[-40:]


def expect_outcomes(program, expected):
    """expected: by start of the name, the outcome and a part of its message"""
    found = program.outcomes()
    for start, (outcome, text) in expected.items():
        for name in [name for name in found if name.startswith(start)] or [None]:
            actual, message = found.get(name, ("missing", ""))
            if not re.fullmatch(outcome, actual) or text not in message:
                yield f"{name or start}: {actual} ({message}) instead of {outcome} ({text})"


def expect_next_run(before):
    """Checks that the next run does what it should, and removes what was left."""
    program = Program(write("next.yaml", (QUICK, "a"), (QUICK, "b"), (WRONG, "c")), name="next")
    yield from expect_status(program, EXIT_FAILED)
    yield from expect_outcomes(program, {"quick a": ("pass", ""), "quick b": ("pass", ""),
                                         "wrong c": ("failure", "")})
    yield from left_behind(before)


def expect_no_report(program):
    if program.junit.exists():
        yield "there is a report of a run that did not end"


# ---- the cases ----

def endless():
    program = Program(write("endless.yaml", (ENDLESS, "first"), (ENDLESS, "second")))
    under_way("first", "second")
    return program


def program_killed(before):
    program = endless()
    program.process.kill()
    yield from expect_status(program, -signal.SIGKILL)
    # This needs no further process.
    yield from left_behind(before)
    yield from expect_no_report(program)
    yield from expect_next_run(before)


def supervisor_killed(before):
    program = Program(write("mixed.yaml", (ENDLESS, "first"), (QUICK, "a"), (WRONG, "b")), "--jobs",
                      "3")
    under_way("first")
    until(lambda: len(program.supervisors()) == 1, "the others to end")
    os.kill(program.supervisors()[0], signal.SIGKILL)
    yield from expect_status(program, EXIT_FAILED)
    yield from expect_outcomes(program, {"endless": ("error", "killed by signal 9"),
                                         "quick": ("pass", ""), "wrong": ("failure", "")})
    yield from left_behind(before)


def only_supervisor_killed(before):
    program = Program(write("single.yaml", (ENDLESS, "first")))
    under_way("first")
    os.kill(program.supervisors()[0], signal.SIGKILL)
    yield from expect_status(program, EXIT_UNJUDGED)
    yield from expect_outcomes(program, {"endless": ("error", "killed by signal 9")})
    yield from left_behind(before)


def harness_killed(before):
    """Kills the program and its supervisors at once: what is left belongs to the clients."""
    program = endless()
    pids = [program.process.pid, *program.supervisors()]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            os.kill(pid, number)
    yield from expect_status(program, -signal.SIGKILL)
    if inside.processes() == before["processes"]:
        yield "nothing was left that could be swept"
    yield from expect_no_report(program)
    yield from expect_next_run(before)


def all_but_init_killed(before):
    program = endless()
    subprocess.run(["sh", "-c", "kill -9 -1"], check=False)
    yield from expect_status(program, -signal.SIGKILL)
    left = inside.state()
    if left["addresses"] == before["addresses"] or left["files"] == before["files"]:
        yield f"nothing was left that could be swept: {left}"
    yield from expect_no_report(program)
    yield from expect_next_run(before)


def two_at_once(before):
    """Both are right, even if a third one is killed beside them."""
    third = endless()
    programs = [Program(many(), "--jobs", "10", name=name) for name in ("one", "two")]
    third.process.kill()
    third.wait()
    for program in programs:
        yield from expect_status(program, EXIT_FAILED)
        yield from expect_outcomes(program, {"quick": ("pass", ""), "wrong": ("failure", "")})
        if len(program.outcomes()) != MANY:
            yield f"{len(program.outcomes())} outcomes instead of {MANY}"
    yield from left_behind(before)


def exhausted(before, **options):
    """Without enough processes there are errors, but no wrong outcome."""
    program = Program(many(), "--jobs", str(MANY), name="exhausted", **options)
    yield from expect_status(program, EXIT_FAILED, EXIT_UNJUDGED)
    yield from expect_outcomes(program, {"quick": ("pass|error", ""), "wrong": ("failure|error", "")})
    if not any(outcome == "error" for outcome, _ in program.outcomes().values()):
        yield "there were processes enough"
    yield from left_behind(before)
    # On its own it starts no more than there is room for.
    program = Program(many(), name="fitting", **options)
    yield from expect_status(program, EXIT_FAILED)
    yield from expect_outcomes(program, {"quick": ("pass", ""), "wrong": ("failure", "")})
    yield from left_behind(before)


def user_processes(before):
    yield from exhausted(before, most_processes=FEW_PROCESSES)


def fill(path):
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))


def report_on_full_disk(before):
    fill(FULL / "filler")
    for option, path in (("--junit", FULL / "report.xml"), ("--records", FULL / "records")):
        program = Program(write("next.yaml", (QUICK, "a")), option, path, name=option.strip("-"))
        if program.wait() in (EXIT_PASS, EXIT_FAILED) or program.process.returncode < 0:
            yield f"{option}: exit status {program.process.returncode}"
        if "No space left on device" not in program.output() or str(path) not in program.output():
            yield f"{option}: no clear error:"
            yield from program.output().splitlines()
        if option == "--junit" and path.exists():
            yield f"{path} is there, in part"
    yield from left_behind(before)


def temporary_directory_on_full_disk(before):
    program = Program(write("next.yaml", (QUICK, "a"), (WRONG, "b")),
                      env={**os.environ, "TMPDIR": str(FULL)}, name="full")
    status = program.wait()
    if status not in (EXIT_FAILED, EXIT_UNJUDGED):
        yield f"exit status {status}"
    yield from expect_outcomes(program, {"quick": ("pass|error", ""), "wrong": ("failure|error", "")})
    yield from left_behind(before)


def out_of_memory(pid):
    """Takes all memory: the kernel first kills this process, and then the one that takes it."""
    prefer_to_kill(OOM_VICTIM, pid)
    subprocess.run([sys.executable, "-c", EATER], check=False)


def client_out_of_memory(before):
    program = Program(write("hungry.yaml", (HUNGRY, "a"), (QUICK, "b"), (WRONG, "c")))
    yield from expect_status(program, EXIT_FAILED)
    yield from expect_outcomes(program, {"hungry": ("failure", "signal KILL"), "quick": ("pass", ""),
                                         "wrong": ("failure", "")})
    yield from left_behind(before)


def supervisor_out_of_memory(before):
    program = Program(write("single.yaml", (ENDLESS, "first")))
    under_way("first")
    out_of_memory(program.supervisors()[0])
    yield from expect_status(program, EXIT_UNJUDGED)
    yield from expect_outcomes(program, {"endless": ("error", "killed by signal 9")})
    yield from left_behind(before)


def program_out_of_memory(before):
    program = endless()
    out_of_memory(program.process.pid)
    yield from expect_status(program, -signal.SIGKILL)
    yield from expect_no_report(program)
    yield from expect_next_run(before)


CASES = {
    "the program is killed": program_killed,
    "a supervisor is killed": supervisor_killed,
    "the only supervisor is killed": only_supervisor_killed,
    "all of the harness is killed at once": harness_killed,
    "all but init are killed": all_but_init_killed,
    "two programs at once, and a third that is killed": two_at_once,
    "the report's disk is full": report_on_full_disk,
    "the disk of temporary directories is full": temporary_directory_on_full_disk,
    "a user's limit of processes is reached": user_processes,
    "the group's limit of processes is reached": exhausted,
    "a client takes all memory": client_out_of_memory,
    "a supervisor is killed for lack of memory": supervisor_out_of_memory,
    "the program is killed for lack of memory": program_out_of_memory,
}


def clean():
    WORK.mkdir(exist_ok=True)
    for path in WORK.iterdir():
        if path.is_file():
            path.unlink()


def attempt(case):
    clean()
    try:
        return [*CASES[case](inside.state())]
    except Exception:  # a broken case must not hide the others
        logs = [f"{path.name}: {line}" for path in WORK.glob("*.log")
                for line in path.read_text(encoding="utf-8").splitlines()[-20:]]
        # What it left would count against another case.
        with contextlib.suppress(OSError):
            os.kill(-1, signal.SIGKILL)
        return [*traceback.format_exc().splitlines(), *logs]


def main():
    if os.getpid() != 1:
        sys.exit("not the first process of a container: it kills all others")
    found = {}
    for case in sys.argv[2:]:
        started = time.monotonic()
        found[case] = attempt(case)
        print(f"# {case}: {time.monotonic() - started:.1f} s", flush=True)
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


main()
