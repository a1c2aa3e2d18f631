#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""All ready-made packs in containers as CI systems start them: packs.py SOURCE BUILD [CASE]...

Each case is a kind of container in which all scenarios run, or a part of them. Each scenario has to have the
outcome that is possible there, the exit status has to say so, and nothing may be left behind. The report is
TAP. With "--few" only the first case runs, and slowly: for a program with sanitizers.
"""

import concurrent.futures
import functools
import itertools
import json
import os
import re
import struct
import sys
import xml.etree.ElementTree

import container
import limits
import oci

NET_ADMIN = 1 << 12
EXIT_PASS, EXIT_UNJUDGED, EXIT_NOTHING_RAN = 0, 3, 5
# A case spends its time waiting, but with more at once times would become inexact.
CONCURRENT = 2
JOBS = 16
# A program with sanitizers is slow.
FEW_JOBS = 8
TIMING_SCALE = 4
LIMITS = {"memory": 256 << 20, "pids": 100}
# How many fit into these limits: a scenario may need 8 processes.
MOST_JOBS_LIMITED = 12
# Most scenarios; the others depend on packets that the kernel repeats, or need a name.
LEAST_VIRTUAL = 100
VIRTUAL = ("--time", "auto")
# As for integration tests: another container runs beside, and limits slow everything down.
LATE_RETRIES = ("--late-retries", 8)
# As in the passwd file of the root file system.
USER = 1000

# Names of scenarios that need what a kind of container can't give.
NEEDS_IPV6 = re.compile(r"IPv6|ipv6")
NEEDS_NAME = re.compile(
    r"falls back from IPv6 to IPv4|(at|of|retries) a name|tries IPv6 before IPv4|tries the next address"
    r"|gives IPv6 a head start|clients\.node: Node\.js ")
# A machine has only one of two versions of a client.
OTHER_VERSION = re.compile(r"psql (up to 16|from 17 on) ")
NOTHING = re.compile(r"(?!)")
EVERYTHING = re.compile(r"")


def either(*patterns):
    return re.compile("|".join(f"(?:{pattern.pattern})" for pattern in patterns))


class Case:
    """A kind of container, and the expected result of the packs in it.

    skipped: which scenarios can't run; unable: their outcome; reason: what each of these has to name;
    possible: what has to be found in the container, to prove that it is what the case is called;
    arguments: of synfault run; least_virtual: how many scenarios have to run in virtual time; part: which of the
    scenarios run ("1/3"), where the kind of container changes how synfault starts, but no packet. The rest is
    given to Containers.run()."""

    def __init__(self, name, *, skipped=NEEDS_NAME, reason=None, status=EXIT_PASS, possible=None,
                 jobs=JOBS, limited=False, prepare=None, unable="skipped", arguments=(),
                 least_virtual=0, part=None, **options):
        self.name, self.skipped, self.status = name, skipped, status
        self.reason = re.compile(reason or ".")
        self.possible = {"seccomp": 2, "unshare": "EPERM", "read-only /proc/sys": True,
                         **(possible or {})}
        self.jobs, self.limited, self.prepare = jobs, limited, prepare
        self.unable, self.arguments, self.least_virtual = unable, arguments, least_virtual
        self.part = part
        self.options = options
        # In namespaces of its own, what a client may do has no effect outside them.
        self.privileges = "SYS_ADMIN" not in options["capabilities"]

    def slug(self):
        return re.sub(r"\W+", "-", self.name.lower()).strip("-")


def give_file_capability(bundle):
    """setcap cap_net_admin+ep, on a copy in the container's own layer."""
    program = bundle / "rootfs/usr/bin/synfault"
    program.write_bytes((bundle.parent / "program/synfault").read_bytes())
    program.chmod(0o755)
    # struct vfs_cap_data, revision 2 with the effective bit.
    os.setxattr(program, "security.capability",
                struct.pack("<IIIII", 0x02000001, NET_ADMIN, 0, 0, 0))


CASES = [
    Case("Docker with NET_ADMIN", capabilities=(*oci.DOCKER, "NET_ADMIN")),
    Case("Podman with NET_ADMIN, without NET_RAW", capabilities=(*oci.PODMAN, "NET_ADMIN")),
    Case("NET_ADMIN and nothing else", capabilities=("NET_ADMIN",),
         possible={"capabilities": NET_ADMIN, "bounding": NET_ADMIN}),
    Case("a user with NET_ADMIN as ambient capability, in virtual time", capabilities=("NET_ADMIN",),
         user=USER, ambient=("NET_ADMIN",), no_new_privileges=True,
         possible={"uid": USER, "capabilities": NET_ADMIN},
         jobs=None, arguments=VIRTUAL, least_virtual=LEAST_VIRTUAL // 3, part="2/3"),
    Case("a user and a program with the file capability", user=USER,
         capabilities=(*oci.DOCKER, "NET_ADMIN"), prepare=give_file_capability,
         possible={"uid": USER, "capabilities": 0}, part="1/3"),
    Case("a read-only root file system and no new privileges",
         capabilities=(*oci.DOCKER, "NET_ADMIN"), read_only=True, no_new_privileges=True,
         mounts=(oci.mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777"),),
         possible={"write /": "EROFS", "no new privileges": 1}, part="2/3"),
    Case("IPv6 off", capabilities=(*oci.DOCKER, "NET_ADMIN"),
         sysctl={"net.ipv6.conf.all.disable_ipv6": "1"},
         skipped=either(NEEDS_NAME, NEEDS_IPV6), possible={"ipv6 disabled": "1"}, part="3/3"),
    Case("Docker with NET_ADMIN, in virtual time", capabilities=(*oci.DOCKER, "NET_ADMIN"),
         jobs=None, arguments=VIRTUAL, least_virtual=LEAST_VIRTUAL),
    Case("256 MiB of memory and 100 processes", capabilities=(*oci.DOCKER, "NET_ADMIN"),
         limited=True, jobs=None, possible={name: str(value) for name, value in LIMITS.items()}),
    Case("SYS_ADMIN too", capabilities=(*oci.DOCKER, "NET_ADMIN", "SYS_ADMIN"), skipped=NOTHING,
         possible={"unshare": None}),
    Case("Docker without NET_ADMIN", capabilities=oci.DOCKER, skipped=EVERYTHING,
         reason="--cap-add NET_ADMIN", status=EXIT_NOTHING_RAN),
    Case("Docker without NET_ADMIN, which is required", capabilities=oci.DOCKER,
         skipped=EVERYTHING, unable="error", reason="--cap-add NET_ADMIN", arguments=("--require",),
         status=EXIT_UNJUDGED),
]


def outcomes(junit):
    """Returns, by name of scenario, its outcome and the text with it."""
    found = {}
    for testcase in xml.etree.ElementTree.parse(junit).iter("testcase"):
        outcome, text = "pass", ""
        for element in testcase:
            if element.tag in ("failure", "error", "skipped"):
                outcome = {"failure": "fail"}.get(element.tag, element.tag)
                text = f'{element.get("message") or ""} {element.text or ""}'.strip()
        found[f'{testcase.get("classname")}: {testcase.get("name")}'] = outcome, text
    return found


def check_outcomes(case, found, n_expected):
    if len(found) != n_expected:
        yield f"{len(found)} scenarios were reported, not {n_expected}"
    for name, (outcome, text) in found.items():
        able = not case.skipped.search(name)
        expected = "pass" if able else case.unable
        if able and OTHER_VERSION.search(name) and "psql --version" in text:
            expected = "skipped"
        if outcome == "error" and case.least_virtual and "the machine was too slow to tell" in text:
            continue
        if outcome != expected:
            yield f"{name}: {outcome} instead of {expected}: {text}"
        elif not able and not case.reason.search(text):
            yield f"{name}: the reason does not name {case.reason.pattern}: {text}"


def check_report(case, report):
    for what, expected in case.possible.items():
        actual = report["possible"][what]
        if actual != expected:
            yield f"the container is not what it should be: {what} is {actual}, not {expected}"
    for what, before in report["before"].items():
        after = report["after"][what]
        if after != before:
            yield f"left behind: {what} were {before}, are {after}"


def count_virtual(junit):
    """Returns how many scenarios ran in virtual time; each says so in its output."""
    return sum(", virtual time" in (testcase.findtext("system-out") or "")
               for testcase in xml.etree.ElementTree.parse(junit).iter("testcase"))


def what_runs(case):
    """Returns the arguments of synfault run that say which scenarios run."""
    return (*(("--shard", case.part) if case.part else ()), container.HOME / "scenarios",
            *((container.HOME / "privileges.yaml",) if case.privileges else ()))


def run(containers, case, n_expected, group=None):
    """Returns what is wrong, as a list of lines."""
    options = dict(case.options)
    mounts = list(options.pop("mounts", ()))
    if group:
        mounts += group.mounts()
    command = ["python3", container.HOME / "inside.py", container.REPORTS / "inside.json",
               "synfault", "run", "--junit", container.REPORTS / "junit.xml",
               "--timing-scale", TIMING_SCALE, *LATE_RETRIES, *case.arguments, *what_runs(case)]
    if case.jobs:
        command += ["--jobs", case.jobs]
    if case.prepare is give_file_capability:
        command[3] = "/usr/bin/synfault"
    bundle, process = containers.run(case.slug(), command, mounts=mounts,
                                     prepare=case.prepare, join=group.join if group else None,
                                     **options)
    try:
        found = outcomes(bundle / "report/junit.xml")
        problems = [*check_outcomes(case, found, n_expected)]
        report = json.loads((bundle / "report/inside.json").read_text(encoding="utf-8"))
        problems += check_report(case, report)
        n_virtual = count_virtual(bundle / "report/junit.xml")
        if n_virtual < case.least_virtual:
            problems.append(f"{n_virtual} scenarios ran in virtual time, not {case.least_virtual}")
    except (OSError, ValueError, xml.etree.ElementTree.ParseError) as error:
        problems = [f"no report: {error}"]
    at_once = re.search(r"(\d+) at a time", process.stdout)
    if case.limited and (not at_once or int(at_once[1]) > MOST_JOBS_LIMITED):
        problems.append(f"more at once than fit into the limits: {at_once}")
    if process.returncode != case.status and not (case.least_virtual and
                                                  process.returncode == EXIT_UNJUDGED):
        problems.append(f"exit status {process.returncode} instead of {case.status}")
    if problems:
        problems += process.stdout.splitlines()[-100:]
    return problems


def run_limited(containers, case, n_expected):
    """Like run(), in a control group if there are any; otherwise returns None."""
    if not case.limited:
        return run(containers, case, n_expected)
    with limits.group(LIMITS) as group:
        return run(containers, case, n_expected, group)


@functools.cache
def count_scenarios(containers, arguments):
    """Returns how many scenarios the program itself finds, which needs no privilege."""
    name = "list-" + "-".join(re.findall(r"\w+", " ".join(map(str, arguments))))
    _, process = containers.run(name, ["synfault", "run", "--list", *arguments], capabilities=())
    lines = re.findall(r"^\S+\.yaml:\d+: ", process.stdout, re.M)
    if process.returncode or not lines:
        raise RuntimeError(f"synfault run --list failed:\n{process.stdout}")
    return len(lines)


def report(number, name, problems):
    """Prints a line of TAP, and comments with what is wrong. Returns whether nothing is."""
    required = os.environ.get("SYNFAULT_REQUIRE_PRIVILEGES") == "1"
    if isinstance(problems, limits.Unavailable) and not required:
        print(f"ok {number} - {name} # SKIP {problems}", flush=True)
        return True
    if isinstance(problems, Exception):
        problems = [repr(problems)]
    print(f"{'not ok' if problems else 'ok'} {number} - {name}")
    for line in "\n".join(problems).splitlines():
        print(f"# {line}")
    sys.stdout.flush()
    return not problems


def attempt(containers, case, n_expected):
    try:
        return run_limited(containers, case, n_expected)
    except Exception as error:  # a broken case must not hide the others
        return error


def main():
    container.enter_namespaces()
    wanted = sys.argv[3:]
    cases = [case for case in CASES if not wanted or case.name in wanted]
    if wanted == ["--few"]:
        cases = CASES[:1]
        cases[0].jobs = FEW_JOBS
    limits.sweep()
    containers = container.Containers(*sys.argv[1:3])
    numbers = [count_scenarios(containers, what_runs(case)) for case in cases]
    print(f"1..{len(cases)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(CONCURRENT) as pool:
        results = pool.map(attempt, itertools.repeat(containers), cases, numbers)
        good = [report(number, case.name, problems)
                for number, (case, problems) in enumerate(zip(cases, results), start=1)]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
