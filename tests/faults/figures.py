"""The figures that tests leave: printed at the end of a run, and kept in `docs/figures.md`.

A test says `figure("what", value, goal="…")`; its directory is the name of the table, unless it
names another. A run at full size (`HANDOFF_FULL=1`, as `make faults` sets it) writes one column, a
small one the other; rows are kept by name.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

Figure = Callable[..., None]
_HERE = Path(__file__).resolve().parent
_PLACE = _HERE.parents[1] / "docs" / "figures.md"
_HEADS = {
    "faults": "| Figure | Goal | `make test` | `make faults` |",
    "crowds": "| Figure | Goal | `make test` | `make hostile` |",
    "deploy": "| Figure | Goal | `make test-images` | `make integration-in-containers` |",
    "load": "| Figure | Goal | `make test` | `HANDOFF_FULL=1 make load` |",
    "poison": "| One in a hundred | Goal | `make test` | `HANDOFF_FULL=1 make load` |",
    "speed": "| Figure | Goal | `make test` | `HANDOFF_FULL=1 make load` |",
}
_RULE = "|---|---|---|---|"
_NAME = "figure"
KILLS = "kills"
Row = tuple[str, str, str, str]
"""What, the goal, and what was measured in a small run and in a full one."""
Found = tuple[str, str, str, str]
"""The table, what, the goal, and what was measured."""


def is_full() -> bool:
    """Tell whether this run is of full size."""
    return bool(os.environ.get("HANDOFF_FULL"))


def sized(small: int, full: int) -> int:
    """Return how much of something this run does."""
    return full if is_full() else small


SMALL_TIMES = 2
"""A small run shares few cores with much else, so of a clock it asserts so many times the goal."""


@dataclass(frozen=True, slots=True)
class Within:
    """A goal for what goes by the clock; as text it says both of its bounds."""

    goal: float

    @property
    def here(self) -> float:
        """What this run asserts: at full size the goal itself."""
        return self.goal * sized(SMALL_TIMES, 1)

    def __str__(self) -> str:
        """Return the text of the goal's column."""
        return f"≤ {self.goal:g}, small {self.goal * SMALL_TIMES:g}"


_KILLS, _GOAL = sized(200, 2_000), "≥ 200, in full 2,000"


def pytest_configure(config: pytest.Config) -> None:
    """Keep the figures of the run; xdist's workers hand theirs to the controller."""
    controls = not hasattr(config, "workerinput")
    if controls and not config.pluginmanager.has_plugin("figures"):
        config.pluginmanager.register(Keeper(), "figures")


@pytest.fixture
def figure(
    record_property: Callable[[str, object], None], request: pytest.FixtureRequest
) -> Figure:
    """Give what keeps a figure."""
    usual = request.path.parent.name

    def keep(what: str, value: object, *, goal: str | Within, table: str = usual) -> None:
        text = f"{value:,.3g}" if isinstance(value, float) else str(value)
        record_property(_NAME, (table, what, str(goal), text))

    return keep


class Keeper:
    """Collects the figures of a run; with several workers only the controller's is used."""

    def __init__(self) -> None:
        """Begin with none."""
        self.found: list[Found] = []
        self.kills = 0
        self.files: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test left; a test that failed leaves its kills alone."""
        told = report.user_properties
        self.files.add(Path(report.fspath).name)
        if report.when == "call" and report.passed:
            self.found += [tuple(value) for name, value in told if name == _NAME]
        if report.when == "teardown":
            self.kills += sum(int(str(value)) for name, value in told if name == KILLS)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a whole run that killed less than is promised, and write the figures down."""
        whole = self.files >= {path.name for path in _HERE.glob("test_*.py")}
        if whole and not session.config.option.keyword:
            self.found.append(("faults", "SIGKILLs in the whole run", _GOAL, f"{self.kills:,}"))
            if self.kills < _KILLS and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        for table in {found[0] for found in self.found}:
            write(table, self.found)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print them."""
        if self.found:
            terminalreporter.section("figures")
        for _, what, goal, value in self.found:
            terminalreporter.write_line(f"{what}: {value}   (goal: {goal})")


def write(table: str, found: Sequence[Found], place: Path = _PLACE) -> None:
    """Bring a table of `docs/figures.md` up to date."""
    begin, end = f"<!-- {table}: begin -->", f"<!-- {table}: end -->"
    before, _, rest = place.read_text().partition(begin)
    known, _, after = rest.partition(end)
    rows = {row[0]: row for row in _rows(known)}
    for of, what, goal, value in found:
        _, _, small, full = rows.get(what, (what, goal, "", ""))
        if of == table:
            rows[what] = (what, goal, *((small, value) if is_full() else (value, full)))
    lines = [_HEADS[table], _RULE, *(f"| {' | '.join(rows[name])} |" for name in sorted(rows))]
    place.write_text("\n".join([f"{before}{begin}", *lines, f"{end}{after}"]))


def _rows(table: str) -> list[Row]:
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [(what, goal, small, full) for what, goal, small, full in cells]
