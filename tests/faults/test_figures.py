"""What a run of fault tests tells of itself: figures of what held, and whether it killed enough."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.faults import figures
from tests.faults.figures import KILLS, Keeper, Within

FILES = [path.name for path in Path(__file__).parent.glob("test_*.py")]


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Keeper:
    monkeypatch.setattr(figures, "write", lambda _table, _found: None)
    return Keeper()


def report(file: str, when: Any, outcome: Any, told: tuple[str, object]) -> pytest.TestReport:
    return pytest.TestReport(
        f"tests/faults/{file}::test", (file, 0, "test"), {}, outcome, None, when,
        user_properties=[told],
    )  # fmt: skip


def finished(keeper: Keeper, *, only: str = "") -> object:
    """Let the run end well; return how it ended after that."""
    session: Any = SimpleNamespace(
        exitstatus=pytest.ExitCode.OK, config=SimpleNamespace(option=SimpleNamespace(keyword=only))
    )
    keeper.pytest_sessionfinish(session)
    return session.exitstatus


@pytest.mark.parametrize(("full", "asserted"), [("1", 5), ("", 10)], ids=["full", "small"])
def test_full_size_asserts_the_goal_itself_and_a_small_run_the_bound_that_the_goal_tells(
    monkeypatch: pytest.MonkeyPatch, full: str, asserted: float
) -> None:
    monkeypatch.setenv("HANDOFF_FULL", full)

    assert Within(5).here == asserted
    assert str(Within(5)) == "≤ 5, small 10"


@pytest.mark.parametrize(("outcome", "found"), [("passed", 1), ("failed", 0)])
def test_only_what_held_leaves_a_figure(keeper: Keeper, outcome: str, found: int) -> None:
    told = ("figure", ("faults", "seconds", "≤ 30", "31"))
    keeper.pytest_runtest_logreport(report("test_one.py", "call", outcome, told))

    assert len(keeper.found) == found


@pytest.mark.parametrize(
    ("kills", "files", "only", "ended"),
    [
        (1, FILES, "", pytest.ExitCode.TESTS_FAILED),
        (5_000, FILES, "", pytest.ExitCode.OK),
        (1, FILES[1:], "", pytest.ExitCode.OK),
        (1, FILES, "storm", pytest.ExitCode.OK),
    ],
    ids=["too few", "enough", "not all files", "not all tests"],
)
def test_a_whole_run_that_killed_too_little_fails(
    keeper: Keeper, kills: int, files: list[str], only: str, ended: object
) -> None:
    for file in files:
        keeper.pytest_runtest_logreport(report(file, "teardown", "passed", (KILLS, kills)))

    assert finished(keeper, only=only) == ended
