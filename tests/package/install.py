#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`meson install` puts these files into a prefix, and no others, and the program runs from there:
install.py SOURCE BUILD"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DOCUMENTATION = "share/doc/synfault"
LIBRARY_VERSION = "0.2.0"
LINK = re.compile(r"\]\(([^)#:\s]+)\)")


def expected(source, libdir):
    documents = ["CHANGELOG.md", "CONTRIBUTING.md", "COPYING", "README.md", "SECURITY.md",
                 *(f"docs/{path.name}" for path in source.glob("docs/*.md")),
                 *(f"docs/{path.name}" for path in source.glob("docs/*.schema.json")),
                 *(f"docs/{path.name}" for path in source.glob("docs/*.transcript")),
                 *(str(path.relative_to(source)) for path in source.glob("bindings/**/*")
                   if path.is_file() and "__pycache__" not in path.parts)]
    completions = ["bash-completion/completions/synfault", "zsh/site-functions/_synfault",
                   "fish/vendor_completions.d/synfault.fish"]
    pages = [path.stem for path in source.glob("docs/man/*.scd")] if shutil.which("scdoc") else []
    library = ["libsynfault.so", "libsynfault.so.0", f"libsynfault.so.{LIBRARY_VERSION}", "pkgconfig/libsynfault.pc"]
    return {"bin/synfault", "include/synfault.h", *(f"{libdir}/{name}" for name in library),
            *(f"{DOCUMENTATION}/{name}" for name in documents),
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


def does_not_compile(source, directory, library):
    """The example compiles with what pkg-config says of the installed library, and finds it."""
    environment = {**os.environ, "PKG_CONFIG_PATH": str(library.parent / "pkgconfig"),
                   "PKG_CONFIG_SYSROOT_DIR": directory, "LD_LIBRARY_PATH": str(library.parent)}
    example = Path(directory) / "example"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libsynfault"], capture_output=True, text=True,
                           check=True, env=environment).stdout.split()
    done = subprocess.run(["cc", source / "lib/example/test_retries.c", "-o", example, *flags, "-lcriterion"],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        yield f"the example of libsynfault does not compile: {done.stderr}"
        return
    done = subprocess.run([example, "--list"], capture_output=True, text=True, check=False, env=environment)
    if "refusals_are_retried" not in done.stdout:
        yield f"the example of libsynfault does not run: {done.stdout}{done.stderr}"


def main():
    source, build = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", directory],
                       stdout=subprocess.DEVNULL, check=True)
        program, = Path(directory).rglob("bin/synfault")
        prefix = program.parent.parent
        installed = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
        library, = prefix.rglob("libsynfault.so")
        wanted = expected(source, library.parent.relative_to(prefix))
        complaints = [f"{name} is not installed" for name in sorted(wanted - installed)]
        complaints += [f"{name} is installed" for name in sorted(installed - wanted)]
        complaints += dead_links(prefix)
        complaints += wrong_versions(source, program)
        complaints += does_not_compile(source, directory, library)
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


main()
