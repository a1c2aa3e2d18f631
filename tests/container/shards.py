#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Eight shards in eight containers, merged, equal one run: shards.py SOURCE BUILD

As in CI systems, each container finds out on its own which scenarios are its part, once by name and once by
the durations in the report of the whole run. Most get their part by --shard, some by variables that a CI
system sets. Retries are only permitted if the machine was too slow, and are printed. The report is TAP.
"""

import concurrent.futures
import re
import sys

import container
import oci
import packs

PARTS = 8
# Quick scenarios; some are skipped.
PACKS = ("refused", "recovering")
NET_ADMIN = (*oci.DOCKER, "NET_ADMIN")
WHOLE = "/whole"


def arguments(*more):
    return ["synfault", "run", "--junit", container.REPORTS / "junit.xml", "--records",
            container.REPORTS / "records", "--timing-scale", packs.TIMING_SCALE, "--jobs",
            packs.JOBS, *packs.LATE_RETRIES, *more, *(container.HOME / "scenarios" / pack for pack in PACKS)]


def part(number):
    """Returns the command of one part: some get it from the environment, as in GitLab and Kubernetes."""
    if number == 3:
        return ["env", f"CI_NODE_INDEX={number}", f"CI_NODE_TOTAL={PARTS}"], ()
    if number == 5:
        return ["env", f"JOB_COMPLETION_INDEX={number - 1}", f"SYNFAULT_SHARDS={PARTS}"], ()
    return [], ("--shard", f"{number}/{PARTS}")


def run_again(process):
    """Returns what was too slow to be judged at first: not a failure, but worth a line."""
    return re.findall(r"^\d+ run again alone.*", process.stdout, re.M)


def run_part(containers, name, number, whole, more):
    environment, shard = part(number)
    bundle, process = containers.run(
        f"{name}-{number}", [*environment, *arguments(*shard, *more)], capabilities=NET_ADMIN,
        mounts=[oci.bind(whole / "report", WHOLE)])
    problems = []
    if f"shard {number}/{PARTS} of " not in process.stdout:
        problems.append(f"part {number} does not say what it is")
        # If everything in a part is skipped, nothing ran.
    if process.returncode not in (packs.EXIT_PASS, packs.EXIT_NOTHING_RAN):
        problems.append(f"part {number}: exit status {process.returncode}")
    for line in run_again(process):
        print(f"# {name}, part {number}: {line}")
    return bundle, problems and problems + process.stdout.splitlines()[-40:]


def summary(text):
    """Returns the program's last line."""
    return re.findall(r"^\d+ passed.*", text, re.M)[-1:]


def merge(containers, name, parts, form):
    """Makes the program merge all parts; the result is in the returned bundle."""
    mounts = [oci.bind(bundle / "report", f"/part/{number}")
              for number, bundle in enumerate(parts, start=1)]
    return containers.run(
        f"{name}-merge-{form.partition('.')[0]}",
        ["synfault", "merge", container.REPORTS / form,
         *(f"/part/{number}/{form}" for number in range(1, PARTS + 1))],
        capabilities=(), mounts=mounts)


def record_names(bundle):
    """Returns the names of the final records, without those of runs that another one replaced."""
    names = (path.name for path in (bundle / "report/records").iterdir())
    return sorted(name for name in names if not re.fullmatch(r"\d+\.\d+\.json", name))


def differences(expected, actual):
    for key in sorted(expected.keys() | actual.keys()):
        pair = [found.get(key, ("missing", ""))[0] for found in (expected, actual)]
        if pair[0] != pair[1]:
            yield f"{key}: {pair[0]} in one run, {pair[1]} in the merged parts"


def check(containers, name, whole, whole_output, more=()):
    """Returns what is wrong, as a list of lines."""
    with concurrent.futures.ThreadPoolExecutor(PARTS) as pool:
        results = [*pool.map(lambda number: run_part(containers, name, number, whole, more),
                             range(1, PARTS + 1))]
    problems = [line for _, lines in results for line in lines]
    parts = [bundle for bundle, _ in results]
    counts = [len(packs.outcomes(bundle / "report/junit.xml")) for bundle in parts]
    print(f"# {name}: {counts} scenarios in the parts")
    merged, process = merge(containers, name, parts, "junit.xml")
    if process.returncode != packs.EXIT_PASS or summary(process.stdout) != summary(whole_output):
        problems += [f"merge: exit status {process.returncode}", *process.stdout.splitlines()[-20:]]
    expected = packs.outcomes(whole / "report/junit.xml")
    problems += differences(expected, packs.outcomes(merged / "report/junit.xml"))
    if sum(counts) != len(expected) or max(counts) == len(expected):
        problems.append(f"these are not shards of {len(expected)}: {counts}")
    records, process = merge(containers, name, parts, "records")
    if process.returncode or record_names(records) != record_names(whole):
        problems += ["the merged records are not those of one run",
                     *process.stdout.splitlines()[-20:]]
    return problems


def main():
    container.enter_namespaces()
    containers = container.Containers(*sys.argv[1:3])
    print("1..3", flush=True)
    whole, process = containers.run("whole", arguments(), capabilities=NET_ADMIN)
    lines = process.stdout.splitlines()[-40:] if process.returncode else []
    good = [packs.report(1, "one run", lines)]
    for number, (name, title, more) in enumerate((
            ("by-name", "eight parts by name", ()),
            ("balanced", "eight parts by duration", ("--durations", f"{WHOLE}/junit.xml"))),
            start=2):
        try:
            problems = check(containers, name, whole, process.stdout, more)
        except Exception as error:  # such as a missing report
            problems = error
        good.append(packs.report(number, title, problems))
    sys.exit(0 if all(good) else 1)


main()
