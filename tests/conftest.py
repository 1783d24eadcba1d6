"""What all tests share: the rule for skipping, and that Ctrl-C can be tried."""

import os
import signal

import pytest


def pytest_configure() -> None:
    """Ctrl-C reaches what the tests start even where it was switched off, as in `nohup nox -s tests &`."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # children would inherit that
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With KIT_NO_SKIPS=1 a skipped test fails the run, as CI has every engine and CIFAR-100.

    KIT_MAY_SKIP names what may be missing all the same: a word of the reason for skipping.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("KIT_NO_SKIPS") != "1" or reporter is None:
        return
    allowed = os.environ.get("KIT_MAY_SKIP")
    for report in reporter.stats.get("skipped", []):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if not (allowed and allowed in reason):
            reporter.write_line(f"KIT_NO_SKIPS=1, but {report.nodeid} was skipped: {reason}", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
