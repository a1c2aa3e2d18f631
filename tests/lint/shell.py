#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Shell scripts are free of what shellcheck knows to go wrong."""

import re
import subprocess

import tree

SHELL = re.compile(r"#!.*\b(ba|da)?sh\b")


def is_shell(path):
    if path.suffix == ".sh":
        return True
    with open(tree.ROOT / path, "rb") as file:
        return bool(SHELL.match(file.readline().decode("utf-8", "replace")))


def main():
    tree.need("shellcheck")
    # .ci is hidden, and is ours all the same.
    paths = [path for path in tree.files(below=("", ".ci")) if is_shell(path)]
    result = subprocess.run(["shellcheck", "--external-sources", *paths], cwd=tree.ROOT,
                            check=False)
    tree.finish(["shellcheck complains"] if result.returncode else [])


main()
