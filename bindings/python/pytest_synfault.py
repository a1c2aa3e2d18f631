# SPDX-License-Identifier: MIT
"""The fixture `faults` and the marker of the same name, for tests under `synfault exec -- pytest`.

    @pytest.mark.faults(api="refuse x2, accept")
    def test_retries(faults):
        assert Client(faults.api).get("/").status == 200

    def test_two(faults):
        session = faults(api="drop", name="black hole")

When the test has passed, each session that it did not close is judged: a failure of the client
fails the test with the findings; an unknown outcome is an error. What the machine can't do skips it.
"""

import pytest
import synfault


class Faults:
    """Opens sessions for one test; endpoints of the marker's session are attributes."""

    def __init__(self, name, marked):
        self.name, self.sessions, self.unjudged = name, [], None
        self.session = self(**marked) if marked else None

    def __call__(self, name=None, **arguments):
        try:
            session = synfault.open(name=name or self.name, **arguments)
        except synfault.Unavailable as reason:
            pytest.skip(str(reason))
        self.sessions.append(session)
        return session

    def __getattr__(self, name):
        session = self.__dict__.get("session")
        if session is None:
            raise AttributeError(f"no endpoint {name}: the test has no marker faults")
        return getattr(session, name)

    def close(self):
        """Closes what is open; returns the judgements of the sessions that the test did not close."""
        return [session.close() for session in self.sessions if session.judgement is None]


def pytest_configure(config):
    config.addinivalue_line("markers", "faults(**endpoints): open a session with these faults for the test")


@pytest.fixture
def faults(request):
    """Opens sessions with connection faults; see the documentation of synfault."""
    marker = request.node.get_closest_marker("faults")
    own = Faults(request.node.nodeid, marker.kwargs if marker else None)
    request.node.synfault = own  # for pytest_runtest_call()
    yield own
    judgements = own.close()
    if own.unjudged:
        raise synfault.Unjudged("unjudged", own.unjudged)
    for judgement in judgements:  # the test has failed already: this explains it
        request.node.add_report_section("teardown", "synfault", str(judgement))


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item):
    """Comes after the test itself, if that has passed."""
    own = getattr(item, "synfault", None)
    try:
        judgements = own.close() if own else []
    except synfault.Error as error:
        own.unjudged, judgements = str(error), []
    failed = [str(judgement) for judgement in judgements if judgement.outcome == "fail"]
    unknown = [str(judgement) for judgement in judgements if judgement.outcome == "error"]
    if failed:
        pytest.fail("\n".join(failed), pytrace=False)
    if unknown:
        own.unjudged = "\n".join(unknown)
