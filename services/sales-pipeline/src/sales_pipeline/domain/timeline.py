"""What happened on a deal, entry by entry: what reps did, and what the deal went through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.ids import DealId, LeadId

CLOCKS_MAY_DIFFER_BY = timedelta(minutes=5)


class ActivityKind(StrEnum):
    """What a rep did on a deal."""

    CALL = "call"
    MEETING = "meeting"
    DEMO = "demo"
    NOTE = "note"
    OBJECTION = "objection"
    NEGOTIATION = "negotiation"


class Happening(StrEnum):
    """What the deal itself went through."""

    OPENED = "opened"
    REOPENED = "reopened"
    SCORED = "scored"
    FLAGGED = "flagged"
    ACCEPTED = "accepted"
    REASSIGNED = "reassigned"
    STAGE_CHANGED = "stage_changed"
    AMENDED = "amended"
    RECYCLED = "recycled"
    MERGED = "merged"
    WON = "won"
    LOST = "lost"
    TASK_CREATED = "task_created"
    TASK_DUE = "task_due"
    TASK_OVERDUE = "task_overdue"
    TASK_COMPLETED = "task_completed"


class ActivityInTheFuture(Exception):
    """The activity did not happen yet."""

    def __init__(self) -> None:
        """Say where plans belong."""
        super().__init__(
            "occurred_at is in the future. An activity is what was done; for a plan make a task."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a deal's timeline.

    Whatever a person wrote, or that may name one, is in `text` and nowhere else: erasure blanks
    that column. `detail` is for ids, numbers and words of the trade.
    """

    id: UUID
    deal_id: DealId
    lead_id: LeadId
    kind: ActivityKind | Happening
    occurred_at: datetime
    created_at: datetime
    text: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict[str, object])


def check_it_happened(*, occurred_at: datetime, now: datetime) -> None:
    """Let pass what has happened by now, give or take what clocks differ by.

    Raises:
        ActivityInTheFuture: it has not.
    """
    if occurred_at > now + CLOCKS_MAY_DIFFER_BY:
        raise ActivityInTheFuture
