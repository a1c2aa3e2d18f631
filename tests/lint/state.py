#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""All state is in structures that are passed in: no variable at file scope, none that is static in
a function. Seen in the symbols of the compiled layers and the library: python3 state.py BUILD-DIRECTORY

Constants with pointers in them are in .data.rel.ro, which is written to by the loader alone.
"""

import re
import subprocess
import sys
from pathlib import Path

import tree

# objdump -t: value, flags ("O": a variable), section, size, name.
SYMBOL = re.compile(r"^[0-9a-f]+ .{5}(?P<kind>.)O (?P<section>\S+)\s+[0-9a-f]+ (?:\.hidden )?(?P<name>\S+)$")
MUTABLE = re.compile(r"\.t?(data|bss)\b|\*COM\*")


def variables(path):
    text = subprocess.run(["objdump", "-t", path], capture_output=True, text=True, check=True)
    for line in text.stdout.splitlines():
        match = SYMBOL.match(line)
        if match and MUTABLE.match(match["section"]) and ".rel.ro" not in match["section"]:
            yield match["name"]


def main():
    tree.need("objdump")
    build = Path(sys.argv[1])
    complaints = []
    n_objects = 0
    for layer in (*tree.LAYERS, tree.LIBRARY):
        for path in sorted((build / layer).rglob("*.o")):
            n_objects += 1
            complaints += [f"{path.relative_to(build)}: {name} is a variable of the whole program"
                           for name in variables(path)]
    if not n_objects:
        complaints.append(f"{build}: no compiled layers: nothing was checked")
    tree.finish(complaints)


main()
