#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages, held against the program: each option and key is in them, and no other.

manual.py SYNFAULT PAGE...: the built pages. The report is TAP.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# scdoc writes paragraph macros after headings and before lists, which mandoc thinks superfluous.
HABITS = re.compile(r"STYLE|skipping paragraph macro|UNSUPP")
# Options of other programs that the documents name.
FOREIGN = {"build-arg", "cap-add", "cap-drop", "network", "privileged", "security-opt", "user",
           "retry", "retry-connrefused", "retry-delay", "tries", "port", "mistake", "rm", "device",
           "delay", "max-time", "version", "schemafile", "help", "cflags", "libs"}


class Tap:
    def __init__(self):
        self.number, self.failed = 0, False

    def result(self, name, problems):
        self.number += 1
        print(f"{'not ok' if problems else 'ok'} {self.number} - {name}")
        for problem in problems[:30]:
            print(f"# {problem}")
        self.failed = self.failed or bool(problems)

    def skip(self, name, reason):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {reason}")

    def end(self):
        print(f"1..{self.number}")
        sys.exit(1 if self.failed else 0)


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def shown(page):
    """A page as a wide terminal shows it, on one line, hyphenation undone."""
    environment = {**os.environ, "MANWIDTH": "1000", "MAN_KEEP_FORMATTING": "", "LC_ALL": "C.UTF-8"}
    text = run("man", "--warnings", "-E", "UTF-8", "-l", page, env=environment)
    return text.stdout, text.stderr


def commands(synfault):
    """What each command's --help shows: {command: [(option, argument)]}."""
    names = re.findall(r"^  synfault (\w+) ", run(synfault, "--help").stdout, re.M)
    return {name: re.findall(r"^ +(?:-\w, )?--([\w-]+)(?: ([A-Z]\S*))?(?: |$)", run(synfault, name, "--help").stdout, re.M)
            for name in names if name != "help"}


def keys_of(schema):
    """All keys of scenario files: {definition: {key}}."""
    return {name: set(definition.get("properties", {})) for name, definition in schema["definitions"].items()
            if definition.get("properties")}


def test_options(tap, known, text):
    problems = []
    for command, options in known.items():
        section = re.search(rf"^   synfault {command}\b.*?(?=^   synfault \w|^[A-Z])", text, re.M | re.S)
        if not section:
            problems.append(f"synfault {command} has no section")
            continue
        for option, argument in options:
            wanted = rf"--{option}{' ' + re.escape(argument) if argument else ''}$"
            if not re.search(wanted, section[0], re.M):
                problems.append(f"synfault {command} --{option} is not in its section")
    tap.result(f"synfault(1) has all options of {len(known)} commands", problems)


def test_no_other_options(tap, known, texts):
    names = {option for options in known.values() for option, _ in options} | FOREIGN
    problems = [f"{page}: --{option} does not exist"
                for page, text in texts.items() for option in set(re.findall(r"(?<![\w-])--([a-z][\w-]*)", text))
                if option not in names]
    variables = {"SYNFAULT_" + option.replace("-", "_").upper() for option in names}
    problems += [f"{page}: {variable} stands for no option"
                 for page, text in texts.items() for variable in set(re.findall(r"\(SYNFAULT_[A-Z_]+\)", text))
                 if variable.strip("()") not in variables]
    tap.result("no page names an option that does not exist", problems)


def test_keys(tap, schema, text):
    problems = []
    reference = text[text.index("REFERENCE OF KEYS"):]
    for definition, keys in keys_of(schema).items():
        for key in keys:
            if not re.search(rf"^ +{re.escape(key)} \(", reference, re.M):
                problems.append(f"{definition}: {key} is not in the reference")
    known = set().union(*keys_of(schema).values())
    problems += [f"the reference has {key}, which does not exist"
                 for key in re.findall(r"^       ([a-z][a-z-]*) \(", reference, re.M) if key not in known]
    tap.result(f"synfault-scenario(5) has all {len(known)} keys, and no other", problems)


def test_markdown_keys(tap, schema):
    """Tables of keys in the text that people write: "| key | value | …" and below."""
    known = set().union(*keys_of(schema).values())
    text = (ROOT / "docs" / "scenario.md").read_text()
    told, problems, in_keys = set(), [], False
    for line in text.splitlines():
        if line.startswith("| key |"):
            in_keys = True
        elif not line.startswith("|"):
            in_keys = False
        elif in_keys and not line.startswith("|-"):
            for key in re.findall(r"`([^`]+)`", line.split("|")[1]):
                told.add(key)
                if key not in known:
                    problems.append(f"docs/scenario.md: {key} is not a key")
    # Keys named in running text.
    problems += [f"docs/scenario.md does not name {key}" for key in sorted(known - told)
                 if not re.search(rf"[`{{ ,]{re.escape(key)}(:|`)", text)]
    tap.result("docs/scenario.md has all keys, and no other", problems)


def test_code(tap, texts):
    """Code in the documents that a page includes is shown as it is, backslashes and all."""
    problems, n = [], 0
    for page, text in texts.items():
        source = (ROOT / "docs" / "man" / (pathlib.Path(page).name + ".scd")).read_text()
        for name in re.findall(r"^@include (\S+)@$", source, re.M):
            document = (ROOT / "docs" / name).read_text()
            for line in "".join(re.findall(r"^```\w*\n(.*?)^```$", document, re.M | re.S)).splitlines():
                n += 1
                if " ".join(line.split()) not in text:
                    problems.append(f"{page} does not show the code of {name}: {line}")
    tap.result("pages show all code of the documents unchanged", problems if n else ["no code at all"])


def test_lint(tap, pages, warnings):
    tap.result("man shows the pages without a warning",
               [f"{page}: {line}" for page, text in warnings.items() for line in text.splitlines()])
    if not shutil.which("mandoc"):
        tap.skip("mandoc finds nothing in them", "mandoc is not installed")
        return
    problems = []
    for page in pages:
        lines = run("mandoc", "-T", "lint", page).stdout.splitlines()
        problems += [line for line in lines if not HABITS.search(line)]
    tap.result("mandoc finds nothing in them", problems)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    synfault, *pages = sys.argv[1:]
    tap = Tap()
    if not shutil.which("man"):
        tap.skip("the manual pages", "man is not installed")
        tap.end()
    outputs = {pathlib.Path(page).name: shown(page) for page in pages}
    texts = {page: text for page, (text, _) in outputs.items()}
    known = commands(synfault)
    schema = json.loads(run(synfault, "schema").stdout)
    test_options(tap, known, texts["synfault.1"])
    test_no_other_options(tap, known, texts)
    test_keys(tap, schema, texts["synfault-scenario.5"])
    test_markdown_keys(tap, schema)
    test_code(tap, {page: " ".join(text.split()) for page, text in texts.items()})
    test_lint(tap, pages, {page: text for page, (_, text) in outputs.items()})
    tap.end()


main()
