#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Commit subjects have the form `scope: verb object`, in the imperative and on one short line.

Looks at the commits since that rule began. Skips where there is no history to look at: in an
unpacked archive, and in a shallow clone.
"""

import re
import subprocess
import sys

import tree

# The last commit before the rule.
SINCE = "05f3536"
MAX_COLUMNS = 72
FORM = re.compile(r"(?P<scope>[a-z0-9][a-z0-9_./-]*): (?P<verb>[a-z][a-z-]*)(?:,? .+)?$")
# Landed before this check did.
EXCEPTIONS = {"bd34482"}
# First words that end like another form of a verb and are the imperative all the same.
IMPERATIVE = {
    "access", "address", "assess", "bypass", "compress", "cross", "discuss", "dismiss", "embed",
    "express", "feed", "focus", "guess", "harness", "heed", "need", "pass", "press", "process",
    "seed", "shed", "speed", "stress", "suppress", "bring", "string", "ring",
}
# Words that a subject of the old kind began with: it stated what is now true.
NOT_A_VERB = re.compile(r"(?:an?|the|that|this|what|where|when|whether|who|no|all|each|it|there|is|are|"
                        r"now|some|also|new|one|two|its?|more|of)$")


def git(*arguments):
    return subprocess.run(["git", "-C", tree.ROOT, *arguments], capture_output=True, text=True,
                          check=False)


def complaint(subject):
    """Returns what is wrong with a subject, or None."""
    match = FORM.match(subject)
    if len(subject) > MAX_COLUMNS:
        return f"{len(subject)} columns instead of {MAX_COLUMNS} at most"
    if not match:
        return "not of the form `scope: verb object`"
    verb = match["verb"]
    if NOT_A_VERB.match(verb) or (verb.endswith(("s", "ed", "ing")) and verb not in IMPERATIVE):
        return f"\"{verb}\" is not an imperative"
    if subject.endswith("."):
        return "ends with a full stop"
    return None


def main():
    try:
        if git("rev-parse", "--is-shallow-repository").stdout.strip() != "false" or \
                git("cat-file", "-e", f"{SINCE}^{{commit}}").returncode:
            print(f"no history since {SINCE} here")
            sys.exit(tree.TOOLS_MISSING)
    except FileNotFoundError:
        print("git is not installed")
        sys.exit(tree.TOOLS_MISSING)
    log = git("log", "--no-merges", "--format=%h %s", f"{SINCE}..HEAD")
    if log.returncode:
        tree.finish([log.stderr])
    complaints = []
    for line in log.stdout.splitlines():
        commit, _, subject = line.partition(" ")
        wrong = complaint(subject)
        if wrong and commit[:7] not in EXCEPTIONS:
            complaints.append(f"{commit}: {wrong}: {subject}")
    tree.finish(complaints)


main()
