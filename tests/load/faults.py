#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A broken machine makes errors, and no false verdicts: kills and stops any process of a run, and takes
memory, processes and disk space away.

faults.py SYNFAULT TARGETS [--runs N]: each fault hits N runs of a right and of a wrong client, in private and
in shared sandboxes, at a random moment. No right client may fail (unless it is itself what was hit), no wrong
one pass, and after the next run nothing may be left: no process, no firewall rule, no file. Prints a table.
Runs in namespaces of its own, as root.
"""

import argparse
import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import quota

INSIDE = "SYNFAULT_FAULTS_INSIDE"
PATIENCE_S = 10
LONGEST_S = 60
SCENARIO = """
name: ${{matrix.n}}
matrix: {{n: [1, 2, 3]}}
endpoints: {{api: {{families: [ipv4, ipv6], faults: [refuse x2, accept]}}}}
client: {{command: [synfault-tiny, --tries, "{tries}", --sleep, "60", "${{api}}"]}}
expect: {{exit: 0, attempts: 3}}
"""
RIGHT, WRONG = 3, 2
# By exit status of synfault; others are crashes, or the signal that it was killed by.
OUTCOMES = {0: "pass", 1: "fail", 2: "error", 3: "error"}


# ---- faults ----

def is_client(pid):
    with contextlib.suppress(OSError):
        return b"synfault-tiny" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def hit(program, number, pause_s=0):
    """Sends a signal to any process of the run at any moment. Returns whether it was the client."""
    time.sleep(random.uniform(0, 0.6))
    victims = [program.pid, *quota.descendants(program.pid)]
    victim = random.choice(victims)
    client = is_client(victim)
    with contextlib.suppress(ProcessLookupError):
        os.kill(victim, number)
        if pause_s:
            time.sleep(pause_s)
            os.kill(victim, signal.SIGCONT)
    return client


def kill(program):
    return hit(program, signal.SIGKILL)


def stop(program):
    return hit(program, signal.SIGSTOP, random.uniform(0.01, 0.4))


def nothing(_program):
    return False


def few_processes():
    """Counts all processes of the user, also those outside; only an ordinary user's are limited."""
    resource.setrlimit(resource.RLIMIT_NPROC, (random.randint(1, 12),) * 2)
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def little_memory():
    size = random.randint(30, 150) << 20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def small_files():
    """As on a full disk, but with SIGXFSZ ignored: writing fails with EFBIG."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = random.choice([0, 100, 4000])
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


# Name: what prepares the program, what happens while it runs, and whether it needs a report.
FAULTS = {
    "none": (None, nothing, False),
    "kill": (None, kill, False),
    "stop": (None, stop, False),
    "processes": (few_processes, nothing, False),
    "memory": (little_memory, nothing, False),
    "disk": (small_files, nothing, True),
}


# ---- one run ----

def others():
    """Returns the processes of this pid namespace but this one, which is its first."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def reap():
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def left_processes():
    until = time.monotonic() + PATIENCE_S
    while others() and time.monotonic() < until:
        reap()
        time.sleep(0.02)
    left = others()
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return left


class Soak:
    def __init__(self, synfault, directory):
        self.synfault, self.directory = synfault, Path(directory)
        self.temporary = self.directory / "tmp"
        self.temporary.mkdir()
        self.temporary.chmod(0o1777)
        self.directory.chmod(0o777)
        for name, tries in (("right", RIGHT), ("wrong", WRONG)):
            (self.directory / f"{name}.yaml").write_text(SCENARIO.format(tries=tries), encoding="ascii")

    def start(self, name, mode, prepare=None, report=False):
        command = [self.synfault, "run", "-j", "3", "--isolation", mode, f"{name}.yaml"]
        if report:
            command += ["--json", "run.json", "--capture", "always"]
        # Alone in its process group: what is left of a run can't reach this script.
        return subprocess.Popen(command, cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env={**os.environ, "TMPDIR": str(self.temporary)}, preexec_fn=prepare,
                                start_new_session=True)

    def run(self, name, mode, fault):
        """Returns the outcome, and whether the client itself was hit."""
        prepare, act, report = FAULTS[fault]
        with self.start(name, mode, prepare, report) as program:
            client = act(program)
            try:
                status = program.wait(LONGEST_S)
            except subprocess.TimeoutExpired:
                program.kill()
                return "hang", client
        if status == -signal.SIGKILL:
            return "killed", client
        return OUTCOMES.get(status, f"status {status}"), client

    def left(self, mode):
        """Returns what is left: at once of processes, and after another run of anything else."""
        left = [f"process {pid}" for pid in left_processes()]
        if self.start("right", mode).wait(LONGEST_S) != 0:
            left.append("a run after it does not pass")
        left += [f"process {pid}" for pid in left_processes()]
        rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=False).stdout
        left += ["rules"] if rules.strip() else []
        left += [f"file {path.name}" for path in self.temporary.iterdir()]
        return left


def is_false(name, outcome, client):
    return outcome == "pass" if name == "wrong" else outcome == "fail" and not client


def soak(options, directory):
    """Prints a row for each fault, sandbox and client. Returns whether all is well."""
    this, good = Soak(options.synfault, directory), True
    print(f"{'':28}{'pass':>6}{'fail':>6}{'error':>6}{'killed':>7}{'false':>6}{'left':>6}  other")
    for fault in options.faults.split(","):
        for mode in ("private", "shared"):
            # An ordinary user has no shared sandboxes.
            if fault == "processes" and mode == "shared":
                continue
            for name in ("right", "wrong"):
                counts, wrong, left, notes = Counter(), 0, 0, Counter()
                for _ in range(options.runs):
                    outcome, client = this.run(name, mode, fault)
                    counts[outcome] += 1
                    wrong += is_false(name, outcome, client)
                    rest = this.left(mode)
                    left += bool(rest)
                    notes.update(rest)
                other = {key: count for key, count in counts.items() if key not in ("pass", "fail", "error", "killed")}
                print(f"{fault + ', ' + mode + ', ' + name:28}{counts['pass']:6}{counts['fail']:6}{counts['error']:6}"
                      f"{counts['killed']:7}{wrong:6}{left:6}  {dict(other) or ''} {dict(notes) or ''}", flush=True)
                good = good and not wrong and not left and "hang" not in counts
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("synfault", type=os.path.abspath)
    parser.add_argument("targets", type=os.path.abspath)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--faults", default=",".join(FAULTS))
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options = parser.parse_args()
    if INSIDE not in os.environ:
        arguments = [options.synfault, options.targets, "--runs", str(options.runs), "--faults", options.faults,
                     "--seed", str(options.seed)]
        os.execvpe("unshare", ["unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child", sys.executable,
                               __file__, *arguments], {**os.environ, INSIDE: "1"})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.environ["PATH"] = options.targets + ":" + os.environ["PATH"]
    random.seed(options.seed)
    print(f"--seed {options.seed}")
    with tempfile.TemporaryDirectory() as directory:
        return 0 if soak(options, directory) else 1


sys.exit(main())
