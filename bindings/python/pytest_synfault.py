# SPDX-License-Identifier: MIT
"""The fixture `faults` and the marker of the same name, for tests under `synfault exec -- pytest`.

    @pytest.mark.faults(api="refuse x2, accept")
    def test_retries(faults):
        assert Client(faults.api).get("/").status == 200

    def test_two(faults):
        session = faults(api="drop", name="black hole")

When the test has passed, each session that it did not close is judged: a failure of the client
fails the test with the findings; an unknown outcome is an error, as is any synfault.Error that the
test raises. What the machine can't do skips it. A session of `with synfault.open(…)` whose block an
exception has ended is judged so, too: a `pytest.raises` around it hides no judgement.
"""

import os

import pytest
import synfault

__tracebackhide__ = True  # pytest shows the test's own lines


class Faults:
    """Opens sessions for one test; endpoints of the marker's session are attributes."""

    def __init__(self, name):
        self.name, self.sessions, self.session = name, [], None
        self.passed, self.error = False, None
        self.interrupted, self.process_id = [], os.getpid()

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

    def on_interruption(self, session):
        """Closes a session whose block an exception has ended. A child process has only a copy of the list."""
        if os.getpid() != self.process_id:
            return False
        try:
            self.interrupted.append(session.close())
        except synfault.Error as error:  # it would hide the exception that ends the block
            self.interrupted.append(error)
        return True

    def close(self):
        """Closes what the test did not close; returns judgements, also of what an exception has ended. `error` is why
        there is none."""
        ends, self.interrupted = self.interrupted, []
        for session in self.sessions:
            try:
                ends += [session.close()] if session.judgement is None else []
            except synfault.Error as error:
                ends.append(error)
        self.error = self.error or next((end for end in ends if isinstance(end, synfault.Error)), None)
        return [end for end in ends if isinstance(end, synfault.Judgement)]

    def judge(self):
        """Fails the test if a client failed; an unknown outcome becomes the `error`."""
        judgements = self.close()
        failed = [str(judgement) for judgement in judgements if judgement.outcome == "fail"]
        unknown = [str(judgement) for judgement in judgements if judgement.outcome == "error"]
        if failed:
            pytest.fail("\n".join(failed), pytrace=False)
        if unknown and not self.error:
            self.error = synfault.Unjudged("unjudged", "\n".join(unknown))

    def explain(self, item):
        """Adds judgements to the report of a test that has failed already."""
        for judgement in self.close():
            item.add_report_section("teardown", "synfault", str(judgement))


def pytest_configure(config):
    config.addinivalue_line("markers", "faults(**endpoints): open a session with these faults for the test")


def pytest_unconfigure():
    synfault.on_interruption = None


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_setup(item):
    """Comes before all others, which may skip."""
    item.synfault = Faults(item.nodeid)
    synfault.on_interruption = item.synfault.on_interruption
    yield


@pytest.fixture
def faults(request):
    """Opens sessions with connection faults; see the documentation of synfault."""
    own, marker = request.node.synfault, request.node.get_closest_marker("faults")
    own.session = own(**marker.kwargs) if marker and marker.kwargs else None
    yield own
    if not own.passed:  # else pytest_runtest_teardown() judges
        own.explain(request.node)


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """What synfault can't do fails no test: it becomes an error of the teardown."""
    outcome = yield
    if outcome.excinfo and isinstance(outcome.excinfo[1], synfault.Error):
        pyfuncitem.synfault.error = outcome.excinfo[1]
        outcome.force_result(True)


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item):
    """Comes after the test itself, unless that has failed."""
    own = item.synfault
    if isinstance(own.error, synfault.Unavailable):
        reason, own.error = own.error, None
        pytest.skip(str(reason))
    own.passed = True
    own.judge()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item):
    """Comes after the teardown of fixtures, which may have ended blocks, too."""
    own = item.synfault
    synfault.on_interruption = None  # from now on `synfault exec` judges
    if own.passed:
        own.judge()
    else:
        own.explain(item)
    if own.error:
        raise own.error
