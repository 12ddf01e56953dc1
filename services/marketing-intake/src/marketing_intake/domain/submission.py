"""A submission: what a sender posted, its state, and the one outcome that it reaches."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from shared.ids import LeadId

Outcome = Literal["created", "updated", "duplicate", "quarantined", "rejected"]
State = Literal[
    "received",
    "waiting",
    "parked",
    "created",
    "updated",
    "duplicate",
    "quarantined",
    "rejected",
]
Reason = Literal["honeypot", "test", "unreachable", "erased", "sent_twice"]

SENT_TWICE_WITHIN = timedelta(minutes=1)
"""A form posted twice with the same content in this time is one visitor's double click."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """How a submission ended, and whose it was."""

    submission_id: UUID
    outcome: Outcome
    lead_id: LeadId | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A form's content that reached a lead, and when it was received."""

    lead_id: LeadId
    received_at: datetime


def sent_twice(sightings: list[Sighting], *, received_at: datetime) -> Sighting | None:
    """Return the sighting that a form's submission merely repeats, if there is one."""
    near = (seen for seen in sightings if abs(seen.received_at - received_at) <= SENT_TWICE_WITHIN)
    return next(near, None)
