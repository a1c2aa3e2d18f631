# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lint tests share: which files there are, and how a complaint looks.

The files are those below the root of the checkout, build directories and hidden ones apart; git is
not asked, so that an unpacked archive is checked the same.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The layers in their one-way order, and what may use all of them.
LAYERS = ("common", "injector", "runner", "program")
# What is linked into other projects' programs: it uses none of the layers, and they don't use it.
LIBRARY = "lib"
TOOLS_MISSING = 77  # the exit status that meson takes for "skipped"


def files(*suffixes, below=("",)):
    """Paths relative to the root, sorted. A suffix is the end of the name."""
    found = []
    for top in below:
        for directory, directories, names in os.walk(ROOT / top):
            directories[:] = sorted(
                name for name in directories
                if not name.startswith((".", "build")) and name not in ("__pycache__",))
            for name in names:
                if name.endswith(suffixes or ("",)):
                    found.append((Path(directory) / name).relative_to(ROOT))
    return sorted(found)


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def finish(complaints):
    """Prints the complaints, as compilers do, and ends the test."""
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


def need(program):
    """Ends the test as skipped where the program is missing."""
    try:
        subprocess.run([program, "--version"], stdout=subprocess.DEVNULL, check=True)
    except FileNotFoundError:
        print(f"{program} is not installed")
        sys.exit(TOOLS_MISSING)
