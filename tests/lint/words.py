#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The wording that docs/development.md asks for: comments, messages, documentation and help texts.

words.py [SYNFAULT]: complains of turns of phrase that make a reader stop, of the scenario keys of
version 0.1, and, given the program (or its build directory), of help lines wider than 80 columns.
words.py --count [ROOT]: prints how often each turn occurs below ROOT instead, folder by folder.
"""

import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from pathlib import Path

import tree

MAX_HELP_COLUMNS = 80

# A name for the count, what is found, and what to write instead.
TURNS = [
    ("negated noun", r"(?<!there )\b(?:is|are|was|were) no\b(?! (?:longer|more|less|fewer|later|earlier|better|worse|match)\b)",
     '"is not a …", "there is no …"'),
    ("so long, so many", r"\bso (?:long|many|few)\b(?! that\b)", 'a number, "this many", "while"'),
    ("to be had", r"\b(?:to|can|can't|could|may|might) be had\b", '"available"'),
    ("stands", r"\bstands?\b(?! (?:for|alone|still)\b)|\bstood\b", '"is", "exists", "is open"'),
    ("meanwhile", r"\bmeanwhile\b", "nothing, or a time"),
    ("whatever", r"\bwhatever\b", "what is meant"),
    ("besides", r"\bbesides\b", '"also", "in addition"'),
    ("somebody", r"(?<!user )(?<!\{)\b(?:nobody|anybody|somebody)\b(?!\")", '"no process", "another process", "the user"'),
    ("is over", r"\b(?:is|are|was|were) over\b", '"has ended", "has elapsed"'),
    ("nothing that can", r"\bnothing that can\b", "the plain negation"),
    ("of which", r"\bof which\b", "two sentences"),
    ("tells", r"\b(?:is|are|was|were|be|been) told\b(?! (?:otherwise|to|apart|from))|\btells\b", '"reports", "says", "shows"'),
    ("by itself", r"\bby (?:itself|themselves)\b", '"on its own"'),
    ("in earnest", r"\bin earnest\b|\bfor want of\b|\bagain and again\b", '"really", "for lack of", "repeatedly"'),
    ("supervising process", r"\bsupervising process", '"supervisor"'),
    ("has it not", r"\b(?:has|have) (?:it|them) not\b", '"does not have it"'),
    ("what there is", r"\b(?:what|all) there (?:is|are)\b(?! to\b)", '"everything", "what exists"'),
    ("none of", r"\b(?:is|are) none of (?:its|our|their|the|ours|theirs)\b", '"does not belong to"'),
    ("hyphens", r"\b(?:time-out|back-off|fall-back)s?\b", '"timeout", "backoff", "fallback"'),
    ("by and by", r"\bby and by\b|\bas ever\b|\bbefell\b", '"gradually", "as usual"'),
    ("by so much", r"\bby so much\b|\bso much (?:early|late|earlier|later)\b", '"by this much"'),
    ("mostly", r"\bmostly\b", "a number, or nothing"),
    ("1 things", r"(?<!/)\b1 (?:attempts|bytes|clients|connections|endpoints|errors|files|instances|packets"
     r"|processors|records|retransmissions|runs|scenarios|sockets|times)\b",
     "the singular"),
]
COMPILED = [(name, re.compile(pattern, re.IGNORECASE), instead)
            for name, pattern, instead in TURNS]

# The scenario keys of version 0.1 that have other names now.
OLD_KEY = re.compile(r"(?<![\w/.-])(?:(?:waits|intervals|linger):(?!\w)|(?:total-wait|in-flight|retries-only)\b)")

# Where something of this is right: path, what is found (lower case), and the reason.
ALLOWED = [
    ("tests/", "1 packets", "nft's own grammar"),
    ("tests/unit/test_matrix.c", "nobody", "the name of an endpoint that does not exist"),
    ("runner/scenario/synonyms.c", "total-wait", "leads from old keys to new ones"),
    ("runner/scenario/synonyms.c", "in-flight", "likewise"),
    ("runner/scenario/synonyms.c", "retries-only", "likewise"),
    ("tests/scenarios/wrong/", "nobody", "the name of an endpoint that does not exist"),
    ("CHANGELOG.md", "", "names what old keys and messages became"),
    ("tests/lint/words.py", "", "has to name what it looks for"),
    ("runner/scenario/", "is no", "quotes YAML 1.1, where no is a boolean"),
]

# Tests that the old keys lead to the new ones.
OLD_KEYS_TESTED = "tests/unit/test_messages.c"

CHECK_HELP = True

TEST_NAME = re.compile(r"^Test\(\w+, (\w+)", re.MULTILINE)
C_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


class Text:
    """A stretch of prose with the line that each part of it comes from."""

    def __init__(self):
        self.text, self.starts = "", []

    def add(self, line, text):
        self.starts.append((len(self.text), line))
        self.text += text

    def line(self, offset):
        return max(line for start, line in self.starts if start <= offset)


def c_texts(source):
    """Comments, names of tests, and string literals, those that the compiler joins as one."""
    literal, end = None, 0
    for match in TEST_NAME.finditer(source):
        name = Text()
        name.add(source.count("\n", 0, match.start()) + 1, match[1].replace("_", " "))
        yield name
    for match in C_TOKEN.finditer(source):
        line = source.count("\n", 0, match.start()) + 1
        token = match[0]
        if token[0] == "'":
            continue
        if token[0] == '"':
            if literal is None or source[end:match.start()].strip():
                if literal:
                    yield literal
                literal = Text()
            literal.add(line, re.sub(r"\\[ntr]", " ", token[1:-1]))
            end = match.end()
            continue
        comment = Text()
        for number, part in enumerate(token.splitlines(), line):
            comment.add(number, re.sub(r"^\s*(?:/\*+|\*/|\*|//)|\*/\s*$", "", part).strip() + " ")
        yield comment
    if literal:
        yield literal


def python_texts(source):
    """Comments, those on lines of their own that follow each other as one, and strings."""
    comment, last = None, -1
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if comment is None or token.start[0] != last + 1:
                if comment:
                    yield comment
                comment = Text()
            comment.add(token.start[0], token.string.lstrip("#! ") + " ")
            last = token.start[0]
        elif token.type == tokenize.STRING:
            text = Text()
            for number, line in enumerate(token.string.splitlines(), token.start[0]):
                text.add(number, line.strip() + " ")
            yield text
    if comment:
        yield comment


def hash_texts(source):
    """Comments of shell, YAML and meson, and what is quoted or named there."""
    comment = None
    for number, line in enumerate(source.splitlines(), 1):
        match = re.match(r"\s*#+!?\s?(.*)", line)
        if match:
            comment = comment or Text()
            comment.add(number, match[1] + " ")
            continue
        if comment:
            yield comment
            comment = None
        text = Text()
        text.add(number, line)
        yield text
    if comment:
        yield comment


def prose_texts(source):
    """Paragraphs of Markdown or of a manual page; code is left out."""
    text, fenced = None, False
    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if fenced or not line.strip() or line.lstrip().startswith("```"):
            if text:
                yield text
            text = None
            continue
        text = text or Text()
        text.add(number, re.sub(r"`[^`]*`", "`…`", line).strip() + " ")
    if text:
        yield text


def texts(path, source):
    if path.suffix in (".c", ".h"):
        return c_texts(source)
    if path.suffix == ".py":
        return python_texts(source)
    if path.suffix in (".md", ".scd"):
        return prose_texts(source)
    if path.suffix in (".yaml", ".yml", ".sh", ".build", ".txt") or source.startswith("#!"):
        return hash_texts(source)
    return ()


def allowed(path, found):
    return any(str(path).startswith(where) and what in found.lower()
               for where, what, _ in ALLOWED)


def turns(path, source):
    """Line, name of the turn, the words found, what to write instead."""
    for text in texts(path, source):
        for name, pattern, instead in COMPILED:
            for match in pattern.finditer(text.text):
                if not allowed(path, match[0]):
                    yield text.line(match.start()), name, match[0], instead


def documents(root):
    for path in tree.files():
        if {"corpus", "data"} & set(path.parts) or path.name == "COPYING":
            continue
        try:
            yield path, (root / path).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue


def check_keys(path, source):
    if str(path) == OLD_KEYS_TESTED:
        return
    for number, line in enumerate(source.splitlines(), 1):
        match = OLD_KEY.search(line)
        if match and not allowed(path, match[0]):
            yield f"{path}:{number}: \"{match[0]}\" is a key of version 0.1"


def run_help(program, *arguments):
    return subprocess.run([program, *arguments, "--help"], capture_output=True, text=True,
                          check=True).stdout


def check_help(program):
    """No line of any command's help is wider than a terminal; `help COMMAND` shows the same."""
    overview = run_help(program)
    commands = sorted(set(re.findall(r"^  (?:synfault )?([a-z]+) ", overview, re.MULTILINE)))
    if len(commands) < 10:
        yield f"{program}: --help names only {len(commands)} commands"
    for command in [(), *((name,) for name in commands if name != "help")]:
        text = run_help(program, *command)
        if command and subprocess.run([program, "help", *command], capture_output=True, text=True,
                                      check=True).stdout != text:
            yield f"synfault help {command[0]}: differs from synfault {command[0]} --help"
        for line in text.splitlines():
            if len(line) > MAX_HELP_COLUMNS:
                yield f"synfault {' '.join(command)} --help: {len(line)} columns: {line.strip()}"


def count(root):
    found, by_folder = Counter(), Counter()
    tree.ROOT = root
    for path, source in documents(root):
        for _, name, _, _ in turns(path, source):
            found[name] += 1
            by_folder["/".join(path.parts[:2 if path.parts[0] in ("runner", "tests") else 1])] += 1
    for counter in (found, by_folder):
        for name, number in counter.most_common():
            print(f"{number:6} {name}")
        print(f"{sum(counter.values()):6} in all\n")


def main():
    if sys.argv[1:2] == ["--count"]:
        count(Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else tree.ROOT)
        return
    complaints = []
    for path, source in documents(tree.ROOT):
        complaints += [f"{path}:{line}: \"{words}\": write {instead}"
                       for line, _, words, instead in turns(path, source)]
        complaints += check_keys(path, source)
    for argument in sys.argv[1:] if CHECK_HELP else ():
        program = Path(argument)
        if program.is_dir():
            program = program / "program/synfault"
        complaints += check_help(program)
    tree.finish(complaints)


main()
