#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""synfault on another kernel than this machine's:
machine.py [--kernel DEB] [--architecture amd64|arm64] SOURCE BUILD [CASE]...

qemu emulates a machine in software, which is the same everywhere and needs no /dev/kvm. It boots Debian's
kernel with the root file system of the test containers in memory. guest.py is its first process: it runs
the cases, and may do what would harm a machine in use, above all set the clock.
--kernel takes another kernel's package, as `apt-get download` gets it, or the name of the Debian release
whose kernel to download. --architecture is that of BUILD. The report is TAP.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "container"))

# pylint: disable=wrong-import-position
import container
import rootfs
import initramfs
import kernel

# By architecture: the machine; its two serial ports; options of the kernel, with the name of the first port;
# the directory of its libraries.
MACHINES = {
    "amd64": (("qemu-system-x86_64", "-machine", "q35", "-cpu", "max"),
              ("-serial", "file:{}/console", "-serial", "file:{}/report"),
              # On a busy machine the kernel's check of its timer fails, and it does not boot.
              "console=ttyS0 reboot=t tsc=reliable no_timer_check", "x86_64-linux-gnu"),
    "arm64": (("qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72"),
              ("-serial", "file:{}/console", "-chardev", "file,id=report,path={}/report", "-device",
               "pci-serial,chardev=report"),
              "console=ttyAMA0", "aarch64-linux-gnu"),
}
PROGRAMS = ("debootstrap", "unshare", "mount")
MEMORY = "768M"
# An emulated machine is slow, above all while other programs need the processors.
ENOUGH_S, ENOUGH_SLOW_S = 250, 1000
HOME = "synfault"
TARGETS = ("synfault-backoff", "synfault-tiny")
# Those that qemu's user mode can't run: it makes no process a reaper, limits no memory, and has a thread more
# than the program.
UNIT_TESTS = ("sandbox", "searcher", "starvation", "starvation_sampler", "util")
# Parts of the root that take memory and time to unpack, and are useless here.
USELESS = ("usr/share", "usr/sbin", "usr/bin/perl", "usr/lib/apt", "usr/lib/dpkg", "var",
           *(f"usr/lib/{libraries}/{name}" for *_, libraries in MACHINES.values() for name in (
               "gconv", "perl", "libasan", "libubsan", "libicui18n", "libsqlite", "libdb-", "libapt",
               "libgnutls", "libcrypto", "libssl", "libcurl", "libp11", "libunistring")
             # The unit tests' library needs these.
             if libraries == MACHINES["amd64"][-1] or name not in ("libcrypto", "libssl")),
           *(f"usr/lib/python3.{minor}/{name}" for minor in range(9, 20) for name in (
               "pydoc_data", "asyncio", "unittest", "distutils", "lib2to3", "idlelib", "sqlite3")))
# No protection against processor bugs, which costs an emulated processor most.
OPTIONS = "quiet panic=-1 mitigations=off"


def pack(path, source, build, root, modules, foreign):
    """Writes the file system that the machine has in memory when it starts."""
    archive = initramfs.Archive(path)
    archive.tree(root, without=USELESS)
    for name in (HOME, f"{HOME}/bin", f"{HOME}/modules", "var"):
        archive.directory(name)
    archive.data("etc/hosts", b"127.0.0.1\tlocalhost\n::1\tlocalhost\n", 0o644)
    # Where tests are not built there is no bulk.
    bulk = "tests/bench/bulk" if (build / "tests/bench/bulk").exists() else None
    for program in filter(None, ("program/synfault", bulk, *(f"targets/{name}" for name in TARGETS))):
        archive.copy(build / program, f"{HOME}/bin/{Path(program).name}")
    for module in sorted(modules.glob("*.ko")):
        archive.copy(module, f"{HOME}/modules/{module.name}")
    archive.tree(source / "tests/machine/scenarios", HOME)
    for name in ("packs", "unit"):
        archive.directory(f"{HOME}/{name}")
    for name in UNIT_TESTS if foreign else ():
        archive.copy(build / f"tests/unit/test_{name}", f"{HOME}/unit/test_{name}")
    for pack in sorted(source.glob("scenarios/*/backoff.yaml")):
        archive.copy(pack, f"{HOME}/packs/{pack.parent.name}.yaml")
    archive.copy(source / "tests/container/inside.py", f"{HOME}/inside.py")
    archive.data(f"{HOME}/guest.py", (source / "tests/machine/guest.py").read_bytes())
    archive.data("init", f"#!/bin/sh\nexec python3 -I /{HOME}/guest.py \"$@\"\n".encode())
    archive.close()


def boot(directory, architecture, image, cases, enough_s):
    """Runs the machine until it is done. Returns its first process's report, and its console."""
    machine, ports, options, _ = MACHINES[architecture]
    # The kernel passes words that it does not know to init.
    words = " ".join(str(number) for number in cases)
    command = [*machine, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
               "-accel", "tcg", "-smp", "1", "-m", MEMORY,
               "-kernel", image, "-initrd", directory / "initramfs",
               "-append", f"{options} {OPTIONS} -- {words}",
               *(port.format(directory) for port in ports)]
    problem = ""
    try:
        process = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, timeout=enough_s, check=False)
        problem = process.stdout
    except subprocess.TimeoutExpired:
        problem = f"the machine was not done within {enough_s} s"
    console = (directory / "console").read_text(encoding="utf-8", errors="replace")
    try:
        return json.loads((directory / "report").read_text(encoding="utf-8")), console
    except (OSError, ValueError):
        return {}, f"{problem}\n{console}"


def list_cases(source):
    result = subprocess.run([sys.executable, source / "tests/machine/guest.py", "--list"],
                            capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def own_architecture():
    result = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=False)
    return result.stdout.strip()


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("build", type=Path)
    parser.add_argument("--kernel")
    parser.add_argument("--architecture", choices=MACHINES, default=own_architecture())
    parser.add_argument("case", nargs="*")
    return parser.parse_args()


def main():
    options = arguments()
    container.enter_namespaces(PROGRAMS)
    qemu = MACHINES[options.architecture][0][0]
    if not shutil.which(qemu):
        container.give_up(f"{qemu} is not installed")
    foreign = options.architecture if options.architecture != own_architecture() else None
    listed = list_cases(options.source)
    names = [re.sub("^(slow|native|foreign): ", "", name) for name in listed]
    numbers = [number for number, name in enumerate(names)
               if name in options.case or not options.case and name == listed[number]]
    root = rootfs.ensure(options.source, "/mnt", foreign)
    directory = Path(tempfile.mkdtemp(dir="/mnt"))
    modules = kernel.ensure(directory, options.architecture, options.kernel)
    pack(directory / "initramfs", options.source, options.build, root, modules, foreign)
    report, console = boot(directory, options.architecture, modules / "vmlinuz", numbers,
                           ENOUGH_SLOW_S if options.case else ENOUGH_S)
    print(f"1..{len(numbers)}")
    good = True
    for position, number in enumerate(numbers, start=1):
        problems = report.get(names[number], ["no report"])
        good = good and not problems
        print(f"{'not ok' if problems else 'ok'} {position} - {names[number]}")
        for line in problems:
            print(f"# {line}")
    for line in console.splitlines()[-60:] if not good else ():
        print(f"# console: {line}")
    print(f"# {report.get('kernel', 'no kernel')}, up {report.get('up_s', '?')} s")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
