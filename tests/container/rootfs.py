# SPDX-License-Identifier: GPL-2.0-or-later
"""The root file system of the test containers: made by debootstrap once, kept between runs.

It is kept in $SYNFAULT_CONTAINER_CACHE, else /var/cache/synfault-test; the directory's name is drawn
from everything that goes into it, so that a change of the list below makes a new one. Containers
use it as the lower layer of an overlay and never write to it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SUITE = "bookworm"
# Raised by hand when the way in which the root is made changes.
VERSION = "1"
# What runs the clients of the packs, beside what ci/install calls "runtime"; the sanitizers'
# libraries for a program that was built with them.
CLIENTS = ("python3", "curl", "libcurl4")
SANITIZERS = ("libasan8", "libubsan1")
# Space that nothing in a test needs.
USELESS = ("usr/share/doc", "usr/share/locale", "usr/share/man", "var/cache/apt", "var/lib/apt/lists")


def runtime_packages(source):
    """What ci/install says a machine needs to run synfault."""
    result = subprocess.run([source / "ci/install", "--print", "runtime"], capture_output=True,
                            text=True, check=True)
    return result.stdout.split()


def mirror():
    """Where this machine gets its packages, so that a container test needs nothing else."""
    result = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages",
         f"Codename: {SUITE}", "Component: main"], capture_output=True, text=True, check=False)
    return result.stdout.split()[:1]


def cache_directory():
    return Path(os.environ.get("SYNFAULT_CONTAINER_CACHE", "/var/cache/synfault-test"))


def make(path, packages, memory):
    """debootstrap in memory, where dpkg's syncing costs nothing; then into a directory beside it,
    which gets its name when it is whole."""
    unfinished = path.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    print(f"# making {path} by debootstrap; this takes a minute, once", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=memory) as scratch:
        result = subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", SUITE,
             f"{scratch}/root", *mirror()],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if result.returncode:
            raise RuntimeError(f"debootstrap failed:\n{result.stdout[-2000:]}")
        for useless in USELESS:
            shutil.rmtree(f"{scratch}/root/{useless}", ignore_errors=True)
            os.makedirs(f"{scratch}/root/{useless}")
        subprocess.run(["cp", "-a", f"{scratch}/root", unfinished], check=True)
    unfinished.rename(path)


def ensure(source, memory):
    """The path of a whole root file system. memory: a directory on a tmpfs of our own."""
    packages = [*runtime_packages(source), *CLIENTS, *SANITIZERS]
    key = hashlib.sha256(" ".join((VERSION, SUITE, os.uname().machine, *packages)).encode())
    directory = cache_directory()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{SUITE}-{key.hexdigest()[:12]}"
    with open(directory / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_dir():
            make(path, packages, memory)
    return path
