#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""clang-tidy over the layers and the targets, with the checks of .clang-tidy, two at a time:
python3 tidy.py BUILD-DIRECTORY"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree


def sources(build):
    """Returns the sources of the program itself; tests consist of other libraries' macros."""
    database = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    paths = {(Path(entry["directory"]) / entry["file"]).resolve() for entry in database}
    inside = {path.relative_to(tree.ROOT) for path in paths if path.is_relative_to(tree.ROOT)}
    return sorted(path for path in inside
                  if path.suffix == ".c" and path.parts[0] in (*tree.LAYERS, tree.LIBRARY, "targets"))


def tidy(build, path):
    result = subprocess.run(["clang-tidy", "-p", build, "--quiet", path], cwd=tree.ROOT,
                            capture_output=True, text=True, check=False)
    return "" if result.returncode == 0 else result.stdout + result.stderr


def main():
    tree.need("clang-tidy")
    build = Path(sys.argv[1])
    paths = sources(build)
    with ThreadPoolExecutor(max_workers=2) as pool:
        outputs = list(pool.map(lambda path: tidy(build, path), paths))
    tree.finish([output for output in outputs if output]
                if paths else [f"{build}: no sources: nothing was checked"])


main()
