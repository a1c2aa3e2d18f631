#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the clients and scenarios of docs/diagnose.md: retry.py DOCS SYNFAULT COMPILER... The report is TAP."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path


def block(page, language):
    """The one block of code in a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", page, re.M | re.S)
    if len(found) != 1:
        raise ValueError(f"{len(found)} blocks of {language}")
    return found[0]


def commands(scenarios):
    """The scenarios with the command of each client, in the order of the comment: Python's, C's."""
    line = re.compile(r"command: \[(.*?), \"\$\{server\}\"\] +# (.*)")
    yield line.sub(lambda match: f'command: [{match[1]}, "${{server}}"]', scenarios)
    yield line.sub(lambda match: "command: [" + ", ".join(f'"{word}"' for word in match[2].split()) + "]", scenarios)


def main():
    page, synfault, compiler = Path(sys.argv[1]).read_text(encoding="utf-8"), sys.argv[2], sys.argv[3:]
    scenarios = block(page, "yaml")
    failed = 0
    print("1..2", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        # Clients may run as another user.
        here.chmod(0o755)
        (here / "retry.py").write_text(block(page, "python"), encoding="utf-8")
        (here / "retry.py").chmod(0o755)
        (here / "retry.c").write_text(block(page, "c"), encoding="utf-8")
        subprocess.run([*compiler, "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O2", "-o", here / "retry",
                        here / "retry.c"], check=True)
        for number, (name, text) in enumerate(zip(("Python", "C"), commands(scenarios)), 1):
            path = here / f"{name}.yaml"
            path.write_text(text, encoding="utf-8")
            result = subprocess.run([Path(synfault).resolve(), "run", path], cwd=here, capture_output=True,
                                    text=True, check=False)
            passed = result.returncode == 0 and text != scenarios
            print(f"{'' if passed else 'not '}ok {number} - the client in {name} passes its scenarios", flush=True)
            if not passed:
                failed += 1
                print("  ---\n  " + (result.stdout + result.stderr).replace("\n", "\n  ") + "\n  ...", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
