# SPDX-License-Identifier: MIT
"""Injects connection faults from a test's own code, under `synfault exec`.

    with synfault.open(api="refuse x2, accept") as session:
        client.get(f"http://{session.api}/")
        session.wait("established", attempt=3)

The end of the block judges the session, unless the test has closed it: ClientFailed has the findings. If an
exception ends the block, pytest_synfault judges the session when the test has ended, or else `synfault exec`.
Sessions can be used by several threads: each request has a connection of its own to the control
socket (docs/protocol.md of synfault).
"""

import contextlib
import json
import os
import socket
import threading

__tracebackhide__ = True  # pytest shows the test's own lines
# Of pytest_synfault: takes a session whose block an exception has ended, and returns whether it judges that. Else None.
on_interruption = None
# Seconds to wait for a reply, in addition to what is waited for.
PATIENCE = 60
with contextlib.suppress(ValueError):
    given = float(os.environ.get("SYNFAULT_PATIENCE", ""))
    PATIENCE = min(given, 86400) if given >= 0.001 else 60


class Error(Exception):
    """synfault refused a request, or could not do its work; it says nothing about the client."""

    def __init__(self, code, text, remedy=None):
        super().__init__(f"{text}; {remedy}" if remedy else text)
        self.code, self.text, self.remedy = code, text, remedy


class Unavailable(Error):
    """This machine can't inject the faults: a reason to skip the test."""


class TimedOut(Error):
    """What was waited for did not happen in time."""


class Unjudged(Error):
    """The outcome is unknown: the machine was too slow, or a fault never fired."""


class ClientFailed(AssertionError):
    """The client did not do what was expected; `findings` say what, as data."""

    def __init__(self, judgement):
        super().__init__(str(judgement))
        self.findings = judgement.findings


ERRORS = {"unavailable": Unavailable, "timed-out": TimedOut}
ENDED = '{"ok": false, "error": {"code": "ended", "text": "synfault has ended"}}'


class Endpoint(str):
    """The address of an endpoint, "host:port", as a text; with its parts."""

    def __new__(cls, address):
        self = super().__new__(cls, address)
        host, port = address.rsplit(":", 1)
        self.host, self.port = host.strip("[]"), int(port)
        self.address = (self.host, self.port)
        return self


def lines_of(connection, silent):
    """Yields what synfault says, line by line; after each PATIENCE without a word it calls `silent`, if any."""
    data = b""
    while True:
        try:
            part = connection.recv(65536)
        except socket.timeout:
            if not silent:
                raise
            silent()
            continue
        if not part:
            return
        *lines, data = (data + part).split(b"\n")
        yield from lines


class Judgement:
    """What a session means: `outcome` is pass, fail, error or skip; `findings` say why, as data."""

    def __init__(self, result):
        self.outcome, self.findings = result["outcome"], result["findings"]
        self.expectations = result["expectations"]

    def __str__(self):
        return "\n".join([self.outcome] + [f"  {finding['message']}" for finding in self.findings])


class Session(contextlib.AbstractContextManager):
    """Endpoints with faults. Each endpoint is an attribute, and an item of `endpoints`."""

    def __init__(self, arguments):
        self.judgement = self.number = self._control = None
        self._closing = threading.Lock()
        opened = self._ask("open", **arguments)
        self.number, self.name, self.variables = opened["session"], opened["name"], opened["variables"]
        self.endpoints = {endpoint["name"]: Endpoint(endpoint["addresses"][0]) for endpoint in opened["endpoints"]}

    def __getattr__(self, name):
        endpoints = self.__dict__.get("endpoints", {})
        for known in (name, name.replace("_", "-")):
            if known in endpoints:
                return endpoints[known]
        raise AttributeError(f"the session has no endpoint {name}")

    @contextlib.contextmanager
    def _talk(self, command, patience=0.0, silent=None, **arguments):
        """Sends a request without arguments that are None; gives its result, further lines, and what closes it."""
        path = os.environ.get("SYNFAULT_CONTROL")
        if not path:
            raise Unavailable("unavailable", "no synfault is at hand", "run the tests under `synfault exec --`")
        tcp = Endpoint(path[4:]).address if path.startswith("tcp:") else None
        token = os.environ.get("SYNFAULT_TOKEN", "")
        if tcp and not token:
            raise Error("denied", "SYNFAULT_TOKEN is not set or empty", "it has to be synfault's token")
        hello = {"command": "hello", "token": token}
        request = {"command": command, "session": self.number, **arguments}
        with contextlib.ExitStack() as stack:
            try:
                family = socket.AF_UNIX if not tcp else socket.AF_INET6 if ":" in tcp[0] else socket.AF_INET
                control = stack.enter_context(socket.socket(family))
                control.settimeout(PATIENCE + patience)
                control.connect(tcp or path)
                lines = lines_of(control, silent)
                for one in (hello, {key: value for key, value in request.items() if value is not None}):
                    control.sendall(json.dumps(one).encode() + b"\n")
                    reply = json.loads(next(lines, ENDED))
                    if not reply["ok"]:
                        refusal = reply["error"]
                        raise ERRORS.get(refusal["code"], Error)(**refusal)
                yield reply["result"], lines, stack
            except (OSError, ValueError) as error:
                raise Error("ended", f"synfault does not answer at {path}: {error}") from error

    def _ask(self, command, patience=0.0, **arguments):
        """Returns the result of a request. The session ends with the connection of the first one."""
        with self._talk(command, patience, **arguments) as (result, _, stack):
            if command == "open":
                self._control = stack.pop_all()
            return result

    def wait(self, event, endpoint=None, attempt=1, timeout=30.0):
        """Waits until an attempt has had an event: syn, verdict, established, closed …; returns it."""
        return self._ask("wait", timeout, event=event, endpoint=endpoint, attempt=attempt,
                         timeout_ns=int(timeout * 1e9))

    def faults(self, steps, endpoint=None):
        """Replaces the faults of an endpoint; returns the number of the first attempt that gets the new ones."""
        return self._ask("faults", steps=steps, endpoint=endpoint)["attempt"]

    def hold(self, endpoint=None, attempt=None, limit=30.0):
        """Holds an attempt that has not begun, by default the next one, until release(); returns its number."""
        return self._ask("hold", endpoint=endpoint, attempt=attempt, limit_ns=int(limit * 1e9))["attempt"]

    def release(self, attempt, verdict="accept", endpoint=None):
        """Decides about an attempt that is held: accept, refuse, drop or unreachable KIND."""
        self._ask("release", attempt=attempt, verdict=verdict, endpoint=endpoint)

    def restart(self, endpoint=None, duration=None):
        """Begins outages with `from command`, by default all, for some seconds or as the step says; returns how many
        connections they ended."""
        return self._ask("restart", endpoint=endpoint, for_ns=duration and int(duration * 1e9))["ended"]

    def status(self):
        """Returns the endpoints with their attempts so far and how those ended."""
        return self._ask("status")

    def attempts(self, endpoint=None):
        """Returns how many connection attempts there were so far at an endpoint, or at all."""
        return sum(one["attempts"] for one in self.status()["endpoints"] if endpoint in (None, one["name"]))

    def events(self, since=0):
        """Yields all events from a sequence number on."""
        while True:
            reply = self._ask("events", since=since)
            yield from reply["events"]
            if not reply["events"]:
                return
            since = reply["next"]

    def follow(self, since=0):
        """Yields all events from a sequence number on, as they happen, until the session has ended. If they are read
        too late, an event `lost` says how many are missing."""
        following = False
        while not following:
            with self._talk("events", silent=self.status, since=since, follow=True) as (result, lines, _):
                yield from result["events"]
                since, following = result["next"], result["following"]
                for line in lines if following else ():
                    event = json.loads(line)["event"]
                    if event["kind"] == "end":
                        return
                    yield event
        raise Error("ended", "synfault has ended")

    def check(self):
        """Judges what has happened so far."""
        return Judgement(self._ask("check"))

    def close(self):
        """Ends the session and judges it. A second call returns the same judgement."""
        with self._closing:
            if self.judgement is None:
                with self._control:
                    self.judgement = Judgement(self._ask("close"))
            return self.judgement

    def expect_pass(self):
        """Closes the session, and raises unless the client did what was expected."""
        judgement = self.close()
        if judgement.outcome == "fail":
            raise ClientFailed(judgement)
        if judgement.outcome == "error":
            raise Unjudged("unjudged", str(judgement))

    def artefacts(self, directory):
        """Writes files about a closed session; returns their paths: "record", "picture", "capture" if there is one."""
        return self._ask("artefacts", directory=os.path.abspath(directory))

    def __exit__(self, kind, exception, traceback):
        if self.judgement is not None:
            return  # the test has asked for it: what it means is the test's affair
        if kind is None:
            self.expect_pass()
        elif not on_interruption or not on_interruption(self):
            self._control.close()  # `synfault exec` judges it


def open(name=None, file=None, scenario=None, source=None, **faults):  # pylint: disable=redefined-builtin
    """Opens a session: of endpoints, api="refuse x2, accept", or of a scenario in a file or text.

    `source` is YAML, or anything that json.dumps() makes a scenario of.
    """
    if source is not None and not isinstance(source, str):
        source = json.dumps(source)
    endpoints = [{"name": key.replace("_", "-"), "faults": steps} for key, steps in faults.items()]
    file = os.path.abspath(file) if file else None
    return Session({"name": name, "endpoints": endpoints or None, "file": file, "scenario": scenario, "source": source})
