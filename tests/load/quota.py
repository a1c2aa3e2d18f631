# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes processor time away from a process and its descendants.

A quota is a share of one processor: a cgroup of version 2 or 1 if this process may make one. Otherwise all
processes are stopped for the rest of every 100 ms, which looks the same to them.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

PERIOD_US = 100000
STEPS = str(Path(__file__).resolve().parents[2] / "targets/clients/steps.py")
numbers = itertools.count(1)


class Cgroup:
    """A directory of either version of cgroups."""

    def __init__(self, directory):
        self.directory = directory

    @classmethod
    def parents(cls):
        """Returns the directories in which a group with a quota can be made."""
        for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
            _, controllers, path = line.split(":", 2)
            if "cpu" in controllers.split(","):
                yield Path("/sys/fs/cgroup/cpu") / path.lstrip("/")
            elif not controllers:
                yield Path("/sys/fs/cgroup") / path.lstrip("/")

    @classmethod
    def make(cls, percent):
        """Returns a group with this quota, or None if that is not permitted."""
        for parent in cls.parents():
            directory = parent / f"synfault-load-{os.getpid()}-{next(numbers)}"
            try:
                directory.mkdir()
            except OSError:
                continue
            with contextlib.suppress(OSError):
                if (directory / "cpu.max").exists():
                    (directory / "cpu.max").write_text(f"{percent * PERIOD_US // 100} {PERIOD_US}")
                    return cls(directory)
                if (directory / "cpu.cfs_quota_us").exists():
                    (directory / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                    (directory / "cpu.cfs_quota_us").write_text(str(percent * PERIOD_US // 100))
                    return cls(directory)
            directory.rmdir()
        return None

    def add(self, pid):
        (self.directory / "cgroup.procs").write_text(str(pid))

    def remove(self):
        """After its processes have ended; the kernel may need a moment to notice."""
        for _ in range(100):
            try:
                self.directory.rmdir()
                return
            except OSError:
                time.sleep(0.02)


def descendants(pid):
    """Returns the processes below one, parents first."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for process in found:
        found += children.get(process, [])
    return found[1:]


def is_client(pid):
    """Returns whether the process runs one of the targets."""
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
        return command[0] == "synfault-backoff" or command[1:2] == [STEPS]
    return False


class DutyCycle:
    """Stops processes for a part of each period, from outside."""

    def __init__(self, percent, choose):
        self.percent, self.choose = percent, choose
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def send(self, pids, number):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def run(self):
        period = PERIOD_US / 1e6
        while not self.ended.wait(period * self.percent / 100):
            pids = self.choose()
            self.send(pids, signal.SIGSTOP)
            self.ended.wait(period * (100 - self.percent) / 100)
            self.send(pids, signal.SIGCONT)

    def remove(self):
        self.ended.set()
        self.thread.join()


class ClientMover:
    """Puts each client into a group as soon as it runs."""

    def __init__(self, group, pid):
        self.group, self.pid = group, pid
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        moved = set()
        while not self.ended.wait(0.005):
            for pid in descendants(self.pid):
                if pid not in moved and is_client(pid):
                    with contextlib.suppress(OSError):
                        self.group.add(pid)
                        moved.add(pid)

    def remove(self):
        self.ended.set()
        self.thread.join()
        self.group.remove()


def run(command, percent, client_alone=False, **options):
    """subprocess.run() with a quota for everything or for the clients alone; percent None: no quota."""
    if percent is None:
        return subprocess.run(command, check=False, **options)
    group = None if os.environ.get("SYNFAULT_LOAD_SIGNALS") else Cgroup.make(percent)
    joins = group and not client_alone
    with subprocess.Popen(command, preexec_fn=(lambda: group.add(0)) if joins else None,
                          **options) as process:
        if joins:
            limit = group
        elif group:
            limit = ClientMover(group, process.pid)
        elif client_alone:
            limit = DutyCycle(percent, lambda: list(filter(is_client, descendants(process.pid))))
        else:
            limit = DutyCycle(percent, lambda: [process.pid, *descendants(process.pid)])
        out, err = process.communicate()
    limit.remove()
    return subprocess.CompletedProcess(command, process.returncode, out, err)
