#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian packages can be built, lintian finds no error in them, and synfault depends on what ci/install
calls "runtime": debian.py SOURCE BUILD

Skipped where the tools are missing; failed there when SYNFAULT_REQUIRE_PRIVILEGES=1."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOOLS = ("dpkg-buildpackage", "dh", "lintian")
SKIPPED = 77
# Some of the files of each package, as patterns.
CONTENTS = {
    "synfault": ("usr/bin/synfault", "usr/share/doc/synfault/copyright", r"usr/share/man/man1/synfault\.1\.gz"),
    "libsynfault0": (r"usr/lib/[\w-]+/libsynfault\.so\.0", "usr/share/doc/libsynfault0/copyright"),
    "libsynfault-dev": ("usr/include/synfault.h", r"usr/lib/[\w-]+/libsynfault\.so",
                        r"usr/lib/[\w-]+/pkgconfig/libsynfault\.pc", r"usr/share/man/man3/libsynfault\.3\.gz"),
}
# In the base system always.
GIVEN = {"libc6"}


def need_tools():
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        print(f"not installed: {', '.join(missing)}")
        sys.exit(1 if os.environ.get("SYNFAULT_REQUIRE_PRIVILEGES") == "1" else SKIPPED)


def copy(source, destination):
    shutil.copytree(source, destination, ignore=lambda directory, names: [
        name for name in names
        if name in (".git", "__pycache__") or (Path(directory) == source
                                               and name.startswith("build"))])


def run(*command, cwd):
    # Options of a developer's build are not part of the package. Its unit tests have run already.
    environment = {name: value for name, value in os.environ.items()
                   if not name.endswith("FLAGS") and name not in ("CC", "LD_PRELOAD")}
    environment.update(LC_ALL="C.UTF-8", DEB_BUILD_OPTIONS="parallel=2 nocheck noautodbgsym noopt",
                       DEB_BUILD_PROFILES="nocheck")
    result = subprocess.run(command, cwd=cwd, env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    return result.returncode, result.stdout


def field(package, name):
    return subprocess.run(["dpkg-deb", "--field", package, name], capture_output=True, text=True,
                          check=True).stdout.strip()


def check_dependencies(source, package):
    depends = {re.match(r"[\w.+-]+", word.strip())[0]
               for word in field(package, "Depends").split(",")}
    wanted = subprocess.run([source / "ci/install", "--print", "runtime"], capture_output=True,
                            text=True, check=True).stdout.split()
    for name in sorted(depends - GIVEN - set(wanted)):
        yield f"the package needs {name}, which ci/install does not count as runtime"
    for name in sorted(set(wanted) - depends):
        yield f"ci/install counts {name} as runtime, which the package does not need"


def check_contents(package, wanted_files):
    listing = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True,
                             check=True).stdout
    for wanted in wanted_files:
        if not re.search(rf" \./{wanted}( -> .*)?$", listing, re.M):
            yield f"{wanted} is not in the package"
    for line in listing.splitlines():
        if re.search(r"/(scenarios|targets|tests|COPYING)", line):
            yield f"should not be in the package: {line}"


def main():
    need_tools()
    source = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory:
        copy(source, Path(directory) / "synfault")
        status, output = run("dpkg-buildpackage", "-b", "-us", "-uc", cwd=f"{directory}/synfault")
        if status:
            print(output[-5000:])
            sys.exit("dpkg-buildpackage failed")
        packages = [path for path in Path(directory).glob("*.deb") if "dbgsym" not in path.name]
        complaints = []
        # lintian wants not to be root, and says no more than that it is.
        status, output = run("lintian", "--allow-root", "--fail-on", "error", *packages,
                             cwd=directory)
        print(output)
        if status:
            complaints.append("lintian finds errors")
        names = {field(package, "Package") for package in packages}
        complaints += [f"there is no package {name}" for name in sorted(set(CONTENTS) - names)]
        for package in packages:
            name = field(package, "Package")
            complaints += check_contents(package, CONTENTS.get(name, ()))
            if name == "synfault":
                complaints += check_dependencies(source, package)
            print(f'{package.name}: {field(package, "Installed-Size")} KiB installed')
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


main()
