#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""C is formatted by clang-format, as .clang-format says. To mend: clang-format -i FILE

Skipped where another version is installed: each formats some lines otherwise.
"""

import re
import subprocess
import sys

import tree

VERSION = "14"


def main():
    tree.need("clang-format")
    version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"version (\d+)", version)[1]
    if found != VERSION:
        print(f"clang-format {found} formats some lines otherwise than {VERSION}")
        sys.exit(tree.TOOLS_MISSING)
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", *tree.files(".c", ".h")],
                            cwd=tree.ROOT, capture_output=True, text=True, check=False)
    # The first place in each file is enough: clang-format -i mends them all.
    first = {}
    for line in result.stderr.splitlines():
        match = re.match(r"([^:]+):(\d+):\d+: error", line)
        if match:
            first.setdefault(match[1], f"{match[1]}:{match[2]}: not formatted (clang-format -i)")
    if result.returncode and not first:
        first["clang-format"] = result.stderr
    tree.finish(first.values())


main()
