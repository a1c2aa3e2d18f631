#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""C is formatted by clang-format, as .clang-format says. To mend: clang-format -i FILE"""

import re
import subprocess

import tree


def main():
    tree.need("clang-format")
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
