# SPDX-License-Identifier: GPL-2.0-or-later
"""The root file system of the test containers: made by debootstrap once, kept between runs.

It is of the Debian release of this machine, whose libraries the program was linked with. It is kept in $SYNFAULT_CONTAINER_CACHE, else /var/cache/synfault-test; the directory's name is drawn
from everything that goes into it, so that a change of the list below makes a new one. Containers
use it as the lower layer of an overlay and never write to it.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SUITE = platform.freedesktop_os_release().get("VERSION_CODENAME", "bookworm")
# Raised by hand when the way in which the root is made changes.
VERSION = "5"
# What runs the clients of the packs, beside what ci/install calls "runtime"; the sanitizers'
# libraries for a program that was built with them.
CLIENTS = ("curl", "libcurl4", "nodejs", "openssh-client", "postgresql-client", "python3",
           "python3-grpcio", "python3-urllib3", "wget")
SANITIZERS = ("libasan8", "libubsan1")
# The file in the root that says how many bytes the packages of the container image added.
WEIGHT = "runtime-bytes"
# Whom an image that does not run as root has: ssh, say, wants to know who it is.
USER = "tester:x:1000:1000:tester:/tmp:/bin/sh\n"
# Space that nothing in a test needs.
USELESS = ("usr/share/doc", "usr/share/locale", "usr/share/man", "var/cache/apt",
           "var/cache/debconf", "var/cache/ldconfig", "var/lib/apt/lists", "var/log")


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


def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False)
    if result.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{result.stdout[-2000:]}")


def install(root, packages):
    run("env", "DEBIAN_FRONTEND=noninteractive", "chroot", root, "apt-get", "-qq", "install", "--yes",
        "--no-install-recommends", *packages)


def is_useless(path):
    return any(path == useless or path.startswith(f"{useless}/") for useless in USELESS)


def size(root):
    """Bytes of the files' contents, as an image counts them: without what the slim images leave out
    and what is only used to install."""
    return sum(os.lstat(os.path.join(directory, name)).st_size
               for directory, _, names in os.walk(root) for name in names
               if not is_useless(os.path.relpath(directory, root)))


def fill(root, packages):
    """debootstrap, then the packages: first those of the container image, to see what they weigh."""
    run("debootstrap", "--variant=minbase", SUITE, root, *mirror())
    # A mirror may be a snapshot of a day that is long past; translations are not needed.
    (root / "etc/apt/apt.conf.d/test").write_text(
        'Acquire::Check-Valid-Until "false";\nAcquire::Languages "none";\n', encoding="ascii")
    base = size(root)
    run("chroot", root, "apt-get", "-qq", "update")
    install(root, packages)
    (root / WEIGHT).write_text(str(size(root) - base), encoding="ascii")
    install(root, (*CLIENTS, *SANITIZERS))
    with open(root / "etc/passwd", "a", encoding="ascii") as passwd:
        passwd.write(USER)
    for useless in USELESS:
        shutil.rmtree(root / useless, ignore_errors=True)
        (root / useless).mkdir(parents=True)


def make(path, packages, memory):
    """In memory, where dpkg's syncing costs nothing; then into a directory beside it, which gets
    its name when it is whole."""
    unfinished = path.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    print(f"# making {path} by debootstrap; this takes a minute, once", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=memory) as scratch:
        fill(Path(scratch) / "root", packages)
        run("cp", "-a", f"{scratch}/root", unfinished)
    unfinished.rename(path)


def ensure(source, memory):
    """The path of a whole root file system. memory: a directory on a tmpfs of our own."""
    packages = runtime_packages(source)
    key = hashlib.sha256(" ".join((VERSION, SUITE, os.uname().machine, *packages, *CLIENTS,
                                   *SANITIZERS)).encode())
    directory = cache_directory()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{SUITE}-{key.hexdigest()[:12]}"
    with open(directory / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_dir():
            make(path, packages, memory)
    return path
