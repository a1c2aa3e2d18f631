#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Well-known clients can't tell an injected fault from the real one.

real.py SYNFAULT: the synfault program. Runs each client under each fault twice, side by side: once
injected, and once caused by a real server (targets/servers/broken.py). Attempts, exit status and the
client's output have to be the same. The report is TAP.

Numbers in the output (milliseconds, memory addresses) are not compared. Nor is whether a reset finds
node writing or reading, which is chance. A client that has to wait for a processor finds a reset after
accept, injected or real, already in connect(). If a pair differs in that, it runs again alone until
both kinds have been seen.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BROKEN = str(ROOT / "targets/servers/broken.py")
# The system's Python, which sees Debian's packages.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3"

URLLIB = """
import sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=1).read())
except Exception as error:
    sys.exit(f"{error!r} from {error.__cause__!r}")
"""
REQUESTS = """
import sys, requests
try:
    print(requests.get(sys.argv[1], timeout=1).text)
except Exception as error:
    sys.exit(f"{error!r} from {error.__cause__!r}")
"""
NODE = """
const options = {agent: false, signal: AbortSignal.timeout(1000)};
require("http").get(process.argv[1], options, (response) => response.resume()).on("error", (error) => {
    console.error(error.code, error.message);
    process.exitCode = 1;
});
"""
CLIENTS = {
    "curl": ["curl", "-sS", "--max-time", "1", "http://${api}/"],
    "wget": ["wget", "-nv", "-O-", "--tries=1", "--timeout=1", "http://${api}/"],
    "urllib": [PYTHON, "-c", URLLIB, "http://${api}/"],
    "requests": [PYTHON, "-c", REQUESTS, "http://${api}/"],
    "ssh": ["ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-o", "ConnectTimeout=1", "-p",
            "${api.port}", "${api.host}", "true"],
    "psql": ["psql", "-w", "-c", "",
             "host=${api.host} port=${api.port} user=u dbname=d connect_timeout=2"],
    "node": ["node", "-e", NODE, "http://${api}/"],
    "nc": ["nc", "-N", "-v", "-w", "1", "${api.host}", "${api.port}"],
}

IN_CONNECT = "reset after accept"
# The fault, the server behind it, and the server that really does the same.
FAULTS = {
    "refuse": ("refuse", "none", "none"),
    "drop": ("drop", "echo", "full"),
    IN_CONNECT: ("reset after accept", "echo", "aborts"),
    "reset in answer to a request": ("reset after 1 byte to-server", "echo", "resets"),
    "close in answer to a request": ("close after 0 bytes", "echo", "closes"),
    "stall": ("stall after accept", "echo", "silent"),
}


# A run spends its time waiting.
CONCURRENT = 24
RETRIES = 5


def scenario(name, client, serve, fault):
    if serve not in ("none", "echo"):
        command = ["python3", BROKEN, "${api.host}", "${api.port}", serve]
        serve = {"command": command, "ready": "20s"}
    # The server gets a moment to fill its accept queue.
    command = ["sh", "-c", 'sleep 0.2; exec "$@"', "sh", *CLIENTS[client]]
    return {
        "name": name,
        "timeout": "20s",
        "endpoints": {"api": {"port": 8080, "serve": serve, "faults": [fault]}},
        "client": {"command": command, "stdin": "hello\n"},
        "expect": {"attempts": "1.."},
    }


def pairs():
    for client in CLIENTS:
        for fault in FAULTS:
            yield client, fault


def scenarios(wanted):
    for client, fault in wanted:
        step, server, broken = FAULTS[fault]
        yield scenario(f"{client}: {fault}, injected", client, server, step)
        yield scenario(f"{client}: {fault}, real", client, broken, "accept")


NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
WRITING = re.compile(r"\bwrite\b(?= ECONNRESET)")


def view(record):
    """Returns what a client did and printed, without numbers."""
    ends = [event["wait_status"] for event in record["events"] if event["kind"] == "exit"]
    output = {
        stream["name"]: WRITING.sub("read", NUMBER.sub("N", stream["head"]))
        for stream in record["streams"]
        if not stream["name"].startswith("api.")
    }
    return {"attempts": len(record["attempts"]), "wait status": ends, **output}


def run(synfault, directory, jobs, wanted):
    """Runs these pairs and returns the records by scenario name."""
    # Remove what an earlier run left.
    shutil.rmtree(os.path.join(directory, "records"), ignore_errors=True)
    path = pathlib.Path(directory, "a.yaml")
    documents = [json.dumps(one) + "\n" for one in scenarios(wanted)]
    path.write_text("---\n".join(documents), encoding="utf-8")
    process = subprocess.run(
        [synfault, "run", "--jobs", str(jobs), "--timing-scale", "4", "--records", "records", path],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=150,
    )
    records = {}
    for file in sorted(pathlib.Path(directory, "records").glob("[0-9]*.json")):
        record = json.loads(file.read_text(encoding="utf-8"))
        records[record["scenario"]] = record
    return process, records


def compare(records, client, fault):
    """Returns what is wrong, as a list of lines."""
    both = [records.get(f"{client}: {fault}, {which}") for which in ("injected", "real")]
    if None in both:
        return ["no record"]
    problems = [problem["message"] for record in both for problem in record["problems"]]
    injected, real = (view(record) for record in both)
    for what, value in real.items():
        if injected.get(what) != value:
            problems.append(f"{what}: {injected.get(what)!r}, really {value!r}")
    return problems


def keep_common(records, others, again):
    """Adds the records of a further run; prefers those of a pair that agrees."""
    for client, fault in again:
        names = [f"{client}: {fault}, {which}" for which in ("injected", "real")]
        if not all(name in records and name in others for name in names):
            continue
        if view(others[names[0]]) != view(records[names[1]]):
            records[names[1]] = others[names[1]]
        if view(records[names[0]]) != view(records[names[1]]):
            records[names[0]] = others[names[0]]


def run_all(synfault, absent):
    """Returns what the program wrote, and what is wrong with each pair."""
    with tempfile.TemporaryDirectory() as directory:
        wanted = [pair for pair in pairs() if pair[0] not in absent]
        process, records = run(synfault, directory, CONCURRENT, wanted)
        for _ in range(RETRIES):
            again = [p for p in wanted if p[1] == IN_CONNECT and compare(records, *p)]
            if again:
                keep_common(records, run(synfault, directory, 1, again)[1], again)
        return process.stdout, {pair: compare(records, *pair) for pair in wanted}


def missing(client):
    """Returns why a client can't be tried, or None."""
    if not shutil.which(CLIENTS[client][0]):
        return f"{CLIENTS[client][0]} is missing"
    if client == "requests" and subprocess.call(
        [PYTHON, "-c", "import requests"], stderr=subprocess.DEVNULL
    ):
        return "the Python module requests is missing"
    return None


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    required = os.environ.get("SYNFAULT_REQUIRE_PRIVILEGES") == "1"
    absent = {client: reason for client in CLIENTS if (reason := missing(client))}
    failed = False
    print(f"1..{len(CLIENTS) * len(FAULTS)}", flush=True)
    output, wrong = run_all(os.path.abspath(sys.argv[1]), absent)
    for number, (client, fault) in enumerate(pairs(), start=1):
        name = f"{number} - {client}: {fault}"
        if client in absent and not required:
            print(f"ok {name} # SKIP {absent[client]}")
            continue
        problems = wrong.get((client, fault), [absent.get(client)])
        print(f"{'not ok' if problems else 'ok'} {name}")
        for line in problems:
            print(f"# {line}")
        failed = failed or bool(problems)
    if failed:
        print("\n".join(f"# {line}" for line in output.splitlines()))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
