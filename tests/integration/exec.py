#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of the control socket of `synfault exec`, run by it.

exec.py play TRANSCRIPT SCHEMA: plays docs/protocol.transcript; each request that is not to be
refused as a bad one fits the schema. exec.py hostile, leave, many: what misbehaving clients do.
exec.py remote: a client over TCP. exec.py follow: connections that get events as they happen. exec.py changes: faults that are replaced and attempts
that are held, while others go on. exec.py busy: a right client on a busy processor, and a wrong one on an idle one.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time


class Connection:
    def __init__(self):
        control = os.environ["SYNFAULT_CONTROL"]
        if control.startswith("tcp:"):
            host, port = control[4:].rsplit(":", 1)
            self.socket = socket.create_connection((host, int(port)))
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(control)
        self.socket.settimeout(60)
        self.lines = self.socket.makefile("r", encoding="utf-8")

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode() + b"\n")

    def reply(self):
        return json.loads(self.lines.readline())

    def event(self):
        line = self.reply()
        assert "event" in line, line
        return line["event"]

    def follow(self, session, since=0):
        """Returns the events so far; further ones are lines."""
        events, following = [], False
        while not following:
            result = self.ask("events", session=session, since=since, follow=True)["result"]
            events, since, following = events + result["events"], result["next"], result["following"]
        return events

    def ask(self, command, **arguments):
        self.send(json.dumps({"command": command, **arguments}))
        return self.reply()

    def open(self, faults, **arguments):
        reply = self.ask("open", endpoints=[{"name": "api", "faults": faults}], **arguments)
        assert reply["ok"], reply
        return reply["result"]


def connect(opened, name):
    address = next(e for e in opened["endpoints"] if e["name"] == name)["addresses"][0]
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host.strip("[]"), int(port)), 60).close()
        return "connected"
    except ConnectionRefusedError:
        return "refused"


def fits(pattern, value):
    if pattern == "*":
        return True
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(k in value and fits(v, value[k]) for k, v in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and len(pattern) == len(value) and all(map(fits, pattern, value))
    return pattern == value


def play(transcript, schema):
    import jsonschema
    validator = jsonschema.Draft7Validator(json.load(open(schema, encoding="utf-8")))
    connection, opened, request, n = Connection(), None, None, 0
    for line in open(transcript, encoding="utf-8"):
        if line[0] == ">":
            request = json.loads(line[1:])
            connection.send(line[1:].strip())
        elif line[0] == "<":
            pattern, reply = json.loads(line[1:]), connection.reply()
            while "event" in reply and not fits(pattern, reply):
                reply = connection.reply()
            assert fits(pattern, reply), f"{line}got {json.dumps(reply)}"
            if "event" in reply:
                continue
            if request["command"] == "open" and reply["ok"]:
                opened = reply["result"]
            code = reply.get("error", {}).get("code")
            command = request.pop("command")
            request.pop("id")
            if command != "hello" and code not in ("unknown-command", "bad-request"):
                assert validator.is_valid({command: request}), line
            n += 1
        elif line[0] == "!":
            _, name, outcome = line.split()
            assert connect(opened, name) == outcome, line
    print(f"{n} replies as in the transcript")


def hostile():
    """Nothing that one client sends keeps another one from its session."""
    good = Connection()
    session = good.open("accept, refuse")
    for text in (b"{\n", b"[]\n", b"\xff\xfe\n", b'{"command": "close", "session": -1}\n', b"[" * 5000 + b"\n",
                 b'{"command": "wait", "session": 1}\n', b'{"command": "open", "source": "' + b"x" * 60000 + b'"}\n',
                 b'{"command": "open", "endpoints": [{"name": "\\u0000", "faults": "drop"}]}\n',
                 b'{"command": "events", "session": 4294967295}\n'):
        bad = Connection()
        bad.send(text)
        assert bad.reply()["ok"] is False, text
    # Parts of requests on several connections do not mix.
    parts = [(Connection(), json.dumps({"id": i, "command": "hello"}).encode() + b"\n") for i in range(4)]
    for where in (slice(0, 9), slice(9, 15), slice(15, None)):
        for part, text in parts:
            part.send(text[where])
    assert [part.reply()["id"] for part, _ in reversed(parts)] == [3, 2, 1, 0]
    long = Connection()
    try:
        long.send(b"x" * 200000)
        assert long.reply()["error"]["code"] == "bad-request"
    except OSError:
        pass
    for _ in range(20):
        half = Connection()
        half.send(json.dumps({"command": "open", "endpoints": [{"name": "api", "faults": "drop"}]}))
        half.lines.close()
        half.socket.close()
    # One that dies while it waits ends its session, and one that only stops sending gets its replies.
    waiting = Connection()
    waited = waiting.open("drop")["session"]
    waiting.send(json.dumps({"command": "wait", "session": waited, "event": "syn", "timeout_ns": 3600 * 10**9}))
    time.sleep(0.2)
    waiting.lines.close()
    waiting.socket.close()
    silent = Connection()
    silent.send(json.dumps({"command": "wait", "session": session["session"], "event": "syn", "timeout_ns": 10**8}))
    silent.send(json.dumps({"command": "status"}))
    silent.socket.shutdown(socket.SHUT_WR)
    assert silent.reply()["error"]["code"] == "timed-out"
    assert silent.reply()["ok"]
    deaf = Connection()
    deaf.socket.setblocking(False)
    try:
        while True:
            deaf.socket.send(b'{"command": "status"}\n' * 100)
    except OSError:
        pass
    other = Connection()
    results = []
    waits = threading.Thread(target=lambda: results.append(
        other.ask("wait", session=session["session"], attempt=9, event="syn", timeout_ns=30 * 10**9)))
    waits.start()
    time.sleep(0.2)
    assert connect(session, "api") == "connected"
    assert connect(session, "api") == "refused"
    assert good.ask("check", session=session["session"])["result"]["outcome"] == "pass"
    # Two close the same session: both get the judgement, or one learns that it has ended.
    second = Connection()
    for one in (good, second):
        one.send(json.dumps({"command": "close", "session": session["session"]}))
    replies = [good.reply(), second.reply()]
    judged = [reply["result"]["outcome"] for reply in replies if reply["ok"]]
    assert judged in (["pass"], ["pass", "pass"]), replies
    assert all(reply["ok"] or reply["error"]["code"] in ("ended", "not-found") for reply in replies), replies
    waits.join()
    # If the thread came too late, there was no session any more.
    assert results[0]["error"]["code"] in ("ended", "not-found"), results
    for _ in range(1200):
        if good.ask("status")["result"]["sessions"] == []:
            break
        time.sleep(0.05)
    assert good.ask("status")["result"]["sessions"] == []
    print("all is well")


def orphan(pid):
    """One that waits notices at once that the process that injects was killed."""
    waiting = Connection()
    session = waiting.open("drop")["session"]
    waiting.send(json.dumps({"command": "wait", "session": session, "event": "syn", "timeout_ns": 3600 * 10**9}))
    assert Connection().ask("status")["result"]["sessions"]
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        os.kill(int(children.read()), 9)
    assert waiting.lines.read() == ""
    print("the end was noticed")


def leave(how):
    """Ends without having closed its session."""
    connection = Connection()
    session = connection.open("refuse x2", name="left open")
    assert connect(session, "api") == "refused"
    if how == "checked":
        connection.ask("check", session=session["session"])
    if how == "killed":
        os.kill(os.getpid(), 9)


def many(number):
    """Many sessions side by side, each with faults of its own."""
    connections = [Connection() for _ in range(4)]
    opened = [connections[i % 4].open(f"refuse x{i % 3 + 1}, accept", name=f"session {i}") for i in range(number)]
    assert len({session["endpoints"][0]["addresses"][0] for session in opened}) == number
    for i, session in enumerate(opened):
        seen = [connect(session, "api") for _ in range(i % 3 + 2)]
        assert seen == ["refused"] * (i % 3 + 1) + ["connected"], (i, seen)
    for i, session in enumerate(opened):
        reply = connections[i % 4].ask("close", session=session["session"])
        assert reply["result"]["outcome"] == "pass", reply
    print(f"{number} sessions, all right")


def follow():
    """Events come in their order and without a gap, or a notice says which ones were lost."""
    owner, prompt, late = Connection(), Connection(), Connection()
    opened = owner.open("refuse")
    session = opened["session"]
    assert connect(opened, "api") == "refused"
    known = prompt.follow(session)
    expected, lost = len(late.follow(session)), 0
    told = []

    def read_promptly():
        while not told or told[-1]["kind"] != "end":
            told.append(prompt.event())
    reader = threading.Thread(target=read_promptly)
    reader.start()
    # The late one fills its buffers, while the other one has everything, and commands are answered.
    for _ in range(200):
        for _ in range(20):
            assert connect(opened, "api") == "refused"
        if owner.ask("events", session=session, since=4000)["result"]["events"]:
            break
    assert owner.ask("close", session=session)["result"]["outcome"] == "pass"
    reader.join()
    assert [event["seq"] for event in known + told] == list(range(len(known) + len(told)))
    assert not [event for event in told if event["kind"] == "lost"]
    while True:
        event = late.event()
        if event["kind"] == "end":
            break
        if event["kind"] == "lost":
            assert event["seq"] >= expected
            lost, expected = lost + event["count"], event["seq"] + event["count"]
        else:
            assert event["seq"] == expected, (event, expected)
            expected += 1
    assert event["seq"] == told[-1]["seq"] == expected, (event, expected)
    # Unless the kernel has room for them all.
    assert lost > 0 or late.socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) > 250000
    # A follower that leaves does no harm, and one connection follows a session once.
    second = owner.open("refuse")
    leaver = Connection()
    leaver.follow(second["session"])
    assert leaver.ask("events", session=second["session"], follow=True)["error"]["code"] == "bad-request"
    leaver.lines.close()
    leaver.socket.close()
    assert connect(second, "api") == "refused"
    assert owner.ask("close", session=second["session"])["result"]["outcome"] == "pass"
    print("every event came, or is known to be lost")


def remote():
    """Over TCP, a client from outside the command knows the token, and then works like any other."""
    for token in ({}, {"token": "wrong" * 9}):
        stranger = Connection()
        reply = stranger.ask("hello", **token)
        assert reply["error"]["code"] == "denied", reply
        assert stranger.lines.read() == ""
    connection = Connection()
    assert connection.ask("hello", token=os.environ["SYNFAULT_TOKEN"])["result"]["protocol"] == 2
    session = connection.open("refuse, accept")
    assert [connect(session, "api") for _ in range(2)] == ["refused", "connected"]
    result = connection.ask("close", session=session["session"])["result"]
    assert result["outcome"] == "pass", result
    print("the sidecar served")


BACKOFF = """
name: backoff
endpoints: {api: {faults: [refuse x3, accept]}}
expect: {attempts: 4, backoff: {fixed: 100ms}}
"""


def retry(connection, pause):
    """Returns the outcome of a client that pauses between its attempts, and the longest time between two."""
    session = connection.ask("open", source=BACKOFF)["result"]
    times = []
    while True:
        times.append(time.monotonic())
        if connect(session, "api") == "connected":
            break
        time.sleep(pause)
        # A few milliseconds of work, for which it needs a processor.
        sum(range(100000))
    longest = max(after - before for before, after in zip(times, times[1:]))
    return session["session"], longest


def busy():
    """A delay of a busy machine is not the client's, and a delay of the client is not the machine's."""
    connection = Connection()
    outcomes = []
    while "fail" not in outcomes and len(outcomes) < 12:
        session, _ = retry(connection, 0.5)
        outcomes.append(connection.ask("close", session=session)["result"]["outcome"])
    assert outcomes[-1] == "fail" and "pass" not in outcomes, outcomes
    processor = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, [processor])
    # How long it waits for its turn depends on the scheduler, and on how many others it has to wait for: few at first.
    loops = [subprocess.Popen(["sh", "-c", "kill -STOP $$; while :; do :; done"]) for _ in range(64)]
    idle = [*loops]
    for loop in loops:
        os.waitpid(loop.pid, os.WUNTRACED)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    seen = []
    try:
        while len(seen) < 12 and not any(longest > 0.3 for longest, _ in seen):
            for loop in idle[:{0: 4, 3: 12, 6: 48}.get(len(seen), 0)]:
                loop.send_signal(signal.SIGCONT)
                idle.remove(loop)
            session, longest = retry(connection, 0.1)
            for command in ("check", "close"):
                result = connection.ask(command, session=session)["result"]
                assert result["outcome"] != "fail", (longest, result)
            seen.append((longest, result["outcome"]))
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    # A delay of more than 0.3 s can't have passed either.
    assert any(longest > 0.3 and outcome == "error" for longest, outcome in seen), seen
    print("no delay was mistaken")


def changes():
    connection = Connection()
    session = connection.open("refuse")
    number = session["session"]

    def ask(command, **arguments):
        reply = connection.ask(command, session=number, **arguments)
        assert reply["ok"], reply
        return reply["result"]

    # Each SYN is served by exactly one script, with no gap between two of them.
    seen, stop = [], threading.Event()

    def connect_always():
        while not stop.is_set():
            seen.append(connect(session, "api"))
    client = threading.Thread(target=connect_always)
    client.start()
    while not seen:
        time.sleep(0.001)
    firsts = []
    for i in range(40):
        firsts.append(ask("faults", steps="refuse" if i % 2 else "accept")["attempt"])
        while len(seen) < firsts[-1] + 2:
            time.sleep(0.001)
    stop.set()
    client.join()
    expected, is_accept = [], False
    for i in range(1, len(seen) + 1):
        is_accept = is_accept ^ (firsts.count(i) % 2 == 1)
        expected.append("connected" if is_accept else "refused")
    assert seen == expected, (firsts, seen)
    result = ask("check")
    assert result["outcome"] == "pass", result

    # A held attempt waits until it is released, and uses up no step.
    ask("faults", steps="refuse x2, accept")
    results = []
    for verdict, outcome in (("accept", "connected"), ("refuse", "refused"), ("unreachable port", "refused")):
        held = ask("hold")["attempt"]
        client = threading.Thread(target=lambda: results.append(connect(session, "api")))
        client.start()
        ask("wait", attempt=held, event="syn")
        assert client.is_alive() and len(results) == 0
        ask("release", attempt=held, verdict=verdict)
        client.join()
        assert results.pop() == outcome, verdict
        assert connection.ask("release", session=number, attempt=held)["error"]["code"] == "not-held"
    assert [connect(session, "api") for _ in range(3)] == ["refused", "refused", "connected"]
    result = ask("close")
    assert result["outcome"] == "pass", result
    # The next session ends while an attempt is held: nothing hangs.
    session = connection.open("accept")
    number = session["session"]
    held = ask("hold")["attempt"]
    with socket.socket() as client:
        client.setblocking(False)
        host, port = session["endpoints"][0]["addresses"][0].rsplit(":", 1)
        client.connect_ex((host, int(port)))
        ask("wait", attempt=held, event="syn")
        assert ask("close")["outcome"] == "error"
    print("every attempt had its fault")


def main():
    name, *arguments = sys.argv[1:]
    {"play": play, "hostile": hostile, "leave": leave,
     "busy": busy, "changes": changes, "follow": follow, "orphan": orphan, "remote": remote, "many": lambda n: many(int(n))}[name](*arguments)


main()
