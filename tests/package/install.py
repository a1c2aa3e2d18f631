#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`meson install` puts these files into a prefix, and no others, and the program runs from there:
install.py SOURCE BUILD"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DOCUMENTATION = "share/doc/synfault"
LINK = re.compile(r"\]\(([^)#:\s]+)\)")


def expected(source):
    documents = ["CHANGELOG.md", "CONTRIBUTING.md", "COPYING", "README.md", "SECURITY.md",
                 *(f"docs/{path.name}" for path in source.glob("docs/*.md")),
                 *(f"docs/{path.name}" for path in source.glob("docs/*.schema.json")),
                 *(f"docs/{path.name}" for path in source.glob("docs/*.transcript")),
                 *(str(path.relative_to(source)) for path in source.glob("bindings/**/*")
                   if path.is_file() and "__pycache__" not in path.parts)]
    completions = ["bash-completion/completions/synfault", "zsh/site-functions/_synfault",
                   "fish/vendor_completions.d/synfault.fish"]
    pages = [path.stem for path in source.glob("docs/man/*.scd")] if shutil.which("scdoc") else []
    return {"bin/synfault", *(f"{DOCUMENTATION}/{name}" for name in documents),
            *(f"share/{name}" for name in completions),
            *(f"share/man/man{page[-1]}/{page}" for page in pages)}


def dead_links(prefix):
    """Of the documents to each other: what is not installed at all is in the source only."""
    for path in prefix.rglob("*.md"):
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            if target.endswith(".md") and "targets" not in target and "scenarios" not in target \
                    and not (path.parent / target).exists():
                yield f"{path.relative_to(prefix)}: the link to {target} leads nowhere"


def wrong_versions(source, program):
    """The version of meson.build is what the program, the changelog and the Debian package have."""
    version = re.search(r"version: '(\d+\.\d+\.\d+(?:~dev)?)'",
                        (source / "meson.build").read_text(encoding="utf-8"))[1]
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if printed != f"synfault {version}\n":
        yield f"meson.build has version {version}, --version prints {printed}"
    heading = re.search(r"^## (.*)", (source / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)[1]
    release, _, state = version.partition("~")
    if not heading.startswith(f"{release} (") or (heading == f"{release} (unreleased)") != bool(state):
        yield f"meson.build has version {version}, CHANGELOG.md begins with {heading}"
    debian = (source / "debian/changelog").read_text(encoding="utf-8").splitlines()[0]
    if not debian.startswith(f"synfault ({version}) "):
        yield f"meson.build has version {version}, debian/changelog begins with {debian}"


def main():
    source, build = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", directory],
                       stdout=subprocess.DEVNULL, check=True)
        program, = Path(directory).rglob("bin/synfault")
        prefix = program.parent.parent
        installed = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
        complaints = [f"{name} is not installed" for name in sorted(expected(source) - installed)]
        complaints += [f"{name} is installed" for name in sorted(installed - expected(source))]
        complaints += dead_links(prefix)
        complaints += wrong_versions(source, program)
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


main()
