# SPDX-License-Identifier: MIT
"""An example: the retries of a small client, under `synfault exec -- pytest`.

A conftest.py beside it has the line `pytest_plugins = ["pytest_synfault"]`, unless the plugin is installed.
EXAMPLE_RETRIES is how often the client retries; with less than 2 it is wrong, and tests fail.
"""

import concurrent.futures
import json
import os
import socket
import time
import urllib.request

import pytest

RETRIES = int(os.environ.get("EXAMPLE_RETRIES", "3"))


def fetch(address, timeout=1.0):
    """The client under test: retries what is refused, drops and resets included."""
    for attempt in range(RETRIES + 1):
        try:
            with urllib.request.urlopen(f"http://{address}/", timeout=timeout) as reply:
                return reply.status
        except OSError:
            if attempt < RETRIES:
                time.sleep(0.05)
    return None


@pytest.mark.faults(api="refuse x2, accept")
def test_refusals_are_retried(faults):
    assert fetch(faults.api) == 200
    assert faults.session.attempts("api") == 3


SCENARIO = {
    "name": "three attempts and no more",
    "endpoints": {"api": {"faults": ["refuse x2", "accept"]}},
    "expect": {"attempts": 3},
}


@pytest.mark.faults(source=json.dumps(SCENARIO))
def test_scenario_is_judged_when_the_test_has_ended(faults):
    fetch(faults.api)


def test_sessions_are_side_by_side(faults):
    hole, server = faults(api="drop"), faults(api="accept")
    with pytest.raises(socket.timeout):
        socket.create_connection(hole.api.address, timeout=0.2)
    assert fetch(server.api) == 200
    assert hole.attempts() == 1
    assert server.close().outcome == "pass"


@pytest.mark.faults(api="refuse")
def test_faults_can_be_replaced_and_attempts_held(faults):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(faults.api.address)
    faults.session.faults("accept")
    socket.create_connection(faults.api.address).close()
    held = faults.session.hold()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        connecting = pool.submit(socket.create_connection, faults.api.address, 5)
        faults.session.wait("syn", attempt=held)
        assert not connecting.done()
        faults.session.release(held, "refuse")
        assert isinstance(connecting.exception(), ConnectionRefusedError)


@pytest.mark.faults(api="restart 1s from command, accept")
def test_outages_begin_at_a_command(faults):
    with socket.create_connection(faults.api.address) as connection:
        faults.session.wait("established")
        assert faults.session.restart(duration=0.1) == 1
        for event in faults.session.follow():  # those so far, then further ones as they happen
            if event["kind"] == "fault":
                break
        assert (event["fault"], event["number"]) == ("reset", 1)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


@pytest.mark.faults(api="accept")
def test_artefacts_are_written_after_the_end(faults, tmp_path):
    assert fetch(faults.api) == 200
    assert faults.session.close().outcome == "pass"
    artefacts = faults.session.artefacts(tmp_path)
    assert os.path.exists(artefacts["record"]) and os.path.exists(artefacts["picture"])


@pytest.mark.faults(source="name: named\nendpoints: {api: {hostname: api.example.test}}\n")
def test_what_is_impossible_here_is_skipped(faults):
    assert fetch(faults.api) == 200
