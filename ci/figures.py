#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Shows what ci/bench measured: figures.py ROWS OUT yes|no

ROWS has a JSON object per line, as the benchmarks print them; OUT gets them as one list. Exits 1 if a goal
is missed and the last argument is "yes". A goal is a bound of the ratio, such as "<= 1.3", or of our own
figure, such as "ours <= 1", or several of these joined by ", and ".
"""

import json
import operator
import re
import sys

RELATIONS = {"<=": operator.le, ">=": operator.ge}


def met(row):
    for goal in re.split(r",? and ", row["goal"] or ""):
        if not goal:
            continue
        match = re.fullmatch(r"(?:(ours|ratio) )?(<=|>=) ([0-9.]+)", goal)
        if not match:
            raise ValueError(f'{row["name"]}: can\'t read the goal "{goal}"')
        if not RELATIONS[match[2]](row[match[1] or "ratio"], float(match[3])):
            return False
    return True


def sandbox(value):
    return "" if value is None else f"{value:.4g}"


def main():
    source, destination, goals = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    with open(destination, "w", encoding="utf-8") as file:
        json.dump(rows, file, indent=2)
        file.write("\n")

    width = max([len(row["name"]) for row in rows], default=0)
    print(f'{"":{width}}{"ours":>12}{"reference":>12}{"ratio":>9}  {"goal":22}unit')
    for row in rows:
        print(f'{row["name"]:{width}}{sandbox(row["ours"]):>12}{sandbox(row["reference"]):>12}'
              f'{sandbox(row["ratio"]):>9}  {row["goal"] or "":22}{row["unit"]}'
              f'{"" if met(row) else "  MISSED"}')
    missed = [row["name"] for row in rows if not met(row)]
    if missed:
        print("goals missed: " + ", ".join(missed))
    return 1 if goals == "yes" and missed else 0


sys.exit(main())
