#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What synfault has to survive in a container: faults.py SOURCE BUILD [CASE]...

Something is killed or runs short while it runs. survive.py does that in the container, and looks at the
result; here are the containers that it needs. The report is TAP. With "--few" only the cases of the first
container run: a program with sanitizers takes too much memory and too many processes for the others.
"""

import concurrent.futures
import contextlib
import json
import os
import sys

import container
import limits
import oci
import packs

# A user id of its own: processes of another user would count, too.
USER = 54321
NET_ADMIN = (*oci.DOCKER, "NET_ADMIN")
# Two blocks and some names: files can be made, but have next to no content.
FULL = oci.mount("/full", "tmpfs", "tmpfs", "size=8k", "mode=1777")
# The root directory of such a file system uses up the only name.
NO_NAMES = oci.mount("/full", "tmpfs", "tmpfs", "nr_inodes=1", "mode=1777")
SMALL = {"memory": 96 << 20, "pids": 100}
FEW_PROCESSES = {"memory": 512 << 20, "pids": 40}
ENOUGH_S = 600

# For each container: its cases, limits of a control group, and options of Containers.run().
CONTAINERS = {
    "kills": (("the program is killed", "a supervisor is killed",
               "the only supervisor is killed", "all of the harness is killed at once",
               "all but init are killed", "two programs at once, and a third that is killed"),
              None, {}),
    "disk": (("the report's disk is full",), None, {"mounts": (FULL,)}),
    "names": (("the disk of temporary directories is full",), None, {"mounts": (NO_NAMES,)}),
    "user": (("a user's limit of processes is reached",), None,
             {"capabilities": ("NET_ADMIN",), "user": USER, "ambient": ("NET_ADMIN",)}),
    "memory": (("a client takes all memory", "a supervisor is killed for lack of memory",
                "the program is killed for lack of memory"), SMALL, {}),
    "processes": (("the group's limit of processes is reached",), FEW_PROCESSES, {}),
}
FEW = ("kills",)


def survive(containers, name, cases, group, options):
    """Returns what is wrong with each case, as lists of lines."""
    mounts = [*options.pop("mounts", ()),
              oci.bind(containers.source / "tests/container/survive.py",
                       container.HOME / "survive.py")]
    if group:
        mounts += group.mounts()
    bundle, process = containers.run(
        f"faults-{name}", ["python3", container.HOME / "survive.py",
                           container.REPORTS / "survived.json", *cases],
        mounts=mounts, join=group.join if group else None, timeout=ENOUGH_S,
        **{"capabilities": NET_ADMIN, **options})
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((bundle / "report/survived.json").read_text(encoding="utf-8"))
        return [found[case] for case in cases]
    return [[f"no report, exit status {process.returncode}", *process.stdout.splitlines()[-30:]]
            for _ in cases]


def attempt(containers, name, wanted):
    cases, sizes, options = CONTAINERS[name]
    cases = [case for case in cases if case in wanted]
    try:
        with limits.group(sizes, name) if sizes else contextlib.nullcontext() as group:
            return cases, survive(containers, name, cases, group, dict(options))
    except Exception as error:  # a broken container must not hide the others
        return cases, [error for _ in cases]


def main():
    container.enter_namespaces()
    names = FEW if sys.argv[3:] == ["--few"] else tuple(CONTAINERS)
    wanted = [case for name in names for case in CONTAINERS[name][0]
              if sys.argv[3:] in ([], ["--few"]) or case in sys.argv[3:]]
    names = [name for name in names if set(CONTAINERS[name][0]) & set(wanted)]
    limits.sweep()
    containers = container.Containers(*sys.argv[1:3])
    print(f"1..{len(wanted)}", flush=True)
    good, number = [], 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for cases, results in pool.map(lambda name: attempt(containers, name, wanted), names):
            for case, problems in zip(cases, results):
                number += 1
                good.append(packs.report(number, case, problems))
    sys.exit(0 if all(good) else 1)


main()
