# SPDX-License-Identifier: MIT
"""The fixture `faults` and the marker of the same name, for tests under `synfault exec -- pytest`.

    @pytest.mark.faults(api="refuse x2, accept")
    def test_retries(faults):
        assert Client(faults.api).get("/").status == 200

    def test_two(faults):
        session = faults(api="drop", name="black hole")

When the test has passed, each session that it did not close is judged: a failure of the client
fails the test with the findings; an unknown outcome is an error, as is any synfault.Error that the
test raises. What the machine can't do skips it.
"""

import pytest
import synfault

__tracebackhide__ = True  # pytest shows the test's own lines


class Faults:
    """Opens sessions for one test; endpoints of the marker's session are attributes."""

    def __init__(self, name, marked):
        self.name, self.sessions, self.error = name, [], None
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
        """Closes what the test did not close; returns judgements. `error` is why there is none."""
        judgements = []
        for session in self.sessions:
            try:
                judgements += [session.close()] if session.judgement is None else []
            except synfault.Error as error:
                self.error = self.error or error
        return judgements


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
    if own.error:
        raise own.error
    for judgement in judgements:  # the test has failed already: this explains it
        request.node.add_report_section("teardown", "synfault", str(judgement))


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """What synfault can't do fails no test: it becomes an error of the teardown."""
    outcome = yield
    own = getattr(pyfuncitem, "synfault", None)
    if own and outcome.excinfo and isinstance(outcome.excinfo[1], synfault.Error):
        own.error = outcome.excinfo[1]
        outcome.force_result(True)


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item):
    """Comes after the test itself, unless that has failed."""
    own = getattr(item, "synfault", None)
    judgements = own.close() if own else []
    failed = [str(judgement) for judgement in judgements if judgement.outcome == "fail"]
    unknown = [str(judgement) for judgement in judgements if judgement.outcome == "error"]
    if failed:
        pytest.fail("\n".join(failed), pytrace=False)
    if unknown and not own.error:
        own.error = synfault.Unjudged("unjudged", "\n".join(unknown))
