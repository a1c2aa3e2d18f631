#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON Schema of scenario files, held against the loader.

schema.py SYNFAULT: the schema in docs/ is what the program prints; it accepts every shipped scenario
and its own examples, and rejects what the loader rejects, as far as a schema can: CAN_NOT lists the
documents that it can't reject, with reasons. The report is TAP.
"""

import copy
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
WRONG = ROOT / "tests" / "scenarios" / "wrong"

# What a schema can't know from the document alone.
DEFAULTS = "what is missing could come from defaults earlier in the file"
RELATION = "it depends on another value of the document, or on another document"
NUMBER = "a pattern does not know how large a number in a text is"
CHOICE = "the names of signals are not listed"
SETTING = "the names of kernel settings are not listed"
STEP = "of a fault step only the beginning is in the pattern"
EMPTY = "an empty text or mapping may be filled by defaults, or is one of several forms"


class Loader(yaml.SafeLoader):
    """Resolves plain texts by the core schema (YAML 1.2.2, section 10.3.2), as editors do."""

    yaml_implicit_resolvers = {}


for tag, pattern, first in (
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?[0-9]+\.[0-9]+", "-+0123456789"),
    ("bool", r"true|false", "tf"),
    ("null", r"~|null|", ["~", "n", ""]),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


class Tap:
    def __init__(self):
        self.number, self.failed = 0, False

    def result(self, name, problems):
        self.number += 1
        print(f"{'not ok' if problems else 'ok'} {self.number} - {name}")
        for problem in problems:
            print(f"# {problem}")
        self.failed = self.failed or bool(problems)

    def end(self):
        print(f"1..{self.number}")
        sys.exit(1 if self.failed else 0)


def documents(path):
    """The documents of a file as (first line, text, parsed); parsed is an exception where that fails."""
    found, lines, start = [], [], 1
    for number, line in enumerate([*path.read_text(errors="replace").splitlines(), "---"], start=1):
        if not re.match(r"---(\s|$)", line):
            lines.append(line)
            continue
        text = "\n".join(lines)
        if text.strip():
            try:
                parsed = yaml.load(text, Loader)
            except (yaml.YAMLError, ValueError, RecursionError) as error:
                parsed = error
            if parsed is not None:
                found.append((start, text, parsed))
        lines, start = [line[3:]] if line[3:].strip() else [], number + (0 if line[3:].strip() else 1)
    return found


def refusals(validator, document):
    try:
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:150]}"
                for error in validator.iter_errors(document)]
    except TypeError as error:
        # JSON has no keys but texts.
        return [str(error)]


def test_is_generated(tap, synfault, name, *options):
    command = " ".join(["synfault schema", *options])
    printed = subprocess.run([synfault, "schema", *options], capture_output=True, text=True,
                             check=True).stdout
    tap.result(f"docs/{name} is what `{command}` prints",
               [] if printed == (ROOT / "docs" / name).read_text() else
               [f"it is not: run `{command} > docs/{name}`"])
    schema = json.loads(printed)
    jsonschema.Draft7Validator.check_schema(schema)
    return schema


def test_shipped(tap, validator):
    problems, n_documents = [], 0
    paths = [*ROOT.glob("scenarios/**/*.yaml"), *ROOT.glob("tests/container/scenarios/*.yaml")]
    for path in sorted(paths):
        for line, _, document in documents(path):
            n_documents += 1
            problems += [f"{path.relative_to(ROOT)}:{line}: {problem}"
                         for problem in refusals(validator, document)]
    if n_documents < 50:
        problems.append(f"only {n_documents} documents were found")
    tap.result(f"it takes all {n_documents} scenarios that are shipped", problems)


def keys(schema, at=""):
    """All keys of all mappings with what the schema says of each."""
    for name, definition in schema["definitions"].items():
        groups = [definition.get("properties", {}), definition.get("patternProperties", {})]
        if isinstance(definition.get("additionalProperties"), dict):
            groups.append({"*": definition["additionalProperties"]})
        for group in groups:
            for key, value in group.items():
                yield f"{name}.{key}", value


def test_examples(tap, schema):
    problems, n_keys = [], 0
    for where, value in keys(schema):
        n_keys += 1
        if not value.get("description", "").strip():
            problems.append(f"{where} has no description")
        if not value.get("examples"):
            problems.append(f"{where} has no example")
        for example in [*value.get("examples", []), *([value["default"]] if "default" in value else [])]:
            part = {**value, "definitions": schema["definitions"]}
            problems += [f"{where}: {example!r}: {problem}"
                         for problem in refusals(jsonschema.Draft7Validator(part), example)]
    tap.result(f"its {n_keys} keys have descriptions, and examples and defaults that it takes", problems)


def replace_values(document, at):
    """A copy with one value replaced by a reference to the matrix."""
    made = copy.deepcopy(document)
    parent = made
    for step in at[:-1]:
        parent = parent[step]
    parent[at[-1]] = "${matrix.any-value}"
    return made


def value_paths(document, at=()):
    items = document.items() if isinstance(document, dict) else \
        enumerate(document) if isinstance(document, list) else ()
    for key, value in items:
        yield (*at, key)
        yield from value_paths(value, (*at, key))


def test_references(tap, validator):
    problems, n_values = [], 0
    for path in sorted(ROOT.glob("scenarios/*/*.yaml")):
        for line, _, document in documents(path):
            for at in value_paths(document):
                # What a matrix and defaults hold is not replaced.
                if at[0] in ("matrix", "defaults"):
                    continue
                n_values += 1
                problems += [f"{path.relative_to(ROOT)}:{line}: {at}: {problem}"
                             for problem in refusals(validator, replace_values(document, at))]
    tap.result(f"a reference to the matrix can stand for each of {n_values} values", problems[:20])


def wrong_lines(synfault, path):
    """The lines that the loader complains about."""
    checked = subprocess.run([synfault, "check", path], capture_output=True, text=True, errors="replace",
                             check=False)
    return [int(line) for line in re.findall(rf"^{re.escape(str(path))}:(\d+):", checked.stderr, re.M)]


def test_wrong(tap, validator, synfault):
    problems, used, n_refused = [], set(), 0
    for path in sorted(WRONG.glob("*.yaml")):
        found = documents(path)
        lines = wrong_lines(synfault, path)
        starts = [start for start, _, _ in found] + [10**9]
        for (start, text, document), end in zip(found, starts[1:]):
            if isinstance(document, Exception) or not any(start <= line < end for line in lines):
                continue
            name = document.get("name") if isinstance(document, dict) else None
            key = (path.stem, str(name) if name else text.strip().splitlines()[0])
            taken = not refusals(validator, document)
            n_refused += not taken
            if taken and key not in CAN_NOT:
                problems.append(f"{path.relative_to(ROOT)}:{start}: is taken: {key}")
            if key in CAN_NOT:
                used.add(key)
                if not taken:
                    problems.append(f"{path.relative_to(ROOT)}:{start}: can be refused: {key}")
    problems += [f"{key} is not there" for key in CAN_NOT if key not in used]
    tap.result(f"it refuses {n_refused} wrong documents, all but {len(CAN_NOT)} that it can't", problems)


CAN_NOT = {
    ("never-connects", "a setting that does not exist"): SETTING,
    ("never-connects", "a byte count on a step that never connects"): STEP,
    ("never-connects", "connections where there can be none"): RELATION,
    ("remote", "a remote endpoint has one place"): RELATION,
    ("restarts", "restarts"): STEP,
    ("restarts", "nothing ends a connection"): RELATION,
    ("restarts", "nothing connects"): RELATION,
    ("behaviour", "more attempts than the policy allows"): RELATION,
    ("behaviour", "attempts beyond giving up"): RELATION,
    ("behaviour", "waits on one attempt"): RELATION,
    ("behaviour", "waits of a policy with one attempt"): RELATION,
    ("behaviour", "a list that is too long"): RELATION,
    ("behaviour", "a list that is too short"): RELATION,
    ("behaviour", "more in flight than there are"): RELATION,
    ("behaviour", "more time than there is"): RELATION,
    ("behaviour", "waits that take longer than the scenario"): RELATION,
    ("behaviour", "a list that takes longer than the scenario"): RELATION,
    ("behaviour", "waits that take longer than all the runs have"): RELATION,
    ("behaviour", "waits that take longer than the client may"): RELATION,
    ("behaviour", "waits that go on when the client is to have given up"): RELATION,
    ("behaviour", "waits that are longer than all of them are to be"): RELATION,
    ("behaviour", "nothing to time out"): RELATION,
    ("behaviour", "a fallback that must not be"): RELATION,
    ("clients", "no directory"): EMPTY,
    ("daemons-and-rounds", "read-timeout needs a connection"): RELATION,
    ("daemons-and-rounds", "longer than the client runs"): RELATION,
    ("daemons-and-rounds", "stopped too late"): RELATION,
    ("daemons-and-rounds", "rounds and lists"): RELATION,
    ("daemons-and-rounds", "connecting and duration"): RELATION,
    ("defaults-that-do-not-fit", "defaults:"): RELATION,
    ("defaults-that-do-not-fit", "defaults: {defaults: {timeout: 1s}}"): RELATION,
    ("defaults", "depends on them"): RELATION,
    ("defaults", "depends on them, and nothing else is wrong"): RELATION,
    ("durations", "a timeout of nothing"): NUMBER,
    ("exits", "unknown signal"): CHOICE,
    ("exits", "no signal at all"): EMPTY,
    ("matrices", "unknown keys"): RELATION,
    ("matrices", "exclude that takes nothing away"): RELATION,
    ("matrices", "rows that lack a key"): RELATION,
    ("matrices", "a list inside a text"): RELATION,
    ("matrices", "nothing left"): RELATION,
    ("matrices", "an empty one"): EMPTY,
    ("matrices", "wrong values are reported once"): RELATION,
    ("matrices", "too many"): RELATION,
    ("matrices", "no matrix"): RELATION,
    ("missing-keys", "no client, no expectation"): DEFAULTS,
    ("missing-keys", "nothing in what is there"): DEFAULTS,
    ("names", "twice"): RELATION,
    ("names", "twice ${matrix.a}"): RELATION,
    ("numbers", "more clients than there can be"): NUMBER,
    ("pauses", "pauses"): STEP,
    ("policies", "figures that don't go together"): RELATION,
    ("pauses", "pauses"): STEP,
    ("references", "references"): RELATION,
    ("repeated-keys", "again"): RELATION,
    ("stalls", "stalls"): STEP,
}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tap = Tap()
    test_is_generated(tap, sys.argv[1], "run.schema.json", "--format", "results")
    for document in ("record", "diagnosis", "doctor", "list", "comparison", "protocol",
                     "observation"):
        test_is_generated(tap, sys.argv[1], f"{document}.schema.json", "--format", document)
    schema = test_is_generated(tap, sys.argv[1], "scenario.schema.json")
    validator = jsonschema.Draft7Validator(schema)
    test_shipped(tap, validator)
    test_examples(tap, schema)
    test_references(tap, validator)
    test_wrong(tap, validator, sys.argv[1])
    tap.end()


main()
