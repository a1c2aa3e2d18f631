#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What `synfault doctor` promises is what `synfault run` does, in every kind of container:
doctor.py SOURCE BUILD [CASE]...

In each a scenario runs that needs nothing special. Whether it passes, and in which isolation it runs, has
to be what doctor said just before. If it gets no namespaces of its own, the first line of `run` has to say
so. The report is TAP.
"""

import concurrent.futures
import json
import os
import sys

import container
import packs

COMMAND = ["sh", "-c", f"""
synfault doctor --json >{container.REPORTS}/doctor.json
synfault run --json {container.REPORTS}/run.json --timing-scale 4 {container.HOME}/plain.yaml
"""]


def in_container(case):
    options = {name: value for name, value in case.options.items() if name != "limited"}
    return lambda containers, name: containers.run(name, COMMAND, **options)


def in_chroot(**options):
    return lambda containers, name: containers.run_in_chroot(name, COMMAND, **options)


# The name of each kind, and what runs the command in it. A program with a capability of its own is not a
# kind of container, but another file.
KINDS = {case.name: in_container(case) for case in packs.CASES
         if not case.prepare and not case.limited and not case.arguments}
KINDS |= {
    "a plain chroot": in_chroot(),
    "a plain chroot with a read-only /proc/sys": in_chroot(read_only_sys=True),
    "root with a read-only /proc/sys": in_chroot(mount_point=True, read_only_sys=True),
    "a user in a plain chroot": in_chroot(user=packs.USER),
}


def compare(bundle, output):
    doctor = json.loads((bundle / "report/doctor.json").read_text(encoding="utf-8"))
    run = json.loads((bundle / "report/run.json").read_text(encoding="utf-8"))
    scenario, = run["scenarios"]
    if (scenario["outcome"] == "pass") != doctor["can_run"]:
        yield f"the doctor says {doctor['can_run']}, the run ends with {scenario['outcome']}: {scenario['reason']}"
    if scenario["outcome"] != "pass":
        return
    isolation = scenario["record"]["isolation"]
    if isolation != doctor["isolation"]:
        yield f"the doctor promises {doctor['isolation']} isolation, run uses {isolation}"
    first = next((line for line in output.splitlines() if line.strip()), "")
    if ("shared" in first) != (isolation == "shared"):
        yield f"{isolation} isolation, and the first line is: {first}"


def attempt(containers, name):
    try:
        slug = "doctor-" + "-".join(name.lower().replace("/", "").replace(",", "").split())
        bundle, process = KINDS[name](containers, slug)
        problems = [*compare(bundle, process.stdout)]
        return problems and [*problems, *process.stdout.splitlines()[-30:]]
    except Exception as error:  # a broken kind must not hide the others
        return error


def main():
    container.enter_namespaces()
    names = sys.argv[3:] or list(KINDS)
    containers = container.Containers(*sys.argv[1:3])
    print(f"1..{len(names)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda name: attempt(containers, name), names)
        good = [packs.report(number, f"the doctor is right in: {name}", problems)
                for number, (name, problems) in enumerate(zip(names, results), start=1)]
    sys.exit(0 if all(good) else 1)


main()
