"""The engine, the images and the composed system, for all tests of `deploy/` that ask for them."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from tests.deploy import images
from tests.deploy.composed import Composed, composed_system
from tests.deploy.engine import Engine, an_engine

from handoff.embedded.machine import Missing

_SKIPPED = "NOT TESTED: "


@contextmanager
def _or_skipped() -> Generator[None]:
    """Skip the tests that want what this machine lacks, and say so."""
    try:
        yield
    except Missing as reason:
        pytest.skip(f"{_SKIPPED}{reason}")


@pytest.fixture(scope="session")
def engine() -> Generator[Engine]:
    """A Docker engine; where there is none, the test is skipped and says so."""
    with _or_skipped(), an_engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def built(engine: Engine) -> Engine:
    """The engine with the project's images."""
    with _or_skipped():
        images.build(engine)
    return engine


@pytest.fixture(scope="session")
def composed(built: Engine, tmp_path_factory: pytest.TempPathFactory) -> Generator[Composed]:
    """The whole system as `make compose-up` starts it, on volumes, secrets and ports of its own."""
    with _or_skipped(), composed_system(built, tmp_path_factory.mktemp("secrets")) as system:
        yield system


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say last, and so that nobody reads past it, what this machine could not try."""
    reports = terminalreporter.getreports("skipped")
    reasons = Counter(
        report.longrepr[2].rpartition(_SKIPPED)[2]
        for report in reports
        if isinstance(report.longrepr, tuple) and _SKIPPED in report.longrepr[2]
    )
    if reasons:
        terminalreporter.section("NOT TESTED", red=True, bold=True)
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} tests: {reason}", red=True)
