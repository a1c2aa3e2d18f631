#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree is the architecture: folders depend on each other one way, and files in no circle.

A file includes only its own folder and folders on lower floors, by path from the root. Targets, which
are foreign programs, and the library for tests of others include only their own files; only tests include tests. No file uses another one
that uses it in turn, by include or by a function that it calls or names in a table: a .c file and its
header count as one.
"""

import re

import tree

# From the ground up. Folders on one floor don't know of each other.
FLOORS = (
    ("common",),
    ("injector",),
    ("runner/scenario",),
    ("runner/record",),
    ("runner/judge", "runner/trace"),
    ("runner/report", "runner/clock"),
    ("runner/sandbox",),
    ("runner/schedule",),
    ("runner/session",),
    ("runner/observe", "runner/doctor", "runner/inject", "runner/diagnose"),
    ("runner/command",),
    ("program",),
)
FLOOR = {folder: number for number, floor in enumerate(FLOORS) for folder in floor}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)
# In formatted code a definition begins in the first column, and so does its body.
DEFINITION = re.compile(r"^(?!static|typedef|extern|#)[a-z][\w \t*]*?[ *](\w+)\([^;{}]*?\)\n\{", re.M)
COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)

# A type may have a function's name.
TAG = re.compile(r"\b(?:struct|enum|union) \w+")


def folder_of(path):
    """ "runner/judge/fit.h" is in runner/judge, "injector/flow.c" in injector. """
    return "/".join(path.parts[:2]) if path.parts[0] == "runner" else path.parts[0]


def may_include(folder, included):
    if folder == "tests":
        return True
    if folder not in FLOOR:
        return folder == included
    return folder == included or FLOOR.get(included, len(FLOORS)) < FLOOR[folder]


def includes(path, text):
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(1)) + 1, match[1]


def check_includes(path, text):
    folder = folder_of(path)
    if path.parts[0] == "runner" and folder not in FLOOR:
        yield f"{path}:1: the folder {folder} is on no floor of layers.py"
        return
    for line, included in includes(path, text):
        target = tree.ROOT / included
        if not target.is_file():
            yield f'{path}:{line}: "{included}" is not a path from the root'
        elif not may_include(folder, folder_of(target.relative_to(tree.ROOT))):
            yield f'{path}:{line}: {folder} must not include "{included}"'


def uses(texts):
    """Which unit (a path without its suffix) uses which others."""
    graph, defined = {}, {}
    for path, text in texts.items():
        unit = str(path.with_suffix(""))
        graph.setdefault(unit, set())
        if path.suffix == ".c":
            for match in DEFINITION.finditer(text):
                if match[1] != "main":
                    defined[match[1]] = unit
    for path, text in texts.items():
        unit = str(path.with_suffix(""))
        graph[unit] |= {included.removesuffix(".h") for _, included in includes(path, text)}
        if path.suffix == ".c":
            code = TAG.sub(" ", COMMENT_OR_TEXT.sub(" ", text))
            graph[unit] |= {defined[word] for word in set(re.findall(r"\w+", code))
                            if word in defined}
        graph[unit].discard(unit)
    return graph


def circles(graph):
    """Sets of units that use each other, directly or not (Tarjan's strongly connected components)."""
    index, low, stack, found = {}, {}, [], []

    def visit(unit):
        index[unit] = low[unit] = len(index)
        stack.append(unit)
        for other in sorted(graph.get(unit, ())):
            if other not in index:
                visit(other)
                low[unit] = min(low[unit], low[other])
            elif other in stack:
                low[unit] = min(low[unit], index[other])
        if low[unit] == index[unit]:
            component = stack[stack.index(unit):]
            del stack[stack.index(unit):]
            if len(component) > 1:
                found.append(component)

    for unit in sorted(graph):
        if unit not in index:
            visit(unit)
    return found


def shortest_way(graph, component):
    """One circle of a component, as short as there is one, for the complaint."""
    best = None
    for start in component:
        ways = [[start]]
        seen = {start}
        while ways and (best is None or len(ways[0]) < len(best)):
            way = ways.pop(0)
            for other in sorted(graph[way[-1]] & set(component)):
                if other == start:
                    best = way + [start]
                    ways = []
                    break
                if other not in seen:
                    seen.add(other)
                    ways.append(way + [other])
    return best


def main():
    complaints = []
    texts = {path: tree.read(path) for path in tree.files(".c", ".h")}
    for path, text in texts.items():
        complaints += check_includes(path, text)
    graph = uses({path: text for path, text in texts.items() if path.parts[0] in tree.LAYERS})
    for component in circles(graph):
        complaints.append(f"{len(component)} files in a circle: "
                          f"{' -> '.join(shortest_way(graph, component))}")
    tree.finish(complaints)


main()
