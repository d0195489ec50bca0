"""What all tests share: the backends, and the rule that on CI nothing may be skipped for want of one."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from typing import NoReturn, TypeVar

import pytest

from lab.backends import engine
from lab.backends.docker import Docker
from lab.backends.embedded import Embedded
from lab.backends.processes import Processes, open_processes
from lab.backends.stage import Backend
from lab.servers import REFERENCE

BACKENDS = ("embedded", "docker")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which backends scenarios are played on."""
    parser.addoption("--backend", choices=BACKENDS, help="play scenarios on this backend only; by default on both")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test body for all backends."""
    if "backend" in metafunc.fixturenames:
        only = metafunc.config.getoption("--backend")
        metafunc.parametrize("backend", [only] if only else BACKENDS, indirect=True, scope="session")


def require(what: str, missing: str) -> NoReturn:
    """Skip for want of something; fail where LAB_REQUIRE says that it must be there."""
    if what in os.environ.get("LAB_REQUIRE", "").split(","):
        pytest.fail(f"{what} is required here, and {missing}")
    pytest.skip(missing)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where LAB_REQUIRE says what must be there, a test that is skipped, or fails as expected, has failed."""
    report = yield
    return _not_skipped(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself, too."""
    report = yield
    return _not_skipped(report)


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _not_skipped(report: Report) -> Report:
    if report.skipped and os.environ.get("LAB_REQUIRE"):
        report.outcome, report.longrepr = "failed", f"nothing may be skipped here: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_is_heard() -> None:
    """Whoever is started in the background by a shell ignores Ctrl-C, and so would all that tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def docker_engine() -> engine.Engine:
    """An engine that answers."""
    found = engine.find()
    if not isinstance(found, engine.Engine):
        require("docker", found)
    return found


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    """One fork server for the whole session."""
    started = open_processes()
    started.open()
    yield started
    started.close()


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A backend that is open, kept for all scenarios that are played on it."""
    if request.param == "docker":
        opened: Backend = Docker(request.getfixturevalue("docker_engine"), REFERENCE, "rfc6455")
    else:
        opened = Embedded(processes=request.getfixturevalue("processes"))
    try:
        opened.open()
        yield opened
    finally:
        if request.param == "docker":
            opened.close()
