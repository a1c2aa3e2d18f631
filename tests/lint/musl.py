#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every source of the program, the library and the clients compiles against the headers of musl, as on Alpine.

The headers are those of Debian's musl-dev. Those of the kernel and of other libraries come after them,
from a directory that holds these alone: glibc's stay out. Nothing is linked.
"""

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree

INCLUDE = Path("/usr/include")
# In /usr/include, or in its directory for the machine's architecture.
OTHERS = ("asm", "asm-generic", "linux", "cap-ng.h", "curl", "event.h", "event2", "evutil.h", "jansson.h",
          "jansson_config.h", "libmnl", "libnetfilter_queue", "libnfnetlink", "libnftnl", "libxml2/libxml",
          "pcre2.h", "unicode", "utarray.h", "uthash.h", "utlist.h", "utstring.h", "yaml.h")
OPTIONS = ("-std=gnu11", "-D_GNU_SOURCE", '-DSYNFAULT_VERSION="0"', "-fsyntax-only", "-Wall", "-Wextra",
           "-Werror", "-Wno-missing-field-initializers", "-Wno-unused-parameter", "-nostdinc")


def gcc(*arguments):
    return subprocess.run(["gcc", *arguments], cwd=tree.ROOT, capture_output=True, text=True, check=False)


def stage(directory, triplet):
    """Links to the headers that are not of a C library."""
    for name in OTHERS:
        for place in (INCLUDE / triplet, INCLUDE):
            if (place / name).exists():
                (directory / Path(name).name).symlink_to(place / name)
                break


def main():
    tree.need("gcc")
    triplet = gcc("-print-multiarch").stdout.strip()
    musl = INCLUDE / triplet.replace("-gnu", "-musl")
    if not musl.is_dir():
        print(f"musl-dev is not installed: {musl} is missing")
        sys.exit(tree.TOOLS_MISSING)
    own = gcc("-print-file-name=include").stdout.strip()
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(max_workers=2) as pool:
        stage(Path(directory), triplet)
        options = (*OPTIONS, "-isystem", musl, "-isystem", own, "-I", ".", "-idirafter", directory)
        results = pool.map(lambda path: gcc(*options, path).stderr,
                           [path for path in tree.files(".c", below=(*tree.LAYERS, tree.LIBRARY, "targets"))
                            if "example" not in path.parts])
        tree.finish([result for result in results if result])


main()
