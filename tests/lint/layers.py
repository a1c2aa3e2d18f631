#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The layers depend on each other one way only: common < injector < runner < program.

Read off the includes: a file includes only its own layer and those below, by path from the root;
targets, which stand for foreign programs, include nothing of ours but their own; nothing includes
tests but tests.
"""

import re

import tree

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)


def may_include(top, included):
    if top == "tests":
        return True
    if top in tree.LAYERS:
        return included in tree.LAYERS[:tree.LAYERS.index(top) + 1]
    return included == top


def main():
    complaints = []
    for path in tree.files(".c", ".h"):
        text = tree.read(path)
        for match in INCLUDE.finditer(text):
            where = f"{path}:{text.count(chr(10), 0, match.start(1)) + 1}"
            if not (tree.ROOT / match[1]).is_file():
                complaints.append(f'{where}: "{match[1]}" is not a path from the root')
            elif not may_include(path.parts[0], match[1].split("/")[0]):
                complaints.append(f'{where}: {path.parts[0]} must not include "{match[1]}"')
    tree.finish(complaints)


main()
