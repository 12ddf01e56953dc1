"""The figures: what each is called, what is good enough, and what a run made of it. Pure.

How each is measured is written in `docs/benchmarks.md`.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, computed_field

Verdict = Literal["aim", "goal", "half", "missed"]
"""The best that the median reaches: the aim, the goal, half of the goal, or not even that."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a figure is.

    Attributes:
        less: whether less is better.
        clock: whether it depends on how fast and how quiet the machine is.
    """

    name: str
    text: str
    unit: str = ""
    goal: float | None = None
    aim: float | None = None
    less: bool = False
    clock: bool = True

    def verdict(self, median: float) -> Verdict | None:
        """Judge a median; None where no goal is set."""
        if self.goal is None:
            return None
        if self.aim is not None and self._reaches(median, self.aim):
            return "aim"
        if self._reaches(median, self.goal):
            return "goal"
        return "half" if self._reaches(median, self.goal * (2 if self.less else 0.5)) else "missed"

    def says(self, bound: float | None) -> str:
        """Return a bound as text."""
        return "" if bound is None else f"{'≤' if self.less else '≥'} {bound:g}{self.unit_after}"

    @property
    def unit_after(self) -> str:
        """The unit as it is written after a number."""
        return f" {self.unit}" if self.unit else ""

    def _reaches(self, median: float, bound: float) -> bool:
        return median <= bound if self.less else median >= bound


KINDS = (
    Kind("accept_c64", "stored and answered, 64 at once, ÷ the no-op", goal=0.60, aim=0.9),
    Kind("accept_c1", "stored and answered, one at a time, ÷ the no-op", goal=0.30),
    Kind("accept_of_orm", "stored and answered, 64 at once, ÷ the ORM way", goal=5, aim=8),
    Kind("tail_c16", "p99 ÷ p50 of the answer, 16 at once", goal=5, aim=3, less=True),
    Kind("commits", "commits per 1,000 leads, 64 at once", goal=150, aim=60,
         less=True, clock=False),
    Kind("capture_statements", "statements a capture batch", goal=1, less=True, clock=False),
    Kind("postgres_cpu", "Postgres CPU a stored lead ÷ the ORM way's", goal=0.25, aim=0.12,
         less=True, clock=False),
    Kind("walk", "whole walk, POST to task, ÷ the no-op", goal=0.15, aim=0.25),
    Kind("task_p50", "POST to task at 100 leads/s, p50", "ms", goal=150, aim=75, less=True),
    Kind("task_p99", "POST to task at 100 leads/s, p99", "ms", goal=500, aim=200, less=True),
    Kind("lone_lead", "POST to task of a lone lead", "ms", goal=150, less=True),
    Kind("idle_cpu", "idle, the busiest service (api + worker)", "core", goal=0.05, less=True),
    Kind("idle_memory", "memory, the largest service (api + worker)", "MB", goal=200, less=True),
    Kind("noop_rate", "the no-op, 64 at once", "requests/s"),
    Kind("orm_rate", "the ORM way, 64 at once", "leads/s"),
    Kind("accept_rate", "stored and answered, 64 at once", "leads/s"),
    Kind("accept_p50", "stored and answered, one at a time, p50", "ms"),
    Kind("walk_rate", "whole walk, POST to task", "leads/s"),
    Kind("walk_cpu", "CPU a lead, whole walk, all processes but the client", "µs"),
    Kind("walk_statements", "statements a lead, whole walk, all databases", clock=False),
    Kind("client_late", "how late the client sent at 100 leads/s, p50", "ms"),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}


class Measured(BaseModel):
    """A figure as a run found it: a value for each round."""

    name: str
    text: str
    unit: str
    goal: str
    aim: str
    values: list[float]
    disturbed: int
    verdict: Verdict | None

    @computed_field
    @property
    def min(self) -> float:
        """The least of the rounds' values."""
        return min(self.values)

    @computed_field
    @property
    def median(self) -> float:
        """The median of the rounds' values: what is judged."""
        return statistics.median(self.values)

    @computed_field
    @property
    def max(self) -> float:
        """The highest of the rounds' values."""
        return max(self.values)

    @property
    def best(self) -> float:
        """The value of the best round: what a machine's neighbours did not spoil."""
        return self.min if BY_NAME[self.name].less else self.max

    @property
    def spread(self) -> tuple[str, str, str]:
        """Minimum, median and maximum as people read them."""
        return shown(self.min), shown(self.median), shown(self.max)


@dataclass
class Figures:
    """Takes the values of a run, round by round."""

    _values: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    _disturbed: dict[str, int] = field(default_factory=dict[str, int])

    def note(self, *, disturbed: bool = False, **values: float) -> None:
        """Add a value to each figure named; `disturbed`: neighbours had a part in it."""
        for name, value in values.items():
            self._values.setdefault(BY_NAME[name].name, []).append(value)
            self._disturbed[name] = self._disturbed.get(name, 0) + disturbed

    def measured(self) -> list[Measured]:
        """Return what was measured, in the order of the table."""
        return [
            _measured(kind, self._values[kind.name], self._disturbed[kind.name])
            for kind in KINDS
            if kind.name in self._values
        ]


def shown(value: float) -> str:
    """Return a number with three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004


def failing(
    measured: Sequence[Measured], *, clock: bool, best: bool = False
) -> Mapping[str, float]:
    """Return the medians that no run may have: of clocks below half of the goal, else below it.

    `best`: judge the best round instead. Of a few short ones neighbours spoil some, slow code all.
    """
    bad = ("missed",) if clock else ("missed", "half")
    found = {each.name: each.best if best else each.median for each in measured}
    return {
        name: value
        for name, value in found.items()
        if BY_NAME[name].clock is clock and BY_NAME[name].verdict(value) in bad
    }


def _measured(kind: Kind, values: list[float], disturbed: int) -> Measured:
    return Measured(
        name=kind.name,
        text=kind.text,
        unit=kind.unit,
        goal=kind.says(kind.goal),
        aim=kind.says(kind.aim),
        values=values,
        disturbed=disturbed,
        verdict=kind.verdict(statistics.median(values)),
    )
