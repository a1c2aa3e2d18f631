#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""JUnit reports, in both dialects, as other programs read them: junit_readers.py SYNFAULT

Reports a run with hostile names and output. junitparser (Python) and junit2json (npm), which share no
code, read the report. Both have to read the same, and that has to be what happened. Prints TAP. Skips
if a reader is missing, or fails then if SYNFAULT_REQUIRE_PRIVILEGES=1."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DEBIAN = "/usr/bin/python3"
NODE = Path(os.environ.get("SYNFAULT_NODE_CACHE", "/var/cache/synfault-test/node"))
JUNIT2JSON = NODE / "node_modules/junit2json/dist/esm/index.js"
LINES = 1_000_000
KINDS = ("failure", "error", "skipped")

SCENARIOS = r"""
name: "hostile <&\"'> ]]> \u00e4 \U0001F642 ${matrix.row}"
matrix: {row: [1, 2]}
endpoints: {api: {faults: [refuse]}}
client:
  command: [python3, "${tmp}/hostile.py"]
  files:
    hostile.py: |
      import os, sys
      os.write(1, b"\0\1\x1b[31mred\x1b[0m\xff\xfe ]]> <b>&amp; [[ATTACHMENT|/etc/passwd]]\n")
      os.write(2, b"lone surrogate \xed\xa0\x80, ]]>\n")
      sys.stdout.write("".join("line %%d\n" %% i for i in range(%d)))
expect: {attempts: 0, exit: 3, stdout: {contains: "]]> \e[31m <never>"}}
---
name: passes
endpoints: {api: {faults: [accept]}}
client: {command: [python3, -c, "import socket; socket.create_connection(('${api.host}', ${api.port}))"]}
expect: {exit: 0}
---
name: flaky
endpoints: {api: {faults: [accept]}}
client:
  command: [sh, -c, "test -e '${dir}/been' && exit 0; touch '${dir}/been'; exit 1"]
expect: {exit: 0, attempts: 0}
---
name: broken
endpoint: nonsense
""" % LINES


def tap_exit(ok, text):
    print(f"1..1\n{'ok' if ok else 'not ok'} 1 - {text}" if ok is not None
          else f"1..0 # SKIP {text}")
    sys.exit(0 if ok is not False else 1)


def need_readers():
    """junitparser is a Debian package, which the python3 in PATH may not see."""
    if not importlib.util.find_spec("junitparser") and os.access(DEBIAN, os.X_OK) and \
            os.environ.get("SYNFAULT_PYTHON") != DEBIAN:
        os.environ["SYNFAULT_PYTHON"] = DEBIAN
        os.execv(DEBIAN, [DEBIAN, *sys.argv])
    missing = []
    if not importlib.util.find_spec("junitparser"):
        missing.append("junitparser")
    if not JUNIT2JSON.is_file():
        missing.append("junit2json")
    if missing:
        print(f"junit_readers: not installed: {', '.join(missing)}", file=sys.stderr)
        required = os.environ.get("SYNFAULT_REQUIRE_PRIVILEGES") == "1"
        tap_exit(False if required else None, f"readers are installed: not {', '.join(missing)}")


def can_run(synfault):
    probe = subprocess.run([synfault, "doctor"], capture_output=True, text=True, check=False)
    return probe.returncode == 0


def read_with_python(path):
    import junitparser

    cases = {}
    suites = list(junitparser.JUnitXml.fromfile(str(path)))
    for suite in suites:
        for case in suite:
            results = [(type(r).__name__.lower(), r.message, r.type) for r in case.result]
            cases[case.classname, case.name] = {
                "results": results, "time": float(case.time), "out": case.system_out or "",
                "err": case.system_err or "", "body": "".join(r.text for r in case.result)}
    totals = {key: sum(getattr(suite, key) or 0 for suite in suites)
              for key in ("tests", "failures", "errors", "skipped")}
    return totals, cases


def read_with_node(path):
    script = (f"import {{ parse }} from '{JUNIT2JSON.as_uri()}';"
              "import { readFileSync } from 'fs';"
              "const report = await parse(readFileSync(process.argv[1], 'utf8'));"
              "process.stdout.write(JSON.stringify(report));")
    text = subprocess.run(["node", "--input-type=module", "-e", script, str(path)],
                          capture_output=True, text=True, check=True).stdout
    report = json.loads(text)
    cases = {}
    for suite in report["testsuite"]:
        for case in suite.get("testcase", []):
            results = [(kind, r.get("message"), r.get("type"))
                       for kind in KINDS for r in case.get(kind, [])]
            cases[case["classname"], str(case["name"])] = {
                "results": results, "time": float(case["time"]),
                "out": "".join(case.get("system-out", [])),
                "err": "".join(case.get("system-err", [])),
                "body": "".join(r.get("inner", "") for kind in KINDS for r in case.get(kind, [])),
                "flaky": len(case.get("flakyFailure", [])) + len(case.get("flakyError", [])),
                "rerun": len(case.get("rerunFailure", [])) + len(case.get("rerunError", []))}
    totals = {key: sum(suite.get(key, 0) for suite in report["testsuite"])
              for key in ("tests", "failures", "errors", "skipped")}
    return totals, cases


class Checks:
    def __init__(self):
        self.n = 0
        self.failed = 0

    def say(self, good, name, detail=""):
        self.n += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.n} - {name}")
        if not good and detail:
            print("# " + str(detail)[:2000].replace("\n", "\n# "))


def squeeze(text):
    """Readers trim text and treat blanks differently."""
    return " ".join(text.split())


def check(checks, dialect, path):
    totals, python = read_with_python(path)
    node_totals, node = read_with_node(path)
    hostile = [key for key in python if key[1].startswith("hostile <&\"'> ]]> \u00e4 \U0001F642 ")]

    checks.say(totals == node_totals == {"tests": 5, "failures": 2, "errors": 1, "skipped": 0},
               f"{dialect}: both count the same", (totals, node_totals))
    checks.say(set(python) == set(node) and len(python) == 5,
               f"{dialect}: both find all cases, by the same names", (set(python), set(node)))
    checks.say(len(hostile) == 2, f"{dialect}: hostile names are intact", list(python))
    for key in sorted(python):
        ours, theirs = python[key], node[key]
        same = all(squeeze(ours[part]) == squeeze(theirs[part]) for part in ("out", "err", "body"))
        checks.say(same and ours["results"] == theirs["results"] and ours["time"] == theirs["time"],
                   f"{dialect}: both read the same of \"{key[1]}\"",
                   (ours["results"], theirs["results"], ours["out"][:300], theirs["out"][:300]))
    for key in hostile:
        ours = python[key]
        checks.say([r[0] for r in ours["results"]] == ["failure"] and node[key]["rerun"] == 1 and
                   "red\\xFF\\xFE ]]> <b>&amp; " in ours["out"] and
                   "#x0#x1red" in ours["out"] and "lone surrogate" in ours["err"] and
                   f"line {LINES - 1}" in ours["out"] and "bytes left out]" in ours["out"] and
                   len(ours["out"]) < 3 * 65536,
                   f"{dialect}: output of \"{key[1]}\" is there, and was cut", ours["out"][:600])
        checks.say(re.search(r"a\.yaml:\d+", ours["body"]), f"{dialect}: the place is named",
                   ours["body"][:300])
    checks.say(node["a", "flaky"]["flaky"] == 1 and not python["a", "flaky"]["results"],
               f"{dialect}: a flaky case has passed", node["a", "flaky"]["results"])
    named = {path for case in python.values()
             for path in re.findall(r"\[\[ATTACHMENT\|(.+?)\]\]", case["out"])}
    there = {path for path in named if Path(path).is_file()}
    checks.say(named == there and len(named) >= 12, f"{dialect}: attachments are there, and ours",
               sorted(named))


def main():
    synfault = str(Path(sys.argv[1]).resolve())
    need_readers()
    if not can_run(synfault):
        tap_exit(None, "scenarios can't be run here")
    checks = Checks()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        Path("a.yaml").write_text(SCENARIOS, encoding="utf-8")
        for dialect, options in (("default", []), ("strict", ["--junit-strict"])):
            Path("been").unlink(missing_ok=True)
            command = [synfault, "run", "--retries", "1", "--capture", "always", "--records",
                       "records", "--timeline", "pictures", "--html", "pages", "--junit",
                       "junit.xml", *options, "a.yaml"]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            checks.say(run.returncode == 1, f"{dialect}: the run fails", run.stdout + run.stderr)
            if Path("junit.xml").is_file():
                check(checks, dialect, Path("junit.xml"))
    print(f"1..{checks.n}")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
