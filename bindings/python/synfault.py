# SPDX-License-Identifier: MIT
"""Injects connection faults from a test's own code, under `synfault exec`.

    with synfault.open(api="refuse x2, accept") as session:
        client.get(f"http://{session.api}/")
        session.wait("established", attempt=3)
    assert session.judgement.outcome == "pass"

Each session has a connection of its own to the control socket (docs/protocol.md of synfault), so
sessions can be used by several threads side by side; one session at a time by one thread.
"""

import contextlib
import json
import os
import socket

PROTOCOL = 2
PATIENCE = 60  # seconds to wait for a reply, in addition to what is waited for


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


ERRORS = {"unavailable": Unavailable, "timed-out": TimedOut}


class Endpoint(str):
    """The address of an endpoint, "host:port", as a text; with its parts."""

    def __new__(cls, address):
        self = super().__new__(cls, address)
        host, port = address.rsplit(":", 1)
        self.host, self.port = host.strip("[]"), int(port)
        self.address = (self.host, self.port)
        return self


class Judgement:
    """What a session means: `outcome` is pass, fail, error or skip; `findings` say why, as data."""

    def __init__(self, result):
        self.outcome, self.findings = result["outcome"], result["findings"]
        self.expectations = result["expectations"]

    def __str__(self):
        return "\n".join([self.outcome] + [f"  {finding['message']}" for finding in self.findings])


class Session:
    """Endpoints with faults. Each endpoint is an attribute, and an item of `endpoints`."""

    def __init__(self, arguments):
        path = os.environ.get("SYNFAULT_CONTROL")
        if not path:
            raise Unavailable("unavailable", "no synfault is at hand", "run the tests under `synfault exec --`")
        self.judgement = None
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(path)
        except OSError as error:
            raise Error("ended", f"synfault does not listen at {path}: {error.strerror}") from error
        self._lines = self._socket.makefile("r", encoding="utf-8")
        try:
            opened = self._ask("open", **arguments)
        except BaseException:
            self._disconnect()
            raise
        self.number, self.name, self.variables = opened["session"], opened["name"], opened["variables"]
        self.endpoints = {endpoint["name"]: Endpoint(endpoint["addresses"][0]) for endpoint in opened["endpoints"]}

    def __getattr__(self, name):
        endpoints = self.__dict__.get("endpoints", {})
        for known in (name, name.replace("_", "-")):
            if known in endpoints:
                return endpoints[known]
        raise AttributeError(f"the session has no endpoint {name}")

    def _ask(self, command, patience=0.0, **arguments):
        try:
            self._socket.settimeout(PATIENCE + patience)
            self._socket.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
            line = self._lines.readline()
        except OSError as error:
            raise Error("ended", f"synfault does not answer: {error}") from error
        except BaseException:
            # A late reply would be taken for that of the next request.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            raise
        if not line:
            raise Error("ended", "synfault has ended")
        reply = json.loads(line)
        if reply["ok"]:
            return reply["result"]
        error = reply["error"]
        raise ERRORS.get(error["code"], Error)(error["code"], error["text"], error.get("remedy"))

    def wait(self, event, endpoint=None, attempt=1, timeout=30.0):
        """Waits until an attempt has had an event: syn, verdict, established, closed …; returns it."""
        arguments = {"endpoint": endpoint} if endpoint else {}
        return self._ask("wait", timeout, session=self.number, event=event, attempt=attempt,
                         timeout_ns=int(timeout * 1e9), **arguments)

    def faults(self, steps, endpoint=None):
        """Replaces the faults of an endpoint; returns the number of the first attempt that gets the new ones."""
        where = {"endpoint": endpoint} if endpoint else {}
        return self._ask("faults", session=self.number, steps=steps, **where)["attempt"]

    def hold(self, endpoint=None, attempt=None, limit=30.0):
        """Holds an attempt that has not begun, by default the next one, until release(); returns its number."""
        where = {"endpoint": endpoint, "attempt": attempt}
        return self._ask("hold", session=self.number, limit_ns=int(limit * 1e9),
                         **{key: value for key, value in where.items() if value is not None})["attempt"]

    def release(self, attempt, verdict="accept", endpoint=None):
        """Decides about an attempt that is held: accept, refuse, drop or unreachable KIND."""
        where = {"endpoint": endpoint} if endpoint else {}
        self._ask("release", session=self.number, attempt=attempt, verdict=verdict, **where)

    def status(self):
        """Returns the endpoints with their attempts so far and how those ended."""
        return self._ask("status", session=self.number)

    def attempts(self, endpoint=None):
        """Returns how many connection attempts there were so far at an endpoint, or at all."""
        return sum(one["attempts"] for one in self.status()["endpoints"] if endpoint in (None, one["name"]))

    def events(self, since=0):
        """Yields all events from a sequence number on."""
        while True:
            reply = self._ask("events", session=self.number, since=since)
            yield from reply["events"]
            if not reply["events"]:
                return
            since = reply["next"]

    def check(self):
        """Judges what has happened so far."""
        return Judgement(self._ask("check", session=self.number))

    def close(self):
        """Ends the session and judges it. A second call returns the same judgement."""
        if self.judgement is None:
            try:
                self.judgement = Judgement(self._ask("close", session=self.number))
            finally:
                self._disconnect()
        return self.judgement

    def _disconnect(self):
        self._lines.close()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.judgement is None:
            self.close()


def open(name=None, file=None, scenario=None, source=None, **faults):  # pylint: disable=redefined-builtin
    """Opens a session: of endpoints, api="refuse x2, accept", or of a scenario in a file or text.

    `source` is YAML, or anything that json.dumps() makes a scenario of.
    """
    if source is not None and not isinstance(source, str):
        source = json.dumps(source)
    endpoints = [{"name": key.replace("_", "-"), "faults": steps} for key, steps in faults.items()]
    file = os.path.abspath(file) if file else None
    arguments = {"name": name, "endpoints": endpoints or None, "file": file, "scenario": scenario, "source": source}
    return Session({key: value for key, value in arguments.items() if value is not None})
