"""What the audit found, for people and programs."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from handoff.audit.behind import State
from shared.contracts.catalogue import Topic


class Behind(BaseModel):
    """One subject's stream that a hearer is not level with."""

    subject: UUID = Field(description="the lead's id, or a rep's")
    topic: str
    publisher: str
    hearer: str
    said: int
    heard: int
    state: State
    detail: str | None = None


class Pair(BaseModel):
    """One topic and one of its hearers."""

    topic: str
    publisher: str
    hearer: str
    subjects: int = Field(description="how many streams were said")
    said: int = Field(description="how many events were said that this hearer has to hear")
    heard: int = Field(description="how many of them were heard")
    parked: int = Field(description="how many events are parked there")
    behind: dict[State, int] = Field(description="streams that are not level, by why")


class Report(BaseModel):
    """The whole audit."""

    balanced: bool = Field(description="every stream is level, or parked")
    checked_at: datetime
    kafka_answered: bool
    pairs: list[Pair]
    behind: list[Behind]


def count(
    topic: Topic, hearer: str, *, subjects: int, said: int, parked: int, behind: Sequence[Behind]
) -> Pair:
    """Return the numbers of one hearer of a topic: what is behind was not heard, the rest was."""
    unheard = sum(max(0, each.said - each.heard) for each in behind)
    return Pair(
        topic=topic.name,
        publisher=topic.publisher,
        hearer=hearer,
        subjects=subjects,
        said=said,
        heard=said - unheard,
        parked=parked,
        behind=dict(Counter(each.state for each in behind)),
    )


def unheard(report: Report, among: Collection[UUID]) -> int:
    """Return how many streams of these subjects are neither level nor parked."""
    odd = (each for each in report.behind if each.state is not State.PARKED)
    return sum(each.subject in among for each in odd)


def is_balanced(behind: Sequence[Behind]) -> bool:
    """Tell whether nothing but parked streams is behind."""
    return all(each.state is State.PARKED for each in behind)
