#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What every file keeps to that no compiler checks.

A licence line and then a paragraph on what the file is for; functions that can be read at a glance;
functions in headers that say what they do; comments on functions that begin with a verb; no marks
of unfinished work; nothing that points out of the checkout; links in the documentation that lead
somewhere.
"""

import re

import tree

MAX_FUNCTION_LINES = 80
LICENCE = "SPDX-License-Identifier: GPL-2.0-or-later"
# What other projects copy or link is under a permissive licence. Scenarios, and what `record` writes, are to be
# copied.
PERMISSIVE = {"bindings": "SPDX-License-Identifier: MIT", tree.LIBRARY: "SPDX-License-Identifier: MIT"}
COPIED = "SPDX-License-Identifier: MIT OR CC0-1.0"
# Written so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
# Where this checkout is, and what it is in unless everybody has that.
HERE = [f"{place}/" for place in (tree.ROOT, tree.ROOT.parent)
        if str(place) not in ("/", "/builds", "/home", "/opt", "/root", "/src", "/tmp", "/var/tmp")]
# What may be on the line before a function's first.
BEFORE_FUNCTION = re.compile(r"^$|[;}]$|\*/$|^#")
# A function that a header declares, and what its comment says of it first.
DECLARATION = re.compile(r"^(?!typedef |static |extern )[A-Za-z][\w *]*?\b(\w+)\(")
SUMMARY = re.compile(r"^(?:/\*\*| \*) (\w+)\(\) - (\S+)")
# What begins such a comment, or one on a function of a file, instead of the verb.
NO_VERB = re.compile(r"(?i)(?:whether|how|why|what|when|where|which|the same)\b")
# A comment of one paragraph, and the function below it.
FUNCTION_COMMENT = re.compile(
    r"^/\*\s*(?:\* )?((?:Whether|How (?:many|long|far|much|often)|By how much|Why|What is|The same)\b"
    r"(?:[^*]|\*(?!/))*)\*/\n(?:static |inline |NORETURN )*[a-z][^;={}()#/]*\([^;{}]*\)\n\{",
    re.MULTILINE)
PARAMETER = re.compile(r"^ \* @(\w+):", re.MULTILINE)
# Functions that need no words, but may have them.
SELF_EVIDENT = re.compile(r"_(?:new|init|deinit|free|freep)$")
# The folders in which every other function of a header has a comment in kernel-doc form; the list only
# ever gets longer.
DOCUMENTED = (
    "common", "injector", "lib", "runner/clock", "runner/command", "runner/diagnose", "runner/doctor",
    "runner/inject", "runner/judge", "runner/observe", "runner/record", "runner/report",
    "runner/sandbox", "runner/scenario", "runner/schedule", "runner/trace",
)
SEE = re.compile(r"\bsee ([a-z][a-z_0-9]*\.h)\b")
LINK = re.compile(r"\]\(([^)#\s]+)")
# Bindings are thin: a file that users copy into their tests.
BINDING = re.compile(r"bindings/\w+/\w+\.(?:go|java|js|py)")
MAX_BINDING_LINES = 250
BINARY = (".pcap", ".pcapng", ".png", ".gz")


def check_opening(path, lines):
    """Licence, then (in C) a comment that says what the file is for."""
    first = 1 if lines[0].startswith("#!") else 0
    licence = PERMISSIVE.get(path.parts[0], LICENCE)
    if len(lines) <= first or licence not in lines[first]:
        yield f"{path}:{first + 1}: no licence line ({licence})"
        return
    opening = lines[first + 1] if len(lines) > first + 1 else ""
    if path.suffix in (".c", ".h") and not opening.startswith("/*"):
        yield f"{path}:{first + 2}: no paragraph on what this file is for"
    if path.suffix == ".py" and not opening.startswith('"""'):
        yield f"{path}:{first + 2}: no paragraph on what this file is for"


def check_functions(path, lines):
    """In formatted code the body of a function is between braces in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
            while start > 1 and not BEFORE_FUNCTION.search(lines[start - 2]):
                start -= 1
        elif line == "}" and start:
            if number - start + 1 > MAX_FUNCTION_LINES:
                yield (f"{path}:{start}: a function of {number - start + 1} lines "
                       f"({MAX_FUNCTION_LINES} at most)")
            start = None


def check_function_comments(path, text):
    for match in FUNCTION_COMMENT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{path}:{line}: the comment on a function does not begin with a verb: {match[1][:20]}…"


def check_words(path, lines):
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield f"{path}:{number}: a mark of unfinished work"
        if any(place in line for place in HERE):
            yield f"{path}:{number}: a path of this machine"


def declarations(lines):
    """Yields the line number, name and text of each function that a header declares, and the comment above."""
    for number, line in enumerate(lines, 1):
        match = DECLARATION.match(line)
        if not match:
            continue
        end = number
        while end < len(lines) and not lines[end - 1].rstrip().endswith(";"):
            end += 1
        above = [other for other in lines[:number - 1] if not other.startswith("/* clang-format")]
        start = len(above)
        if above and above[-1].rstrip().endswith("*/"):
            start -= 1
            while start > 0 and not above[start].lstrip().startswith("/*"):
                start -= 1
        follows = bool(above) and above[-1].rstrip().endswith(";")
        yield number, match[1], " ".join(lines[number - 1:end]), above[start:], follows


def check_declarations(path, lines):
    """A comment in kernel-doc form names the function below it, and its parameters."""
    for number, name, text, comment, follows in declarations(lines):
        if comment and comment[0].startswith("/**"):
            summary = SUMMARY.match(comment[0]) or (len(comment) > 1 and SUMMARY.match(comment[1]))
            if not summary or summary[1] != name:
                yield f"{path}:{number}: the comment does not begin with \"{name}() - \""
            elif NO_VERB.match(summary[2]):
                yield f"{path}:{number}: the comment on {name}() does not begin with a verb"
            for parameter in PARAMETER.findall("\n".join(comment)):
                if not re.search(rf"\b{parameter}\b", text):
                    yield f"{path}:{number}: {name}() has no parameter {parameter}"
        elif str(path).startswith(DOCUMENTED) and not SELF_EVIDENT.search(name) and not (follows and not comment):
            yield f"{path}:{number}: {name}() has no comment in kernel-doc form"


HEADERS = {file.name for file in tree.files(".h")}


def check_headers(path, lines):
    """A comment that sends its reader to a header of ours: there is one of that name."""
    for number, line in enumerate(lines, 1):
        for match in SEE.finditer(line):
            if match[1] not in HEADERS:
                yield f"{path}:{number}: there is no {match[1]} to see"


def check_links(path, lines):
    for number, line in enumerate(lines, 1):
        for match in LINK.finditer(line):
            if ":" in match[1]:
                continue
            target = (tree.ROOT / path.parent / match[1]).resolve()
            if not target.exists() or not target.is_relative_to(tree.ROOT):
                yield f"{path}:{number}: the link to {match[1]} leads nowhere"


def check(path):
    lines = tree.read(path).splitlines()
    yield from check_words(path, lines)
    is_script = bool(lines) and lines[0].startswith("#!")
    if path.suffix in (".c", ".go", ".h", ".java", ".js", ".py", ".sh") or path.name == "meson.build" or is_script:
        yield from check_opening(path, lines or [""])
    if path.suffix == ".yaml" and (path.parts[0] == "scenarios" or "recorded" in path.parts):
        if not lines or lines[0] != f"# {COPIED}":
            yield f"{path}:1: no licence line ({COPIED})"
    if BINDING.fullmatch(str(path)) and len(lines) > MAX_BINDING_LINES:
        yield f"{path}:{MAX_BINDING_LINES + 1}: a binding has at most {MAX_BINDING_LINES} lines"
    if path.suffix in (".c", ".h"):
        yield from check_headers(path, lines)
    if path.suffix == ".h":
        yield from check_declarations(path, lines)
    if path.suffix == ".c":
        yield from check_functions(path, lines)
        yield from check_function_comments(path, "\n".join(lines))
    if path.suffix == ".md":
        yield from check_links(path, lines)


def main():
    complaints = []
    for path in tree.files():
        # What fuzzers are fed, and what tests compare with, is data.
        if path.suffix in BINARY or path.name == "COPYING" or {"corpus", "data"} & set(path.parts):
            continue
        try:
            complaints += check(path)
        except UnicodeDecodeError:
            complaints.append(f"{path}:1: not UTF-8")
    tree.finish(complaints)


main()
