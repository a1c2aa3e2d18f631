#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The packs fail every mutant of their right clients.

mutants.py SYNFAULT TARGETS [LIST]: runs each mutant of the list (mutants.txt) under its scenario. The
client's failure has to be found: neither a pass nor an inconclusive run will do, though a run that
was inconclusive is repeated. Prints what was caught by which expectation; exits 1 unless every mutant
was caught.
"""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKS = HERE.parents[1] / "scenarios"
# A run spends its time waiting, so more run at once than there are processors.
AT_ONCE = 4 * (os.cpu_count() or 1)
TRIES = 3
EXIT_FAIL, EXIT_ERROR = 1, 3


class Mutant:
    """One changed client."""

    def __init__(self, scenario, client, option, value):
        self.pack, self.name = scenario.split(": ", 1)
        program, *arguments = client.split()
        if option in arguments:
            at = arguments.index(option)
            del arguments[at:at + 2]
        self.command = [program, *([] if value == "-" else [option, value]), *arguments]

    def __str__(self):
        return f"{self.pack}: {self.name}: {' '.join(self.command)}"


def read(path):
    scenario = client = None
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, rest = line.partition(" ")
        if word == "scenario":
            scenario = rest
        elif word == "client":
            client = rest
        elif word.startswith("--"):
            for value in rest.split():
                yield Mutant(scenario, client, word, value)


def subjects(junit):
    """What the findings of the only scenario are about."""
    found = []
    for failure in xml.etree.ElementTree.parse(junit).getroot().iter("failure"):
        found += re.findall(r"^\d+\. ([\w-]+)", failure.text or "", re.MULTILINE) \
            or [failure.get("type")]
    return sorted(set(found))


def run(mutant, synfault, targets):
    """Returns the exit status, the subjects of the findings, and the output."""
    with tempfile.TemporaryDirectory() as directory:
        junit = os.path.join(directory, "junit.xml")
        for _ in range(TRIES):
            process = subprocess.run(
                [synfault, "run", "--filter", mutant.name, "--junit", junit,
                 PACKS / mutant.pack, "--", *mutant.command],
                env={**os.environ, "PATH": f"{targets}:{os.environ['PATH']}", "TMPDIR": directory},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", check=False)
            if process.returncode != EXIT_ERROR:
                break
        found = subjects(junit) if process.returncode == EXIT_FAIL else []
    return process.returncode, found, process.stdout


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    synfault, targets = (os.path.abspath(argument) for argument in sys.argv[1:3])
    mutants = list(read(Path(sys.argv[3]) if len(sys.argv) > 3 else HERE / "mutants.txt"))
    caught, n_caught = Counter(), 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = pool.map(lambda mutant: run(mutant, synfault, targets), mutants)
        for mutant, (status, found, output) in zip(mutants, results):
            if status == EXIT_FAIL:
                n_caught += 1
                caught.update(found)
                continue
            print(f"not caught, exit {status}: {mutant}")
            print("".join(f"  {line}\n" for line in output.splitlines()), flush=True)
    for subject, number in caught.most_common():
        print(f"{number:5} caught by {subject}")
    print(f"{n_caught} of {len(mutants)} mutants caught")
    sys.exit(0 if mutants and n_caught == len(mutants) else 1)


main()
