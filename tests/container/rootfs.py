# SPDX-License-Identifier: GPL-2.0-or-later
"""The root file system of the test containers, made once by debootstrap and kept between runs.

It has this machine's Debian release, whose libraries the program was linked with. It is kept in
$SYNFAULT_CONTAINER_CACHE or /var/cache/synfault-test. The directory's name depends on everything that goes
into it, so that a change of the lists below makes a new one. Containers use it as the lower layer of an
overlay and never write to it.

The root of an emulated machine of another architecture is only unpacked: this machine can't run the scripts
of its packages, and nothing in it needs what they do.
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
# Increase this when the way to make the root changes.
VERSION = "5"
# What the clients of the packs need, beyond what ci/install calls "runtime"; and the sanitizers'
# libraries, for a program built with them.
CLIENTS = ("curl", "libcurl4", "nodejs", "openssh-client", "postgresql-client", "python3",
           "python3-grpcio", "python3-paho-mqtt", "python3-urllib3", "wget")
SANITIZERS = ("libasan8", "libubsan1")
# What an emulated machine of another architecture needs beside "runtime": its first process is a Python script,
# and some unit tests run in it.
FOREIGN = ("python3", "libcriterion3")
# The file in the root that says how many bytes the packages of the container image added.
WEIGHT = "runtime-bytes"
# A user for containers that don't run as root: ssh, for example, asks for its name.
USER = "tester:x:1000:1000:tester:/tmp:/bin/sh\n"
# What no test needs, removed to save space.
USELESS = ("usr/share/doc", "usr/share/locale", "usr/share/man", "var/cache/apt",
           "var/cache/debconf", "var/cache/ldconfig", "var/lib/apt/lists", "var/log")


def runtime_packages(source):
    """Returns the packages that ci/install says a machine needs to run synfault."""
    result = subprocess.run([source / "ci/install", "--print", "runtime"], capture_output=True,
                            text=True, check=True)
    return result.stdout.split()


def mirror():
    """Returns where this machine gets its packages, so that a container test needs nothing else."""
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
    """Returns the bytes of all files, as an image counts them: without what slim images leave out, and
    without what is only used to install."""
    return sum(os.lstat(os.path.join(directory, name)).st_size
               for directory, _, names in os.walk(root) for name in names
               if not is_useless(os.path.relpath(directory, root)))


def fill(root, packages):
    """Installs by debootstrap, then adds the packages: first the image's, to see what they weigh."""
    run("debootstrap", "--variant=minbase", SUITE, root, *mirror())
    # A mirror may be an old snapshot; translations are not needed.
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


def fill_foreign(root, packages, architecture):
    """Unpacks what debootstrap downloads; debootstrap itself unpacks the essential packages only."""
    run("debootstrap", "--foreign", f"--arch={architecture}", "--variant=minbase",
        f"--include={','.join((*packages, *FOREIGN))}", SUITE, root, *mirror())
    for package in sorted((root / "var/cache/apt/archives").glob("*.deb")):
        run("dpkg-deb", "--extract", package, root)
    for useless in USELESS:
        shutil.rmtree(root / useless, ignore_errors=True)


def make(path, memory, fill_root):
    """Makes it in memory, where dpkg's syncing costs nothing, then copies it to a directory beside the
    final one, which gets its name when it is complete."""
    unfinished = path.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    print(f"# making {path} by debootstrap; this takes a minute, once", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=memory) as scratch:
        fill_root(Path(scratch) / "root")
        run("cp", "-a", f"{scratch}/root", unfinished)
    unfinished.rename(path)


def ensure(source, memory, foreign=None):
    """Returns the path of a complete root file system. memory: a directory on a tmpfs of our own. foreign:
    Debian's name of another architecture than this machine's."""
    packages = runtime_packages(source)
    if foreign:
        words = (VERSION, SUITE, foreign, *packages, *FOREIGN)
    else:
        words = (VERSION, SUITE, os.uname().machine, *packages, *CLIENTS, *SANITIZERS)
    key = hashlib.sha256(" ".join(words).encode())
    directory = cache_directory()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{SUITE}-{key.hexdigest()[:12]}"

    def fill_root(root):
        if foreign:
            fill_foreign(root, packages, foreign)
        else:
            fill(root, packages)

    with open(directory / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_dir():
            make(path, memory, fill_root)
    return path
