#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts on real packets, in cases that a simpler judge gets wrong.

verdicts.py SYNFAULT TARGETS: runs each case below and compares the outcome, and a text that the report
has to contain. The report is TAP.
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONCURRENT = os.cpu_count() or 1
OUTCOMES = {0: "pass", 1: "fail", 3: "error", 4: "invalid", 5: "skip"}

# What the case shows, the right outcomes, the scenario without its name, and texts that have to be printed.
# STEPS stands for targets/clients/steps.py.
CASES = [
    # ---- overlaps ----
    ("an overlap of 45 ms breaks an order", "fail", """
endpoints: {a: {faults: [drop]}, b: {faults: [accept]}}
client: {command: [STEPS, "${a}", "${b}", --, "start:0", "wait:45", "connect:1", "wait:50"]}
expect: {order: {b: {after: a}}}"""),
    ("an overlap of 45 ms makes two concurrent attempts", "fail", """
endpoints: {a: {faults: [drop]}, b: {faults: [accept]}}
client: {command: [STEPS, "${a}", "${b}", --, "start:0", "wait:45", "connect:1", "wait:50"]}
expect: {concurrent-attempts: 1}"""),
    ("five attempts that are open for 30 ms are five at once", "fail", """
endpoints: {a: {faults: [drop]}}
client: {command: [STEPS, "${a}", --, "start:0", "start:0", "start:0", "start:0", "start:0", "wait:30"]}
expect: {concurrent-attempts: 1}"""),
    ("attempts one after the other are one at a time", "pass", """
endpoints: {a: {faults: [drop x3, accept]}}
client: {command: [STEPS, "${a}", --, "loop:4", "connect:0:150", "wait:50", "end"]}
expect: {concurrent-attempts: 1, leaks: 0}"""),
    # Without a pause between them, a millisecond in which the client waits for a processor can hide an overlap.
    ("attempts without a pause between them are one at a time", "pass error", """
endpoints: {a: {faults: [drop x3, accept]}}
client: {command: [STEPS, "${a}", --, "loop:4", "connect:0:150", "end"]}
expect: {concurrent-attempts: 1, leaks: 0}"""),
    # ---- no pause ----
    ("a client without a pause fails when it is refused", "fail", """
timeout: 5s
endpoints: {api: {faults: [refuse]}}
client: {command: [STEPS, "${api}", --, "loop:5000", "connect:0", "end"]}
expect: {backoff: {fixed: 500ms}}"""),
    ("a client without a pause fails at an unreachable host", "fail", """
timeout: 5s
endpoints: {api: {faults: [unreachable host]}}
client: {command: [STEPS, "${api}", --, "loop:300", "connect:0", "end"]}
expect: {attempt-delay: {fixed: 500ms}}"""),
    ("a client without a pause fails when its connection is closed", "fail", """
timeout: 5s
endpoints: {api: {serve: echo, faults: [close after 0 bytes]}}
client: {command: [STEPS, "${api}", --, "loop:30", "connect:0", "send:1", "read:500", "close", "end"]}
expect: {backoff: {fixed: 500ms}}"""),
    # ---- leaks ----
    ("refused sockets that are closed do not leak", "pass", """
endpoints: {api: {faults: [refuse]}}
client: {command: [STEPS, "${api}", --, "connect:0", "wait:50", "connect:0", "wait:50", "connect:0"]}
expect: {attempts: 3, leaks: 0}"""),
    ("refused sockets that are closed are not three leaks", "fail", """
endpoints: {api: {faults: [refuse]}}
client: {command: [STEPS, "${api}", --, "connect:0", "wait:50", "connect:0", "wait:50", "connect:0"]}
expect: {attempts: 3, leaks: 3}"""),
    ("a refused socket that is kept is a leak", "fail", """
endpoints: {api: {faults: [refuse]}}
client: {command: [STEPS, "${api}", --, "hold:0:500", "wait:50", "connect:0", "wait:100"]}
expect: {leaks: 0}"""),
    ("a socket leaks though the next attempt goes elsewhere", "fail", """
endpoints: {api: {faults: [drop]}, backup: {faults: [accept]}}
client: {command: [STEPS, "${api}", "${backup}", --, "hold:0:500", "connect:1", "wait:600"]}
expect: {leaks: 0}"""),
    ("two sockets that stay open are two leaks", "pass", """
endpoints: {api: {faults: [drop]}, backup: {faults: [accept]}}
client: {command: [STEPS, "${api}", "${backup}", --, "hold:0:300", "hold:0:300", "connect:1", "wait:600"]}
expect: {leaks: 2}"""),
    ("sockets that the server closed are leaks", "fail", """
endpoints: {api: {serve: echo, faults: [close after 0 bytes x2, accept]}}
client: {command: [STEPS, "${api}", --, "connect:0", "send:1", "read:500", "connect:0", "send:1", "read:500", "connect:0", "wait:300"]}
expect: {leaks: 0}"""),
    ("sockets that stalled are leaks", "fail", """
endpoints: {api: {serve: echo, faults: [stall after accept, accept]}}
client: {command: [STEPS, "${api}", --, "connect:0", "send:1", "read:300", "connect:0", "wait:300"]}
expect: {leaks: 0}"""),
    ("attempts side by side that are each closed do not leak", "pass", """
endpoints: {api: {faults: [drop]}}
client: {command: [STEPS, "${api}", --, "start:0", "start:0", "start:0", "wait:500", "close-all"]}
expect: {attempts: 3, leaks: 0}"""),
    # ---- a socket is not an attempt ----
    ("a socket that is connected again after a refusal does not leak", "pass", """
endpoints: {api: {faults: [refuse x2, accept]}}
client: {command: [STEPS, "${api}", --, "again:0", "again:0", "again:0"]}
expect: {attempts: 3, leaks: 0, concurrent-attempts: 1}"""),
    ("connect(AF_UNSPEC) ends an attempt", "pass error", """
endpoints: {api: {faults: [drop, accept]}}
client: {command: [STEPS, "${api}", --, "again:0:300", "forget", "wait:400", "again:0"]}
expect: {attempts: 2, connect-timeout: 300ms, concurrent-attempts: 1}"""),
    ("shutdown() ends an attempt, and the later close does not", "pass error", """
endpoints: {api: {faults: [drop, accept]}}
client: {command: [STEPS, "${api}", --, "hold:0:400", "shutdown", "wait:1000", "close", "connect:0"]}
expect: {attempts: 2, connect-timeout: 400ms}"""),
    # ---- ends ----
    ("the kernel's schedule ends an attempt, not the later close", "pass", """
kernel: {tcp_syn_retries: 1, tcp_syn_linear_timeouts: 0}
timeout: 20s
endpoints: {api: {faults: [drop, accept]}}
client: {command: [STEPS, "${api}", --, "hold:0:10000", "wait:2000", "close", "connect:0"]}
expect: {backoff: {fixed: 2s}}"""),
    ("a client that pauses 2 s after the kernel's timeout has a pause", "fail", """
kernel: {tcp_syn_retries: 1, tcp_syn_linear_timeouts: 0}
timeout: 20s
endpoints: {api: {faults: [drop, accept]}}
client: {command: [STEPS, "${api}", --, "hold:0:10000", "wait:2000", "close", "connect:0"]}
expect: {backoff: {fixed: 0s}}"""),
    ("the client's own FIN ends a stalled connection", "pass", """
endpoints: {api: {serve: echo, faults: [stall after accept x2, accept]}}
client: {command: [STEPS, "${api}", --, "loop:2", "connect:0", "send:1", "read:600", "close", "wait:700", "end", "connect:0"]}
expect: {backoff: {fixed: 700ms}}"""),
    ("a client that waits until a stall heals gets its answer", "pass", """
endpoints: {api: {serve: echo, faults: [stall after accept for 150ms, accept]}}
client: {command: [STEPS, "${api}", --, "connect:0", "send:100", "read:900", "close", "wait:300", "connect:0"]}
expect: {bytes: {received: 100, sent: 100}, ended: closed, leaks: 0, backoff: {fixed: 1200ms}}"""),
    ("a client that gives up before a stall heals does not get its answer", "fail", """
endpoints: {api: {serve: echo, faults: [stall after accept for 400ms]}}
client: {command: [STEPS, "${api}", --, "connect:0", "send:100", "read:200", "close", "wait:700"]}
expect: {bytes: {received: 100}}"""),
    ("a client that gives up before a stall heals was stalled", "pass error", """
endpoints: {api: {serve: echo, faults: [stall after accept for 400ms, accept]}}
client: {command: [STEPS, "${api}", --, "connect:0", "send:100", "read:200", "close", "wait:300", "connect:0", "wait:300"]}
expect: {attempts: 2, ended: [stalled, closed], read-timeout: 200ms, backoff: {fixed: 300ms}}"""),
    ("a client that ends before a stall heals leaves the fault fired", "pass", """
endpoints: {api: {serve: echo, faults: [stall after accept for 5s]}}
client: {command: [STEPS, "${api}", --, "connect:0", "send:100", "read:200", "close"]}
expect: {attempts: 1, ended: stalled}"""),
    ("a client that retries a late connection that breaks passes", "pass", """
endpoints: {api: {serve: echo, faults: [delay 200ms then reset after 50 bytes, accept]}}
client: {command: [STEPS, "${api}", --, "connect:0", "send:100", "read:500", "close", "wait:300", "connect:0"]}
expect: {attempts: 2, ended: [reset, closed], bytes: {received: 50}, backoff: {fixed: 300ms}}"""),
    ("a client that gives up before the second fault of a step leaves it unfired", "error", """
endpoints: {api: {serve: echo, faults: [delay 500ms then reset after 50 bytes]}}
client: {command: [STEPS, "${api}", --, "connect:0:200", "wait:500"]}
expect: {attempts: 1, connected: 0}"""),
    ("what is lost on a lossy connection comes again", "pass", """
endpoints: {api: {serve: echo, faults: [packet-loss 10%]}}
client: {command: [STEPS, "${api}", --, "connect:0", "loop:100", "send:10", "wait:2", "end", "get:1000", "close"]}
expect: {attempts: 1, bytes: {sent: 1000, received: 1000}, ended: closed}"""),
    ("a client that gives up on a lossy connection too soon lacks data", "fail", """
endpoints: {api: {serve: echo, faults: [packet-loss 99% from-server]}}
client: {command: [STEPS, "${api}", --, "connect:0", "loop:20", "send:10", "wait:1", "end", "read:100", "close"]}
expect: {attempts: 1, bytes: {received: 200}}"""),
    ("a connection without data has nothing to lose", "error", """
endpoints: {api: {serve: echo, faults: [packet-loss 50%]}}
client: {command: [STEPS, "${api}", --, "connect:0", "wait:50", "close"]}
expect: {attempts: 1, connected: 1}"""),
    ("a client with latency on its connection waits for both ways", "pass error", """
endpoints: {api: {serve: echo, faults: [latency 100ms jitter 20ms]}}
client: {command: [STEPS, "${api}", --, "connect:0", "loop:3", "send:10", "get:10", "end", "close"]}
expect: {attempts: 1, bytes: {sent: 30, received: 30}, ended: closed, duration: 480ms..}"""),
    ("a client whose patience ends before the round trip lacks its answer", "fail error", """
endpoints: {api: {serve: echo, faults: [latency 600ms from-server]}}
client: {command: [STEPS, "${api}", --, "connect:0", "send:10", "read:200", "close"]}
expect: {attempts: 1, bytes: {received: 10}}"""),
    ("a connection that is refused has no latency", "error", """
endpoints: {api: {serve: echo, faults: [refuse, latency 50ms]}}
client: {command: [STEPS, "${api}", --, "connect:0"]}
expect: {attempts: 1..2}"""),
    ("a client that waits out a pause goes on", "pass error", """
endpoints: {api: {serve: echo, faults: [pause 300ms at 200ms from first-attempt]}}
client: {command: [STEPS, "${api}", --, "connect:0", "send:10", "get:10", "wait:300", "send:10", "get:10", "close"]}
expect: {attempts: 1, bytes: {sent: 20, received: 20}, ended: closed, leaks: 0}"""),
    ("a client that gives up in a pause was stalled", "pass error", """
endpoints: {api: {serve: echo, faults: [pause 3s at 200ms from first-attempt]}}
client: {command: [STEPS, "${api}", --, "connect:0", "wait:300", "send:10", "read:200", "close"]}
expect: {attempts: 1, ended: stalled}"""),
    ("a client that gives up in a pause lacks its answer", "fail error", """
endpoints: {api: {serve: echo, faults: [pause 3s at 200ms from first-attempt]}}
client: {command: [STEPS, "${api}", --, "connect:0", "wait:300", "send:10", "read:200", "close"]}
expect: {attempts: 1, bytes: {received: 10}}"""),
    ("an attempt in a pause gets through after it", "pass error", """
endpoints: {api: {serve: echo, faults: [pause 500ms at 0s from first-attempt]}}
client: {command: [STEPS, "${api}", --, "connect:0", "send:10", "get:10", "close"]}
expect: {attempts: 1, retransmissions: 1.., connected: 1, bytes: {received: 10}, ended: closed}"""),
    ("a client that gives up its attempt in a pause got no answer", "pass error", """
endpoints: {api: {serve: echo, faults: [pause 3s at 0s from first-attempt]}}
client: {command: [STEPS, "${api}", --, "connect:0:300"]}
expect: {attempts: 1, ended: unanswered}"""),
    ("a pause after the client's end never fires", "error", """
endpoints: {api: {serve: echo, faults: [pause 3s at 5s]}}
client: {command: [STEPS, "${api}", --, "connect:0", "close"]}
expect: {attempts: 1}"""),
    # ---- restarts ----
    ("a client that comes back after a restart has reconnected", "pass error", """
endpoints: {api: {serve: echo, faults: [restart 200ms at 200ms from first-attempt ending close]}}
client: {command: [STEPS, "${api}", --, "connect:0", "read:3000", "close", "wait:500", "connect:0", "close"]}
expect: {attempts: 2, connected: 2, reconnects: {count: 1, within: 2s}, stale: ..1s, concurrent-connections: 1}"""),
    ("a client that does not come back after a restart has not", "fail error", """
endpoints: {api: {serve: echo, faults: [restart 200ms at 200ms from first-attempt]}}
client: {command: [STEPS, "${api}", --, "connect:0", "read:3000", "close"]}
expect: {reconnects: 1}"""),
    ("a client that keeps a dead connection keeps it too long", "fail error", """
endpoints: {api: {serve: echo, faults: [restart 200ms at 200ms from first-attempt ending stall]}}
client: {command: [STEPS, "${api}", --, "connect:0", "wait:1500", "close"]}
expect: {stale: ..400ms}"""),
    ("two connections side by side are more than one", "fail error", """
endpoints: {api: {serve: echo}}
client: {command: [STEPS, "${api}", --, "connect:0", "connect:0", "wait:100", "close-all"]}
expect: {concurrent-connections: 1}"""),
    ("two connections one after the other are one at a time", "pass error", """
endpoints: {api: {serve: echo}}
client: {command: [STEPS, "${api}", --, "connect:0", "close", "wait:200", "connect:0", "close"]}
expect: {connected: 2, concurrent-connections: 1}"""),
    ("a restart after the client's end never fires", "error", """
endpoints: {api: {serve: echo, faults: [restart 1s at 5s]}}
client: {command: [STEPS, "${api}", --, "connect:0", "close"]}
expect: {attempts: 1}"""),
    ("a client that closes before the answer has not connected", "pass error", """
endpoints: {api: {faults: [delay 300ms]}}
client: {command: [STEPS, "${api}", --, "start:0", "wait:50", "close", "wait:500"]}
expect: {attempts: 1, connected: 0}"""),
    ("bytes of a connection that the client reset are counted", "pass error", """
endpoints: {api: {serve: echo, faults: [accept]}}
client: {command: [STEPS, "${api}", --, "connect:0", "send:100", "read:200", "reset"]}
expect: {bytes: {sent: 100, received: 100}}"""),
    ("a reset after accept finds a client whose connect() has returned", "pass error", """
endpoints: {api: {faults: [reset after accept]}}
client: {command: [STEPS, "${api}", --, "connect:0", "send:1", "read:2000", "exit:1"]}
expect: {exit: 1, attempts: 1, connected: 1}"""),
    # ---- evidence ----
    ("a client that never connects proves nothing", "error", """
endpoints: {a: {faults: [accept]}, b: {faults: [accept]}}
client: {command: ["true"]}
expect: {gives-up: {attempts: 3}, leaks: 0, concurrent-attempts: 1, retry-on: [refused]}"""),
    ("attempts at one address don't excuse another's fault", "error", """
endpoints: {api: {addresses: [ipv4, ipv4], faults: {ipv4: [refuse], ipv4.2: [refuse, accept]}}}
client: {command: [STEPS, "${api.ipv4}:${api.port}", --, "connect:0", "wait:50", "connect:0", "exit:7"]}
expect: {exit: 7, attempts: 2}"""),
    ("an endpoint that was never tried breaks an order", "fail", """
endpoints: {a: {faults: [refuse]}, b: {faults: [accept]}}
client: {command: [STEPS, "${a}", "${b}", --, "connect:0"]}
expect: {order: [a, b]}"""),
    ("an order by after does not demand that the later one is tried", "pass", """
endpoints: {a: {faults: [refuse]}, b: {faults: [accept]}}
client: {command: [STEPS, "${a}", "${b}", --, "connect:0"]}
expect: {order: {b: {after: a}}}"""),
    ("a slow starter that misses the outage proves nothing", "error", """
endpoints: {api: {faults: [down 500ms, accept]}}
client: {command: [STEPS, "${api}", --, "wait:800", "connect:0"]}
expect: {stderr: {contains: refused}}"""),
    ("an outage from the first attempt waits for a slow starter", "pass", """
endpoints: {api: {faults: [down 500ms from first-attempt, accept]}}
client: {command: [STEPS, "${api}", --, "wait:800", "connect:0", "wait:700", "connect:0"]}
expect: {attempts: 2, connected: 1, stderr: {contains: refused}}"""),
    ("a text that only a fault would have caused is not missed", "error", """
endpoints: {api: {faults: [refuse, refuse, accept]}}
client: {command: [STEPS, "${api}", --, "connect:0", "exit:0"]}
expect: {stderr: {contains: second refusal}}"""),
    ("a fault that need not be met may stay out", "pass", """
endpoints: {api: {faults: [accept]}, backup: {faults: [refuse]}}
client: {command: [STEPS, "${api}", "${backup}", --, "connect:0"]}
expect: {exit: 0, attempts: {api: 1, backup: 0..1}}"""),
    ("a client can't change the sysctls that judgement relies on", "pass error", """
endpoints: {api: {faults: [accept]}}
client: {command: [sh, -c, "echo 1 >/proc/sys/net/ipv4/tcp_syn_retries 2>/dev/null && exit 9; exec synfault-tiny ${api}"]}
expect: {exit: 0, attempts: 1}"""),
    # ---- order among addresses ----
    ("addresses of one family have an order", "pass", """
endpoints: {api: {addresses: [ipv4, ipv4], faults: {ipv4: [refuse], ipv4.2: [accept]}}}
client: {command: [STEPS, "${api.ipv4}:${api.port}", "${api.ipv4.2}:${api.port}", --, "connect:0", "connect:1"]}
expect: {order: [api.ipv4, api.ipv4.2], fallback: {from: ipv4, to: ipv4.2, within: 500ms}}"""),
    ("the wrong order of addresses of one family fails", "fail", """
endpoints: {api: {addresses: [ipv4, ipv4], faults: {ipv4: [accept], ipv4.2: [refuse]}}}
client: {command: [STEPS, "${api.ipv4}:${api.port}", "${api.ipv4.2}:${api.port}", --, "connect:1", "connect:0"]}
expect: {order: [api.ipv4, api.ipv4.2]}"""),
    ("curl pauses between rounds over both addresses", "pass", """
requires: {programs: [curl]}
endpoints: {api: {hostname: api.test, families: [ipv6, ipv4], faults: [refuse]}}
client: {command: [curl, -sS, --retry, "2", --retry-connrefused, "http://${api}/"]}
expect: {backoff: curl-retry}"""),
    # ---- messages ----
    ("a missing text shows the last line, cut", "fail", """
endpoints: {api: {faults: [refuse]}}
client: {command: [STEPS, "${api}", --, "connect:0", "print:a long last line that has many more than sixty characters in all"]}
expect: {stderr: {contains: no such text}}""", "a long last line that has"),
]


def run(case, synfault, targets):
    """Returns the problems as a list of lines."""
    name, outcomes, scenario, *texts = case
    steps = ROOT / "targets/clients/steps.py"
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "case.yaml")
        path.write_text(f"name: {name}{scenario.replace('STEPS', f'python3, {steps}')}\n",
                        encoding="utf-8")
        process = subprocess.run(
            [synfault, "run", "--late-retries", "8", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", timeout=150, check=False,
            env={**os.environ, "PATH": f"{targets}:{os.environ['PATH']}", "TMPDIR": directory})
    got = OUTCOMES.get(process.returncode, f"exit {process.returncode}")
    if got == "skip" and "curl" in scenario and not shutil.which("curl"):
        return []
    problems = [] if got in outcomes.split() else [f"{got} instead of {outcomes}"]
    problems += [f"not printed: {text}" for text in texts if text not in process.stdout]
    return problems + process.stdout.splitlines() if problems else []


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    synfault, targets = (os.path.abspath(argument) for argument in sys.argv[1:])
    failed = False
    print(f"1..{len(CASES)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(CONCURRENT) as pool:
        results = pool.map(lambda case: run(case, synfault, targets), CASES)
        for number, (case, problems) in enumerate(zip(CASES, results), start=1):
            print(f"{'not ok' if problems else 'ok'} {number} - {case[0]}")
            for line in problems:
                print(f"# {line}")
            sys.stdout.flush()
            failed = failed or bool(problems)
    sys.exit(1 if failed else 0)


main()
