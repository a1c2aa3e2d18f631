#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The bindings in the test frameworks themselves: a right client passes, a wrong one fails with the
finding in the framework's own report, an unknown outcome is an error, and a missing capability skips.
The code in docs/frameworks.md that makes a test of each scenario file does so.

frameworks.py SYNFAULT EXAMPLE DIRECTORY [FRAMEWORK...]: EXAMPLE is that of libsynfault, compiled; DIRECTORY
keeps what compilers can use again. The report is TAP.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINDINGS = ROOT / "bindings"
# What each example does, by the name that its tests have. The last one has no test in Python and node, whose tests of
# an unknown outcome are below.
WHAT = ("refusals", "judged", "side", "held", "outage", "artefacts", "impossible", "never")
WORDS = {"refusals": r"refusals.?are.?retried", "judged": r"judged.?when.?the.?test", "side": r"side.?by.?side",
         "held": r"attempts.?held", "outage": r"outages.?begin", "artefacts": r"artefacts.?are.?written",
         "impossible": r"impossible.?here", "never": r"never.?fired",
         "wait": r"wait.?is.?beside", "wanted": r"judged.?where.?the.?test"}

# A session whose second fault never fires, and one that nothing closes while the test fails.
NODE_UNKNOWN = """
const assert = require("node:assert");
const net = require("node:net");
const {test} = require("node:test");
const {ClientFailed, faults} = require("%s");
function connect({endpoints: {api: {host, port}}}) {
    return new Promise((resolve) => net.connect(port, host).on("error", resolve));
}
test("unknown", async (t) => {
    const session = await faults(t, {api: "refuse x2"});
    await connect(session);
});
test("blocks", async (t) => {
    if (!Symbol.asyncDispose) return;
    const source = {name: "two attempts", endpoints: {api: {faults: ["refuse"]}}, expect: {attempts: 2}};
    const open = await faults(t, {}, {source}), closed = await faults(t, {}, {source});
    await connect(open);
    await connect(closed);
    await assert.rejects(open[Symbol.asyncDispose](), ClientFailed);
    const [first, second] = await Promise.all([closed.close(), closed.close()]);
    assert.equal(first.outcome, "fail");
    assert.equal(second, first);
    await closed[Symbol.asyncDispose]();
});
"""
UNKNOWN = """
import socket, pytest
def connect(address):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
def test_unknown(faults):
    connect(faults(api="refuse x2").api.address)
def test_fails_by_itself(faults):
    connect(faults(api="refuse x2").api.address)
    assert False, "its own reason"
def test_bad_steps(faults):
    faults(api="refuze")
"""
# Blocks that judge their sessions.
BLOCKS = """
import concurrent.futures, contextlib, socket, pytest, synfault
SCENARIO = {"name": "two attempts", "endpoints": {"api": {"faults": ["refuse"]}}, "expect": {"attempts": 2}}
def connect(address):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
def test_block_of_a_wrong_client():
    with synfault.open(source=SCENARIO) as session:
        connect(session.api.address)
def test_block_of_a_right_client():
    with synfault.open(api="refuse") as session:
        connect(session.api.address)
def test_block_without_its_fault(faults):
    with faults(api="refuse x2") as session:
        connect(session.api.address)
def test_block_that_the_test_closes():
    with synfault.open(source=SCENARIO) as session:
        connect(session.api.address)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            first, *others = pool.map(lambda _: session.close(), range(4))
        assert first.outcome == "fail" and all(one is first for one in others)
def test_block_that_an_exception_ends():
    with synfault.open(source=SCENARIO) as session:
        connect(session.api.address)
        assert False, "its own reason"
def test_block_whose_end_is_expected():
    with pytest.raises(ConnectionRefusedError), synfault.open(source=SCENARIO) as session:
        socket.create_connection(session.api.address)
def test_block_that_ends_before_its_fault():
    with pytest.raises(ConnectionRefusedError), synfault.open(api="refuse x2") as session:
        socket.create_connection(session.api.address)
def test_block_of_what_is_impossible():
    with synfault.open(source="name: named\\nendpoints: {api: {hostname: api.example.test}}\\n"):
        pass
@pytest.fixture
def broken():
    yield
    raise RuntimeError("a broken teardown")
def test_block_beside_a_broken_teardown(broken):
    with synfault.open(source=SCENARIO) as session:
        connect(session.api.address)
        assert False, "its own reason"
def test_after_a_broken_teardown():
    pass
@pytest.fixture
def suppressing(faults):
    yield
    with contextlib.suppress(ConnectionRefusedError), synfault.open(source=SCENARIO) as session:
        socket.create_connection(session.api.address)
def test_block_of_a_teardown(suppressing):
    pass
def test_that_a_conftest_skips():
    pass
"""
CONFTEST = """
import pytest
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if item.name == "test_that_a_conftest_skips":
        pytest.skip("it says so")
"""
# A child of pytest's process.
FORKED = """
import contextlib, os, socket, synfault
SCENARIO = {"name": "two attempts", "endpoints": {"api": {"faults": ["refuse"]}}, "expect": {"attempts": 2}}
def test_forked():
    child = os.fork()
    try:
        if child == 0:
            with contextlib.suppress(ConnectionRefusedError), synfault.open(source=SCENARIO) as session:
                socket.create_connection(session.api.address)
    finally:
        if child == 0:
            os._exit(0)
    os.waitpid(child, 0)
"""
# The same without the plugin.
SUPPRESSED = """
import contextlib, socket, synfault
SCENARIO = {"name": "two attempts", "endpoints": {"api": {"faults": ["refuse"]}}, "expect": {"attempts": 2}}
with contextlib.suppress(ConnectionRefusedError), synfault.open(source=SCENARIO) as session:
    socket.create_connection(session.api.address)
"""
# What ends synfault while a test waits, for each framework: the test goes on at once, and synfault's end fails no client.
DYING = {
    "pytest": """
import os, threading, time
def test_daemon_dies(faults):
    session, begun = faults(api="drop"), time.monotonic()
    threading.Timer(0.3, os.kill, (int(os.environ["SYNFAULT_VICTIM"]), 9)).start()
    try:
        session.wait("syn", timeout=60)
    finally:
        assert time.monotonic() - begun < 30
""",
    "node": """
const assert = require("node:assert");
const {test} = require("node:test");
const {faults} = require("BINDINGS/node/synfault.js");
test("daemon dies", async (t) => {
    const session = await faults(t, {api: "drop"}), begun = Date.now();
    setTimeout(() => process.kill(Number(process.env.SYNFAULT_VICTIM), "SIGKILL"), 300);
    await assert.rejects(session.wait("syn", {timeout: 60}), {code: "ended"});
    assert(Date.now() - begun < 30000);
});
""",
    "criterion": """
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <synfault.h>
Test(dying, daemon_dies)
{
	struct synfault_session *session;
	struct synfault_error error;
	const time_t begun = time(NULL);

	if (!getenv("SYNFAULT_VICTIM"))
		cr_skip_test("there is no victim");
	cr_assert_eq(synfault_open(NULL, SYNFAULT_ENDPOINTS("api=drop"), &session, &error), SYNFAULT_OK);
	if (fork() == 0) {
		usleep(300000);
		kill(atoi(getenv("SYNFAULT_VICTIM")), SIGKILL);
		_exit(0);
	}
	cr_assert_eq(synfault_wait(session, "api", 1, "syn", 60000, &error), SYNFAULT_ENDED);
	cr_assert_lt(time(NULL) - begun, 30);
	fprintf(stderr, "at once: %s\\n", error.text);
	abort();
}
Test(dying, test_is_killed)
{
	struct synfault_session *session;

	cr_assert_eq(synfault_open(NULL, SYNFAULT_ENDPOINTS("api=drop"), &session, NULL), SYNFAULT_OK);
	raise(SIGKILL);
}
""",
    "go": """
package dying

import (
	"errors"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"synfault.invalid/synfault"
)

func TestDaemonDies(t *testing.T) {
	session, begun := synfault.New(t, "drop"), time.Now()
	victim, _ := strconv.Atoi(os.Getenv("SYNFAULT_VICTIM"))
	time.AfterFunc(300*time.Millisecond, func() { syscall.Kill(victim, syscall.SIGKILL) })
	err := session.Wait("syn", "", 1, time.Minute)
	if errors.Is(err, synfault.Ended) && time.Since(begun) < 30*time.Second {
		t.Log("at once: ", err)
	}
}
""",
    "java": """
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.*;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Synfault.class)
class DyingTest {
    @Test
    @Synfault.Faults("api=drop")
    void daemonDies(Synfault.Session session) {
        long begun = System.nanoTime(), victim = Long.parseLong(System.getenv("SYNFAULT_VICTIM"));
        CompletableFuture.delayedExecutor(300, TimeUnit.MILLISECONDS).execute(() ->
            ProcessHandle.of(victim).get().destroyForcibly());
        try {
            session.await("syn", "api", 1, Duration.ofMinutes(1));
        } finally {
            assertTrue(System.nanoTime() - begun < 30_000_000_000L);
        }
    }
}
""",
}
# $1: synfault, $2: the socket; then a command, which uses TCP. The victim is the process that injects and takes commands.
WITH_VICTIM = """
ip link set lo up
export SYNFAULT_TOKEN='the sidecar and the tests know it' SYNFAULT_CONTROL=tcp:127.0.0.1:7333
"$1" exec --isolation shared --control "$2" --listen 7333 -- sleep 300 &
n=0
until "$1" ctl --control "$SYNFAULT_CONTROL" status >/dev/null 2>&1; do
    n=$((n + 1)); [ "$n" -lt 600 ] || { kill "$!"; exit 99; }
    sleep 0.1
done
read -r SYNFAULT_VICTIM rest <"/proc/$!/task/$!/children"
export SYNFAULT_VICTIM
shift 2
"$@"
status=$?
kill "$!" 2>/dev/null
wait
exit "$status"
"""
# The shell is the first process of namespaces of its own, and in the end nothing else is left in them.
WITH_OWN = """
ip link set lo up
"$@"
status=$?
n=0
while set -- /proc/[0-9]*; [ $# -gt 1 ] || [ -s /proc/net/netfilter/nfnetlink_queue ]; do
    n=$((n + 1)); [ "$n" -lt 600 ] || exit 98
    sleep 0.1
done
exit "$status"
"""
UNSHARE = ("unshare", "--net", "--pid", "--fork", "--mount-proc")
# One scenario that its client passes, and one that it fails.
SCENARIOS = """
name: one attempt is refused
endpoints: {api: {faults: [refuse]}}
client: {command: [bash, -c, 'exec 3<>/dev/tcp/$SYNFAULT_API_HOST/$SYNFAULT_API_PORT']}
expect: {exit: 1, attempts: 1}
---
name: "a second [attempt] follows?"
endpoints: {api: {faults: [refuse]}}
client: {command: [bash, -c, 'exec 3<>/dev/tcp/$SYNFAULT_API_HOST/$SYNFAULT_API_PORT']}
expect: {exit: 1, attempts: 2}
"""


class Bed:
    """What one framework's tests share: a directory of their own, and the results so far."""

    def __init__(self, name, synfault, example, kept):
        self.name, self.synfault, self.example, self.kept = name, synfault, example, kept
        self.results = []
        self.scratch = tempfile.TemporaryDirectory()
        self.directory = pathlib.Path(self.scratch.name)

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *command, under_exec=True, directory=None, **variables):
        """Runs a command, under `synfault exec`, beside one that it can kill ("victim"), or without synfault."""
        environment = {**os.environ, "PATH": f"{pathlib.Path(self.synfault).parent}:{os.environ['PATH']}",
                       "SYNFAULT_CONTROL": "", "SYNFAULT_TOKEN": "", **variables}
        for name in ("SYNFAULT_CONTROL", "SYNFAULT_TOKEN"):
            if not environment[name]:
                del environment[name]
        if under_exec == "victim":
            command = [*UNSHARE, "sh", "-c", WITH_VICTIM, "sh", self.synfault, self.directory / "control", *command]
        elif under_exec == "own":
            command = [*UNSHARE, "sh", "-c", WITH_OWN, "sh", *command]
        elif under_exec:
            command = [self.synfault, "exec", "--", *command]
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                              env=environment, cwd=directory or self.directory, timeout=300)

    def compare(self, name, expected, run):
        """Compares {test: (outcome, text)}; a test is named by a key of WORDS, or by a part of its own name."""
        for _ in range(3):
            problems, output = self.differences(expected, *run())
            # A busy machine may make any outcome unknown.
            if not problems or "for a processor" not in output:
                break
        self.results.append((f"{self.name} {name}", problems + ([output] if problems else [])))

    def compare_in_namespace(self, name, expected, run):
        if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0:
            self.compare(name, expected, run)
        else:
            self.results.append((f"{self.name} {name} # SKIP there is no network namespace", []))

    @staticmethod
    def differences(expected, process, results):
        """Returns what is not as expected, and all output."""
        problems = []
        for test, (outcome, text) in expected.items():
            pattern = re.compile(WORDS.get(test, test), re.IGNORECASE)
            seen = next((results[one] for one in results if pattern.search(one)), ("missing", ""))
            if seen[0] != outcome or text not in seen[1]:
                problems.append(f"{test}: {seen[0]} {seen[1]!r}, not {outcome} {text!r}")
        failures = any(outcome in ("failure", "error") for outcome, _ in expected.values())
        # 98: something was left; 99: synfault did not start.
        if (process.returncode != 0) != failures or process.returncode in (98, 99):
            problems.append(f"exit status {process.returncode}")
        return problems, process.stdout + process.stderr

    def runs(self, run, tests, wrong, refusal="error", **without):
        """Runs an example with a right client, with a wrong one, and without synfault, with such variables, or a token.
        A patience that is none is the usual one."""
        self.compare("passes a right client, and skips what is impossible",
                     {test: ("skipped", "hostname") if test == "impossible" else ("passed", "") for test in tests},
                     lambda: run(SYNFAULT_PATIENCE="0"))
        self.compare("fails a wrong client with the finding",
                     {"refusals": ("failure", ""), "judged": ("failure", "attempts: expected 3, got 1"),
                      "side": ("passed", ""), **wrong}, lambda: run(EXAMPLE_RETRIES="0", SYNFAULT_PATIENCE=""))
        self.compare("skips all where there is no synfault",
                     {test: ("skipped", "synfault exec --") for test in tests}, lambda: run(under_exec=False, **without))
        self.compare("says that there is no token", {"refusals": (refusal, "SYNFAULT_TOKEN is not set")},
                     lambda: run(under_exec=False, SYNFAULT_CONTROL="tcp:127.0.0.1:1"))
        with socket.socket(socket.AF_UNIX) as mute:
            mute.bind(str(self.directory / "mute"))
            mute.listen(100)
            self.compare("ends a wait for a synfault that does not answer", {"refusals": (refusal, "does not answer")},
                         lambda: run(under_exec=False, SYNFAULT_CONTROL=mute.getsockname(), SYNFAULT_PATIENCE="0.05"))

    def dying_daemon(self, expected, run):
        """Runs a test that ends synfault while it waits."""
        name = "says at once that synfault has ended"
        self.compare_in_namespace(name, {"daemon.?dies": expected},
                                  lambda: run(DYING[self.name].replace("BINDINGS", str(BINDINGS))))

    def scenario_files(self, language, run):
        """Runs the code of docs/frameworks.md that makes a test of each scenario."""
        self.write("tests/faults/two.yaml", SCENARIOS)
        text = (ROOT / "docs" / "frameworks.md").read_text(encoding="utf-8").split("## Tests of scenario files")[1]
        process, results = run(re.search(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)[1])
        outcomes = sorted(outcome for outcome, _ in results.values())
        output = process.stdout + process.stderr + "".join(text for _, text in results.values())
        problems = [] if outcomes == ["failure", "passed"] and re.search(r"expected +2\b", output) \
            else [f"{outcomes}", output]
        self.results.append((f"{self.name} makes a test of each scenario", problems))


def junit(process, report):
    """Returns {test: (outcome, text)} of a framework's JUnit report."""
    results = {}
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        outcome = [(child.tag, child.get("message", "") + (child.text or "")) for child in case
                   if child.tag in ("failure", "error", "skipped")]
        # A test whose teardown failed has two cases, or two outcomes in one.
        if outcome or case.get("name") not in results:
            results[case.get("name")] = outcome[-1] if outcome else ("passed", "")
    return process, results


def criterion_reports(process, report, tap):
    """Returns {test: (outcome, text)}; the JUnit report lacks reasons of skips and last words of aborted tests."""
    said = (tap.read_text(encoding="utf-8") if tap.exists() else "") + process.stderr
    results = {}
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        outcome = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
        # With several parameters they have one name.
        results[f'{case.get("name")} {len(results)}'] = (outcome, said)
    return process, results


def python_with_pytest():
    """A Python that has pytest: that of the distribution, where this one has none."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import pytest"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def test_pytest(bed):
    # As docs/frameworks.md says: copies beside a conftest.py, which Python does not find on its own.
    text = (ROOT / "docs" / "frameworks.md").read_text(encoding="utf-8")
    bed.write("suite/conftest.py", re.search(r"^```python\n(pytest_plugins = .*\n)```$", text, re.M)[1])
    for name in ("synfault.py", "pytest_synfault.py", "example/test_retries.py"):
        shutil.copy(BINDINGS / "python" / name, bed.directory / "suite")

    def run(tests="suite/test_retries.py", under_exec=True, **variables):
        report = bed.directory / "pytest.xml"
        return junit(bed.run(python_with_pytest(), "-m", "pytest", "-q", "-p", "no:cacheprovider",
                             f"--junitxml={report}", tests, under_exec=under_exec, PYTHONDONTWRITEBYTECODE="1",
                             PYTHONPATH="", **variables), report)

    bed.runs(run, WHAT[:7], {})
    bed.compare("says where synfault does not answer", {"refusals": ("error", "tcp:127.0.0.1:1: ")},
                lambda: run(under_exec=False, SYNFAULT_CONTROL="tcp:127.0.0.1:1", SYNFAULT_TOKEN="of no one"))
    bed.compare("reports an unknown outcome as an error",
                {"test_unknown": ("error", "fired for 1 of 2 attempts"),
                 "test_fails_by_itself": ("failure", "its own reason"),
                 "test_bad_steps": ("error", "unknown step")},
                lambda: run(bed.write("suite/test_unknown.py", UNKNOWN)))
    bed.write("suite/blocks/conftest.py", CONFTEST)
    bed.compare("judges a session at the end of its block",
                {"of_a_wrong_client": ("failure", "attempts: expected 2, got 1"),
                 "of_a_right_client": ("passed", ""),
                 "without_its_fault": ("error", "fired for 1 of 2 attempts"),
                 "that_the_test_closes": ("passed", ""),
                 "that_an_exception_ends": ("failure", "its own reason"),
                 "whose_end_is_expected": ("failure", "attempts: expected 2, got 1"),
                 "ends_before_its_fault": ("error", "fired for 1 of 2 attempts"),
                 "of_what_is_impossible": ("skipped", "hostname"),
                 "beside_a_broken_teardown": ("error", "a broken teardown"),
                 "after_a_broken_teardown": ("passed", ""),
                 "of_a_teardown": ("error", "attempts: expected 2, got 1"),
                 "that_a_conftest_skips": ("skipped", "it says so")},
                lambda: run(bed.write("suite/blocks/test_blocks.py", BLOCKS)))

    def run_alone():
        process = bed.run(python_with_pytest(), "-c", SUPPRESSED, PYTHONPATH=str(bed.directory / "suite"))
        return process, {"suppressed": ("failure" if process.returncode == 1 else "passed", process.stderr + process.stdout)}

    def run_forked():
        process, results = run(bed.write("suite/test_forked.py", FORKED))
        return process, {**results, "exec": ("failure" if process.returncode == 1 else "passed", process.stderr)}

    bed.compare("leaves a block that an exception ends to synfault exec, without pytest",
                {"suppressed": ("failure", "attempts")}, run_alone)
    bed.compare("leaves such a block of a child to synfault exec",
                {"test_forked": ("passed", ""), "exec": ("failure", "attempts")}, run_forked)
    bed.dying_daemon(("error", "synfault"), lambda code: run(bed.write("suite/test_dying.py", code), "victim"))
    bed.scenario_files("python", lambda code: run(bed.write("test_files.py", code), under_exec=False))


# $1: synfault, $2: the socket; then the tests. The sidecar ends when its own command does.
SIDECAR = """
ip link set lo up
export SYNFAULT_TOKEN=known-to-both-of-them SYNFAULT_CONTROL=tcp:127.0.0.1:7333
"$1" exec --listen 7333 --control "$2" -- sh -c 'read -r line <"$0"' "$3" &
n=0
until "$1" ctl status >/dev/null 2>&1; do
    n=$((n + 1)); [ "$n" -lt 600 ] || { kill "$!"; exit 99; }
    sleep 0.1
done
unshare --mount --pid --fork -- "$4" -m pytest -q -p pytest_synfault -p no:cacheprovider "$5"
status=$?
echo >"$3"
wait
exit "$status"
"""


def test_sidecar(bed):
    """The third way in ci/recipes/docker-compose.yml: tests share the sidecar's network and a token, nothing else."""
    fifo = bed.directory / "end"
    os.mkfifo(fifo)
    for _ in range(3):
        process = bed.run("unshare", "--net", "sh", "-c", SIDECAR, "sh", bed.synfault, bed.directory / "control.sock", fifo,
                          python_with_pytest(), BINDINGS / "python" / "example", under_exec=False,
                          PYTHONDONTWRITEBYTECODE="1", PYTHONPATH=str(BINDINGS / "python"))
        good = process.returncode == 0 and re.search(r"\b6 passed, 1 skipped\b", process.stdout)
        # As in Bed.compare().
        if good or "for a processor" not in process.stdout + process.stderr:
            break
    bed.results.append(("a sidecar serves tests that share its network", [] if good else
                        [f"exit status {process.returncode}", process.stdout + process.stderr]))


def test_node(bed):
    def run(tests=BINDINGS / "node" / "example" / "retries.test.js", under_exec=True, **variables):
        process = bed.run("node", "--test", "--test-reporter=tap", tests, under_exec=under_exec, **variables)
        results, name = {}, None
        for line in process.stdout.splitlines():
            match = re.match(r" *(not )?ok \d+ - (.*?)(?: # SKIP ?(.*))?$", line)
            if match:
                name = match[2]
                outcome = "failure" if match[1] else "passed" if match[3] is None else "skipped"
                results[name] = (outcome, match[3] or "")
            elif name:
                results[name] = (results[name][0], results[name][1] + line + "\n")
        return process, {name: result for name, result in results.items() if not name.endswith(".js")}

    bed.runs(run, WHAT[:7], {}, "failure")
    unknown = bed.write("unknown.test.js", NODE_UNKNOWN % (BINDINGS / "node" / "synfault.js"))
    bed.compare("reports an unknown outcome as an error of its own type",
                {"unknown": ("failure", "fired for 1 of 2 attempts"), "blocks": ("passed", "")},
                lambda: run(unknown, SYNFAULT_PATIENCE="100000000"))
    bed.dying_daemon(("failure", "synfault has ended"), lambda code: run(bed.write("dying.test.js", code), "victim"))
    bed.scenario_files("js", lambda code: run(bed.write("files.test.js", code), under_exec=False))


def test_criterion(bed):
    def run(program=bed.example, under_exec=True, arguments=(), **variables):
        name = pathlib.Path(program).name
        report, tap = bed.directory / f"{name}.xml", bed.directory / f"{name}.tap"
        process = bed.run(program, f"--xml={report}", f"--tap={tap}", *arguments, under_exec=under_exec, **variables)
        return criterion_reports(process, report, tap)

    def compile_and_run(code, under_exec=False):
        library = pathlib.Path(bed.example).parents[2] / "lib"
        done = bed.run("cc", "-Wall", "-Werror", f"-I{ROOT / 'lib'}", bed.write("test.c", code), "-o", "test", "-lcriterion",
                       f"-L{library}", "-lsynfault", f"-Wl,-rpath,{library}", under_exec=False)
        return run(bed.directory / "test", under_exec) if done.returncode == 0 else (done, {})

    bed.runs(run, (*WHAT, "wait"), {"never": ("error", "fired for 1 of 2 attempts"), "wait": ("failure", "")},
                   PATH="")
    # Without those whose judgement a wait of any process on the machine may make unknown.
    own = "--filter=retries/@(refusals|sessions|faults|artefacts|a_wait)*"
    bed.compare_in_namespace("starts a synfault of its own with NET_ADMIN",
                             {test: ("passed", "") for test in ("refusals", "side", "held", "artefacts", "wait")},
                             lambda: run(under_exec="own", arguments=[own]))
    bed.dying_daemon(("error", "at once: synfault has ended"), lambda code: compile_and_run(code, "victim"))
    bed.compare_in_namespace("leaves nothing of its own synfault after SIGKILL", {"test_is_killed": ("error", "")},
                             lambda: run(bed.directory / "test", "own"))
    bed.scenario_files("c", compile_and_run)


def test_go(bed):
    module = "synfault.invalid/synfault"
    settings = {"GOCACHE": str(bed.kept / "go"), "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}

    def compile_test(directory, name):
        return bed.run("go", "test", "-c", "-o", bed.directory / name, ".", under_exec=False, directory=directory,
                       **settings)

    def run(name="example", under_exec=True, **variables):
        process = bed.run("go", "tool", "test2json", bed.directory / name, "-test.v=true", under_exec=under_exec,
                          **settings, **variables)
        results, said = {}, {}
        for line in process.stdout.splitlines():
            event = json.loads(line) if line.startswith("{") else {}
            test = event.get("Test")
            said[test] = said.get(test, "") + event.get("Output", "")
            outcome = {"pass": "passed", "fail": "failure", "skip": "skipped"}.get(event.get("Action"))
            if test and outcome:
                results[test] = (outcome, said[test])
        return process, results

    def compile_and_run(code, under_exec=False):
        bed.write("go.mod", f"module test\n\ngo 1.19\n\nrequire {module} v0.0.0\n\nreplace {module} => {BINDINGS / 'go'}\n")
        bed.write("some_test.go", code)
        done = compile_test(bed.directory, "some")
        return run("some", under_exec) if done.returncode == 0 else (done, {})

    def run_scenarios(code):
        process, results = compile_and_run(code)
        return process, {name: result for name, result in results.items() if "/" in name}

    done = compile_test(BINDINGS / "go" / "example", "example")
    if done.returncode:
        bed.results.append(("go compiles the example", [done.stderr]))
        return
    bed.runs(run, (*WHAT, "wanted"), {"never": ("failure", "could not judge: error\n")}, "failure")
    bed.dying_daemon(("failure", "at once: "), lambda code: compile_and_run(code, "victim"))
    bed.scenario_files("go", run_scenarios)


# Of the Debian package junit5 and what it depends on, without the versions that file names have, too.
JARS = ("junit-jupiter-api", "junit-jupiter-engine", "junit-platform-commons", "junit-platform-engine",
        "junit-platform-launcher", "junit-platform-console", "junit-platform-reporting", "opentest4j",
        "opentest4j-reporting-events", "opentest4j-reporting-schema", "open-test-reporting-events",
        "open-test-reporting-schema", "apiguardian-api", "picocli", "univocity-parsers")


def class_path():
    return ":".join(f"/usr/share/java/{name}.jar" for name in JARS)


def test_java(bed):
    def compile_classes(place, *sources):
        return bed.run("javac", "-proc:none", "-d", bed.directory / place, "-cp", f"classes:{class_path()}", *sources,
                       under_exec=False)

    def run(place="classes", under_exec=True, **variables):
        classes, reports = bed.directory / place, bed.directory / "reports"
        # Short tests: what they would gain from the better compiler they lose in it.
        return junit(bed.run("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{classes}:classes:{class_path()}",
                             "org.junit.platform.console.ConsoleLauncher", "--disable-banner", "--details=tree",
                             "--disable-ansi-colors", f"--reports-dir={reports}", f"--scan-classpath={classes}",
                             under_exec=under_exec, **variables), reports / "TEST-junit-jupiter.xml")

    def compile_and_run(code, name="FilesTest", under_exec=False):
        done = compile_classes(name, bed.write(f"{name}.java", code))
        return run(name, under_exec) if done.returncode == 0 else (done, {})

    done = compile_classes("classes", *(BINDINGS / "java").rglob("*.java"))
    if done.returncode:
        bed.results.append(("java compiles the example", [done.stderr]))
        return
    bed.runs(run, (*WHAT, "wanted"), {"never": ("error", "fired for 1 of 2 attempts")})
    bed.dying_daemon(("error", "ended: synfault"), lambda code: compile_and_run(code, "DyingTest", "victim"))
    bed.scenario_files("java", compile_and_run)


# Each framework's test, and the programs that it needs.
FRAMEWORKS = {
    "go": (test_go, ("go",)),
    "java": (test_java, ("java", "javac")),
    "pytest": (test_pytest, ()),
    "node": (test_node, ("node",)),
    "sidecar": (test_sidecar, ("ip", "unshare")),
    "criterion": (test_criterion, ("cc",)),
}


def missing(name):
    if name in ("pytest", "sidecar") and not python_with_pytest():
        return "pytest"
    if name == "sidecar" and os.getuid() != 0:
        return "root"
    if name == "java" and not pathlib.Path("/usr/share/java/junit-platform-console.jar").exists():
        return "JUnit 5"
    return next((program for program in FRAMEWORKS[name][1] if not shutil.which(program)), None)


def run_framework(bed):
    with bed.scratch:
        FRAMEWORKS[bed.name][0](bed)
    return bed.results


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    synfault, example, kept = (os.path.abspath(word) for word in sys.argv[1:4])
    names = sys.argv[4:] or list(FRAMEWORKS)
    beds = [Bed(name, synfault, example, pathlib.Path(kept)) for name in names if not missing(name)]
    number, failed = 0, False
    # Tests wait more than they work.
    with ThreadPoolExecutor(max_workers=2) as pool:
        for results in pool.map(run_framework, beds):
            for name, problems in results:
                number += 1
                print(f"{'not ok' if problems else 'ok'} {number} - {name}")
                for problem in problems:
                    print("# " + problem.replace("\n", "\n# "))
                failed = failed or bool(problems)
    for name in names:
        if missing(name):
            number += 1
            print(f"ok {number} - {name} # SKIP there is no {missing(name)}")
    print(f"1..{number}")
    sys.exit(1 if failed else 0)


main()
