#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How much the container image adds to its base: image.py SOURCE BUILD

The image is not built here. But the root of the test containers was weighed before and after it got the
image's packages, and what ci/Containerfile removes again can be weighed, too."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import container
import rootfs

MOST_BYTES = 40_000_000


def removed_bytes(source, root):
    """Returns how much of the packages the image's RUN removes. Caches are not in the weight."""
    text = (source / "ci/Containerfile").read_text(encoding="utf-8")
    patterns = re.findall(r"(?<=\s)/usr/lib/\S+", text)
    paths = {path for pattern in patterns for path in root.glob(pattern.lstrip("/"))}
    if not paths:
        raise RuntimeError(f"{patterns}: nothing there")
    return sum(path.lstat().st_size for path in paths), paths


def program_bytes(build):
    with tempfile.NamedTemporaryFile() as stripped:
        shutil.copy(build / "program/synfault", stripped.name)
        subprocess.run(["strip", stripped.name], check=True)
        return Path(stripped.name).stat().st_size


def runs_without(containers, paths):
    """Returns whether the program runs without these files."""
    def remove(bundle):
        for path in paths:
            (bundle / "rootfs" / path.relative_to(containers.root)).unlink()

    _, process = containers.run("image", ["synfault", "list", container.HOME / "scenarios"],
                                capabilities=(), prepare=remove)
    return process.returncode == 0, process.stdout


def main():
    container.enter_namespaces()
    source, build = Path(sys.argv[1]), Path(sys.argv[2])
    containers = container.Containers(source, build)
    removed, paths = removed_bytes(source, containers.root)
    weight = int((containers.root / rootfs.WEIGHT).read_text(encoding="ascii")) \
        - removed + program_bytes(build)
    works, output = runs_without(containers, paths)
    print("1..2")
    print(f"{'ok' if weight < MOST_BYTES else 'not ok'} 1 - the image adds {weight / 1e6:.1f} MB "
          f"to its base, of {MOST_BYTES / 1e6:.0f} MB at most")
    print(f"{'ok' if works else 'not ok'} 2 - the program runs without what the image leaves out")
    for line in [] if works else output.splitlines():
        print(f"# {line}")
    sys.exit(0 if works and weight < MOST_BYTES else 1)


main()
