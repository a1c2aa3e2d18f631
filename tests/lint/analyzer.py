#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""gcc's -fanalyzer over the layers and the library, as many files at a time as there are processors.

It takes some minutes of processor time, so ci/soak runs it, not ci/test. A finding is mended, or excused by name in
analyzer.excuses: a line has the file, the function, the warning, and after "#" why the analyzer is wrong.
"""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import tree

FUNCTION = re.compile(r"^\S+: In function ‘(?P<name>\w+)’:")
WARNING = re.compile(r"^\S+?:\d+:\d+: warning: .*\[-Wanalyzer-(?P<name>[a-z-]+)\]$")
EXCUSES = "tests/lint/analyzer.excuses"


def excuses():
    """Returns those of the file, as (file, function, warning)."""
    lines = (line.partition("#")[0].split() for line in tree.read(EXCUSES).splitlines())
    return {tuple(words) for words in lines if words}


def analyze(path, flags):
    """Returns the findings in a file: each a line of the compiler's, and what it takes to excuse it."""
    # Without optimization no function is inlined in another: each finding has the name of its own function.
    result = subprocess.run(
        ["gcc", "-std=gnu11", "-O0", "-D_GNU_SOURCE", '-DSYNFAULT_VERSION="0"', "-I.", *flags, "-fanalyzer",
         "-fdiagnostics-plain-output", "-c", "-o", os.devnull, path],
        cwd=tree.ROOT, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
    if result.returncode:
        return [(result.stderr, None)]
    findings = []
    function = ""
    for line in result.stderr.splitlines():
        if match := FUNCTION.match(line):
            function = match["name"]
        elif match := WARNING.match(line):
            findings.append((f"{line} in {function}", (str(path), function, match["name"])))
    return findings


def main():
    tree.need("gcc")
    flags = subprocess.run(["pkg-config", "--cflags", "libxml-2.0"], capture_output=True, text=True,
                           check=True).stdout.split()
    excused = excuses()
    paths = [path for path in tree.files(".c", below=(*tree.LAYERS, tree.LIBRARY)) if "example" not in path.parts]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        findings = [finding for found in pool.map(lambda path: analyze(path, flags), paths) for finding in found]
    tree.finish([line for line, name in findings if name not in excused])


main()
