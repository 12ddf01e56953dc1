"""Puts the steps of all databases into one order. Pure rules.

The databases' clocks may differ, so no step stands before the one that caused it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

InKafka = Literal["there", "expired", "another", "lost"]
"""What is at an event's place: it, nothing any more, another event, or nothing yet."""


class Step(BaseModel):
    """One thing that happened with a lead, or is to happen (`waiting`)."""

    subject: UUID = Field(description="by which of its names")
    at: datetime
    service: str
    kind: str = Field(description="said, parked, erased, submission, step, waiting")
    name: str
    id: UUID | None
    topic: str | None
    sequence: int | None
    partition: int | None
    offset: int | None
    causation_id: UUID | None = Field(description="the event that led to it")
    note: str | None
    after_ms: float | None = Field(None, description="since the step before")
    heard_by: list[str] = Field(default_factory=list[str])
    not_heard_by: list[str] = Field(default_factory=list[str])
    in_kafka: InKafka | None = Field(
        None, description="whether the record is where the archive says; null: not asked"
    )

    @property
    def event(self) -> str:
        """Its name without the version, as people know it."""
        return self.name.rpartition(".v")[0] if self.kind in {"said", "parked"} else self.name


Positions = Mapping[tuple[str, UUID, str], int]
"""The last number that was heard, by topic, subject and hearer."""


def in_order(steps: Sequence[Step]) -> list[Step]:
    """Return what has happened, causes first, each with the time since the step before."""
    past = [step for step in steps if step.kind != "waiting"]
    causes = {step.id: step for step in past if step.kind == "said" and step.id}
    ordered = sorted(past, key=lambda step: (_not_before_cause(step, causes), step.sequence or 0))
    return [
        step.model_copy(update={"after_ms": _milliseconds(before, step)})
        for before, step in zip([None, *ordered], ordered, strict=False)
    ]


def heard(step: Step, positions: Positions, hearers: Sequence[str]) -> Step:
    """Return the step with who has heard it, and who has not."""
    if step.kind != "said" or step.topic is None or step.sequence is None:
        return step
    topic, sequence = step.topic, step.sequence
    have = [name for name in hearers if positions.get((topic, step.subject, name), 0) >= sequence]
    rest = [name for name in hearers if name not in have]
    return step.model_copy(update={"heard_by": have, "not_heard_by": rest})


def to_come(steps: Sequence[Step]) -> list[Step]:
    """Return what waits for its time, the first first."""
    return sorted((step for step in steps if step.kind == "waiting"), key=lambda step: step.at)


def _not_before_cause(
    step: Step, causes: Mapping[UUID, Step], depth: int = 50
) -> tuple[datetime, int]:
    """Return where a step stands: at its time, or right after a cause that seems to be later."""
    cause = causes.get(step.causation_id) if step.causation_id else None
    if cause is None or cause is step or depth == 0:
        return step.at, 0
    moment, after = _not_before_cause(cause, causes, depth - 1)
    return (step.at, 0) if step.at > moment else (moment, after + 1)


def _milliseconds(before: Step | None, step: Step) -> float | None:
    return round((step.at - before.at).total_seconds() * 1000, 3) if before else None
