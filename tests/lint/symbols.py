#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""libsynfault exports the functions of its header, each under a version, and nothing else; it has a name
for the loader and needs no library but that of C: python3 symbols.py LIBRARY"""

import re
import subprocess
import sys

import tree

# A function of the header; macros and types have no parenthesis after a name that begins like this.
DECLARED = re.compile(r"^(?! \*)[a-z][\w *]*?\b(synfault_\w+)\(", re.M)
# nm -D: "0000000000001234 T synfault_open@@SYNFAULT_0.2", and the version itself as "A".
EXPORTED = re.compile(r"^[0-9a-f]+ (\w) ([^\s@]+)(?:@@(\S+))?$", re.M)
DYNAMIC = re.compile(r"\((NEEDED|SONAME)\).*\[(.*)\]")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main():
    tree.need("readelf")
    library = sys.argv[1]
    declared = set(DECLARED.findall(tree.read("lib/synfault.h")))
    complaints = [] if declared else ["lib/synfault.h declares nothing: nothing was checked"]
    exported = set()
    for kind, name, version in EXPORTED.findall(output("nm", "--dynamic", "--defined-only", library)):
        if kind == "A":
            continue
        exported.add(name)
        if not version.startswith("SYNFAULT_"):
            complaints.append(f"{name} has no version")
    complaints += [f"{name}() is not exported" for name in sorted(declared - exported)]
    complaints += [f"{name} is exported, but not in the header" for name in sorted(exported - declared)]
    dynamic = DYNAMIC.findall(output("readelf", "--dynamic", "--wide", library))
    complaints += [f"it needs {name}" for tag, name in dynamic
                   if tag == "NEEDED" and not re.match(r"libc\.|ld-linux", name)]
    if ("SONAME", "libsynfault.so.0") not in dynamic:
        complaints.append("its name for the loader is not libsynfault.so.0")
    tree.finish(complaints)


main()
