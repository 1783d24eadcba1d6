"""What all tests share: their order and choice, the rule for skipping, and that Ctrl-C can be tried."""

import os
import signal
from typing import Any

import pytest

from tests import scheduling

QUICK = """quick: left out are the tests marked slow and those in podman and docker, which are
  trainings and whole grading runs, limits that are filled, attacks on sandboxes, all mutants of a check but
  one, the readers of CIFAR-100, figures and reports, DVC's pipeline
run all of them: nox -s tests"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--quick`, for while one works."""
    parser.addoption("--quick", action="store_true", help="what breaks first, in 90 seconds")


def pytest_configure() -> None:
    """Ctrl-C reaches what the tests start even where it was switched off, as in `nohup nox -s tests &`."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # children would inherit that
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header(config: pytest.Config) -> str | None:
    """What `--quick` leaves out."""
    return QUICK if config.option.quick else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what `--quick` leaves out, and puts the groups that start first in front."""
    if config.option.quick:
        left_out = [item for item in items if item.get_closest_marker("slow") or _in_a_container(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: scheduling.rank(scheduling.group(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many workers as cores, but no more than there are long groups to share out."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Workers take groups of tests, in the order in which they were collected."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scheduling.group(nodeid)

    config.option.loadscopereorder = False
    return Groups(config, log)


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


def _in_a_container(item: pytest.Item) -> bool:
    """Whether a test is one for podman or docker."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and not {"podman", "docker"}.isdisjoint(
        value for value in callspec.params.values() if isinstance(value, str)
    )
