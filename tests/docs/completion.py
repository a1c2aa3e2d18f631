#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Completes command lines in bash, zsh and fish as a user does, as far as they are there.

completion.py SYNFAULT: the report is TAP.
"""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

# The command line so far, and what is offered ("!": must not be offered).
LINES = [
    ("synfault ", ["run", "check", "judge", "compare", "completion"]),
    ("synfault ju", ["judge", "!run"]),
    ("synfault run --ju", ["--junit", "!--json"]),
    ("synfault run --color ", ["auto", "always", "never"]),
    ("synfault run --isolation p", ["private", "!shared"]),
    ("synfault run --color=al", ["always", "!never"]),
    ("synfault run -s", ["!scenario-one.yaml"]),
    ("synfault record -- ech", ["echo"]),
    ("synfault merge --h", ["--help", "!--html"]),
    ("synfault completion ", ["bash", "zsh", "fish"]),
    ("synfault run sce", ["scenario-one.yaml", "scenario-two.yaml"]),
    ("synfault run --junit sce", ["scenario-one.yaml"]),
    ("synfault run --records some", ["some-directory", "!some-file"]),
]

BASH = r"""
source "$1"
line=$2
read -ra COMP_WORDS <<<"${line//=/ = }"
[[ $line != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line}
compopt() { :; }
_synfault synfault "${COMP_WORDS[COMP_CWORD]}" ''
# complete -o default: files, where the function has nothing.
if [ ${#COMPREPLY[@]} -eq 0 ]; then compgen -f -- "${COMP_WORDS[COMP_CWORD]}"; else printf '%s\n' "${COMPREPLY[@]}"; fi
"""


class Tap:
    def __init__(self):
        self.number, self.failed = 0, False

    def result(self, name, problems):
        self.number += 1
        print(f"{'not ok' if problems else 'ok'} {self.number} - {name}")
        for problem in problems:
            print(f"# {problem}")
        self.failed = self.failed or bool(problems)

    def skip(self, name, reason):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {reason}")

    def end(self):
        print(f"1..{self.number}")
        sys.exit(1 if self.failed else 0)


def bash(script, line, directory):
    return subprocess.run(["bash", "--norc", "-c", BASH, "bash", script, line], cwd=directory,
                          capture_output=True, text=True, check=False).stdout.split("\n")


def fish(script, line, directory):
    command = f"source {script}; complete -C '{line}'"
    environment = {**os.environ, "HOME": directory, "XDG_CONFIG_HOME": directory}
    shown = subprocess.run(["fish", "--no-config", "-c", command], cwd=directory, env=environment,
                           capture_output=True, text=True, check=False).stdout
    return [word.split("\t")[0] for word in shown.split("\n")]


class Zsh:
    """zsh completes on a terminal only: what it shows there is read, of one shell for all lines."""

    # The widget says when the keys before its own have been dealt with.
    SETUP = (r"autoload -U compinit; compinit -u -d {directory}/dump; unsetopt menucomplete automenu; LISTMAX=1000; "
             r"said() {{ zle -I; print se''ttled }}; zle -N said; bindkey '^Xs' said; "
             r"source {script}; print se''ttled")

    # Until the prompt is there again the terminal edits lines itself, and takes keys for its own.
    SETTLED = r"settled\r?\n.*ready> "

    def __init__(self, script, directory):
        self.text = ""
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(directory)
            os.environ.update(TERM="dumb", HOME=directory, PS1="ready> ", ZDOTDIR=directory, COLUMNS="200")
            os.execvp("zsh", ["zsh", "-f", "-i"])
        self.read_until("ready> ", 20)
        self.write(self.SETUP.format(directory=directory, script=script) + "\n")
        self.read_until(self.SETTLED, 20)

    def write(self, text):
        self.text = ""
        os.write(self.terminal, text.encode())

    def read_until(self, pattern, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not re.search(pattern, self.text, re.S):
            if select.select([self.terminal], [], [], 0.1)[0]:
                self.text += os.read(self.terminal, 65536).decode(errors="replace")

    def complete(self, line):
        # Twice: what is unambiguous is put in at the first.
        self.write(f"{line}\t\t\x18s")
        self.read_until(self.SETTLED, 20)
        shown = self.text.replace("settled", "")
        self.write("\x15\x18s")
        self.read_until(self.SETTLED, 20)
        return re.split(r"[\s\x1b\x07]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", shown))

    def end(self):
        os.close(self.terminal)
        os.waitpid(self.child, 0)


def offers(shown, word):
    """A file can have what belongs behind it: a blank, a slash."""
    return any(entry.rstrip("/= ") == word or entry.endswith(f"={word}") for entry in shown)


def test(tap, shell, complete, script, directory):
    checked = subprocess.run([shell, "-n", script], capture_output=True, text=True, check=False)
    tap.result(f"{shell} can read its script", [checked.stderr] if checked.returncode else [])
    problems = []
    session = Zsh(script, directory) if shell == "zsh" else None
    for line, words in LINES:
        shown = session.complete(line) if session else complete(script, line, directory)
        for word in words:
            unwanted = word.startswith("!")
            if offers(shown, word.lstrip("!")) == unwanted:
                problems.append(f"{line!r}: {word} is {'' if unwanted else 'not '}offered: {shown}")
    if session:
        session.end()
    tap.result(f"{shell} completes {len(LINES)} lines", problems)


def test_all(tap, synfault, script):
    """Each option that a command's help shows is completed for it."""
    helped = subprocess.run([synfault, "--help"], capture_output=True, text=True, check=True).stdout
    problems, n_options = [], 0
    for command in re.findall(r"^  synfault (\w+) ", helped, re.M):
        if command == "help":
            continue
        usage = subprocess.run([synfault, command, "--help"], capture_output=True, text=True, check=True).stdout
        shown = bash(script, f"synfault {command} --", "/")
        for option in re.findall(r"^ +(?:-\w, )?(--[\w-]+)", usage, re.M):
            n_options += 1
            if option not in shown:
                problems.append(f"synfault {command} {option} is not offered")
    tap.result(f"bash completes all {n_options} options", problems)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    synfault = sys.argv[1]
    # The scripts ask the program that the line names.
    os.environ["PATH"] = f"{pathlib.Path(synfault).resolve().parent}:{os.environ['PATH']}"
    tap = Tap()
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        (root / "some-directory").mkdir()
        for name in ("scenario-one.yaml", "scenario-two.yaml", "some-file"):
            (root / name).touch()
        for shell, complete in (("bash", bash), ("zsh", None), ("fish", fish)):
            script = root / f".completion.{shell}"
            script.write_text(subprocess.run([synfault, "completion", shell], capture_output=True,
                                             text=True, check=True).stdout)
            if shutil.which(shell):
                test(tap, shell, complete, str(script), directory)
            else:
                tap.skip(f"{shell} completes", f"{shell} is not installed")
        test_all(tap, synfault, str(root / ".completion.bash"))
    tap.end()


main()
