"""What the audit found, for people and programs."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field, computed_field

from handoff.audit.behind import KEPT, LOST, State
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
    said_at: datetime | None = Field(
        default=None, description="when the first event that was not heard was said"
    )
    detail: str | None = None


class Broken(BaseModel):
    """One violation of an invariant."""

    invariant: str
    service: str
    subject: UUID = Field(description="the lead's id, or a submission's receipt")
    detail: str | None
    restored: bool = Field(
        default=False, description="the database was restored, and a person was told of this lead"
    )


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


class InKafka(BaseModel):
    """What the topics hold, against what the archives say. Of each fault the first are named."""

    records: int = Field(default=0, description="how many were read")
    holes: int = Field(default=0, description="sent by the archive's word, and not at that place")
    strangers: int = Field(
        default=0, description="records that no database knows, or without an envelope"
    )
    inversions: int = Field(
        default=0, description="first occurrences that are not 1, 2, 3 ... of a subject"
    )
    named: list[str] = []

    @property
    def fine(self) -> bool:
        """Tell whether all is there, and nothing else."""
        return not (self.holes or self.strangers or self.inversions)


class Report(BaseModel):
    """The whole audit. In an incremental one the numbers are of what was looked at."""

    checked_at: datetime
    since: datetime | None = Field(default=None, description="None: everything was looked at")
    seconds: float
    kafka_answered: bool
    pairs: list[Pair]
    behind: list[Behind]
    passed_over: int = Field(default=0, description="streams that differ beyond `behind`")
    violations: list[Broken] = []
    restored: list[Broken] = Field(
        default=[],
        description="what a database does not know of a lead since it was restored: "
        "`handoff restore SERVICE --list` names these leads for a person",
    )
    kafka: InKafka | None = Field(default=None, description="None: the topics were not read")
    advice: list[str] = Field(default=[], description="what to do, a sentence each")

    @computed_field(description="every stream is level, or parked")
    @property
    def balanced(self) -> bool:
        """Tell whether nothing but what is kept is behind."""
        return not self.passed_over and all(each.state in KEPT for each in self.behind)

    @computed_field(description="violations by invariant")
    @property
    def broken(self) -> dict[str, int]:
        """Count the violations."""
        return dict(Counter(each.invariant for each in self.violations))

    @computed_field(description="leads that are lost somewhere, or break an invariant")
    @property
    def missing(self) -> int:
        """Count the subjects of whom something is not so and will not come right by itself.

        Streams that were passed over do not count: so many differ when a hearer was away for long,
        and as it catches up each is looked at.
        """
        return len(self.lost_or_broken())

    @computed_field(description="there is nothing to do")
    @property
    def fine(self) -> bool:
        """Tell whether all is as it should be."""
        return self.balanced and not self.violations and (self.kafka is None or self.kafka.fine)

    def lost_or_broken(self) -> set[UUID]:
        """Return of whom something will not come right by itself."""
        lost = {each.subject for each in self.behind if each.state in LOST}
        return lost | {each.subject for each in self.violations}

    def subjects_of_concern(self) -> set[UUID]:
        """Return whom the next look must not leave out: what is on its way may yet get lost."""
        unsettled = {each.subject for each in self.behind if each.state not in KEPT}
        return unsettled | self.lost_or_broken()


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
    odd = (each for each in report.behind if each.state not in KEPT)
    return sum(each.subject in among for each in odd)
