#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a manual page: fills in texts from elsewhere, then runs scdoc.

make.py SYNFAULT SCDOC VERSION PAGE.scd OUTPUT

In the page, a line of its own is replaced:
  @commands@            all commands and options, from the program's tables
  @keys@                all keys of scenario files, from the loader's tables
  @include FILE.md@     a Markdown document of docs/, without its title, headings as sections
  @version@             (anywhere) the version of synfault
"""

import pathlib
import re
import subprocess
import sys

DOCS = pathlib.Path(__file__).resolve().parents[1]
SPAN = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<bold>[^*]+)\*\*|\[(?P<text>[^\]]*)\]\((?P<target>[^)]*)\)")


def escape(text):
    return re.sub(r"([\\*_`~])", r"\\\1", text)


def inline(text):
    """Code and bold become bold, links their text; all else stays as it is."""
    made, end = "", 0
    for match in SPAN.finditer(text):
        made += escape(text[end:match.start()])
        if match["text"] is not None:
            made += inline(match["text"])
        else:
            made += f"*{escape(match['code'] or match['bold'])}*"
        end = match.end()
    return made + escape(text[end:])


def table(rows):
    """Markdown's rows as a list of terms: tables are too wide for terminals."""
    rows = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip()[1:-1])]
            for row in rows]
    head, *rows = [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    for row in rows:
        described = [cell if number == 0 or not head[number + 1] else f"{head[number + 1]}: {cell}"
                     for number, cell in enumerate(row[1:]) if cell]
        yield inline(row[0])
        yield "\t" + inline("; ".join(described) or head[1])
        yield ""


def from_markdown(path):
    """A document as scdoc; its title is left out, since the page has one."""
    lines = path.read_text().splitlines()
    code, paragraph, rows = False, [], []

    def flush():
        nonlocal paragraph, rows
        if paragraph:
            yield inline(" ".join(paragraph))
        if rows:
            yield from table(rows)
        paragraph, rows = [], []

    for line in [*lines, ""]:
        if line.startswith("```"):
            yield from flush()
            yield "```"
            if code:
                yield ""
            code = not code
        elif code:
            # scdoc takes a backslash for an escape, even here.
            yield line.replace("\\", "\\\\")
        elif line.startswith("|"):
            rows.append(line)
        elif not line.strip():
            if paragraph or rows:
                yield from flush()
                yield ""
        elif line.startswith("#"):
            yield from flush()
            level, title = line.split(" ", 1)
            if len(level) == 2:
                yield f"# {escape(title.replace('`', '')).upper()}"
            elif len(level) > 2:
                yield f"## {escape(title.replace('`', ''))}"
            yield ""
        elif re.match(r"(-|\d+\.) ", line):
            yield from flush()
            paragraph = ["- " + line.split(" ", 1)[1]]
        else:
            paragraph.append(line.strip())


def fill(page, synfault):
    def output(*arguments):
        return subprocess.run([synfault, *arguments], capture_output=True, text=True, check=True).stdout

    for line in page.splitlines():
        include = re.fullmatch(r"@include (\S+)@", line)
        if line == "@commands@":
            yield output("help", "--format=scdoc")
        elif line == "@keys@":
            yield output("schema", "--format", "scdoc")
        elif include:
            yield from from_markdown(DOCS / include[1])
        else:
            yield line


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    synfault, scdoc, version, source, target = sys.argv[1:]
    page = pathlib.Path(source).read_text().replace("@version@", version)
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(fill(page, synfault)) + "\n")
    made = subprocess.run([scdoc], input=text, capture_output=True, text=True, check=False)
    if made.returncode:
        lines = text.splitlines()
        at = re.search(r"at (\d+),", made.stderr)
        near = lines[int(at[1]) - 1] if at and int(at[1]) <= len(lines) else ""
        sys.exit(f"{source}: {made.stderr.strip()}\n{near}")
    pathlib.Path(target).write_text(made.stdout)


main()
