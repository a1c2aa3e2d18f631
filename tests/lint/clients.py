#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/clients.md is what ci/clients writes from docs/clients.json, with a row for each client of its table.

clients.py: also complains of a client that has no scenario in targets/real/recorded, and of scenarios and
programs that no client uses.
"""

import sys

import tree

sys.path.insert(0, str(tree.ROOT / "ci"))
import clients  # noqa: E402  pylint: disable=wrong-import-position


def complaints():
    measured = clients.load()
    names = [client.name for client in clients.CLIENTS]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"ci/clients.py: two clients are called {name}"
    for name in names:
        if name not in measured:
            yield f"ci/clients.py: docs/clients.json lacks {name}: run ci/clients"
    for name in measured:
        if name not in names:
            yield f"docs/clients.json: {name} is not in the table of ci/clients.py"
    if tree.read(clients.PAGE.relative_to(tree.ROOT)) != clients.page_text(measured):
        yield "docs/clients.md: not what ci/clients.py writes; run: python3 ci/clients.py page"
    files = {client.file for client in clients.CLIENTS}
    recorded = {path.name for path in clients.RECORDED.glob("*.yaml")}
    for name in sorted(files ^ recorded):
        yield f"targets/real/recorded/{name}: {'is missing' if name in files else 'no client has it'}"
    programs = " ".join(word for client in clients.CLIENTS for word in client.command)
    for path in (tree.ROOT / "targets/real").iterdir():
        if path.is_file() and path.name not in programs:
            yield f"targets/real/{path.name}: no client uses it"


if __name__ == "__main__":
    tree.finish(list(complaints()))
