"""What scoring hears, and the use case that each event enters by.

Locks, order, repeats and the outbox are the consumer's; a row of the table only reads the event.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from lead_scoring.adapters.desks import Desks
from lead_scoring.domain.lead import Qualification
from lead_scoring.usecases.desk import Desk
from lead_scoring.usecases.merge_leads import MergeLeads, merge_leads
from lead_scoring.usecases.note_merged_deal import NoteMergedDeal, note_merged_deal
from lead_scoring.usecases.note_open_deal import NoteOpenDeal, note_open_deal
from lead_scoring.usecases.record_outcome import RecordOutcome, record_outcome
from lead_scoring.usecases.score_lead import ScoreLead, score_lead
from lead_scoring.usecases.wire import person_of, touchpoint_of
from shared.contracts.deal import DealLost, DealMerged, DealOpened, DealRecycled, DealWon
from shared.contracts.event import Event
from shared.contracts.lead import (
    ConsentChanged,
    LeadCaptured,
    LeadMerged,
    LeadUpdated,
    TouchpointRecorded,
)
from shared.messaging.heard import Handler, Heard

_OUTCOMES: Mapping[type[Event], Qualification] = {
    DealRecycled: Qualification.RECYCLED,
    DealLost: Qualification.LOST,
    DealWon: Qualification.WON,
}


def _card(
    desk: Desk, heard: Heard[LeadCaptured | LeadUpdated | ConsentChanged], now: datetime
) -> Sequence[Event]:
    event, event_id = heard.event, heard.envelope.event_id
    came = None if isinstance(event, ConsentChanged) else event.touchpoint
    command = ScoreLead(
        lead_id=heard.subject,
        event_id=event_id,
        version=event.lead_version,
        person=person_of(event.lead),
        touchpoint=touchpoint_of(came, event_id=event_id) if came else None,
    )
    return score_lead(command, desk, now=now)


def _behaviour(desk: Desk, heard: Heard[TouchpointRecorded], now: datetime) -> Sequence[Event]:
    event_id = heard.envelope.event_id
    command = ScoreLead(
        lead_id=heard.subject,
        event_id=event_id,
        version=heard.event.lead_version,
        touchpoint=touchpoint_of(heard.event.touchpoint, event_id=event_id, observed=True),
    )
    return score_lead(command, desk, now=now)


def _merged(desk: Desk, heard: Heard[LeadMerged], now: datetime) -> Sequence[Event]:
    if heard.merged is None:
        return []
    command = MergeLeads(
        lead_id=heard.subject,
        merged_id=heard.merged,
        event_id=heard.envelope.event_id,
        version=heard.event.lead_version,
        person=person_of(heard.event.lead),
    )
    return merge_leads(command, desk, now=now)


def _opened(desk: Desk, heard: Heard[DealOpened], now: datetime) -> Sequence[Event]:
    command = NoteOpenDeal(
        lead_id=heard.subject, deal_id=heard.event.deal_id, event_id=heard.envelope.event_id
    )
    return note_open_deal(command, desk, now=now)


def _gave_way(desk: Desk, heard: Heard[DealMerged], now: datetime) -> Sequence[Event]:
    command = NoteMergedDeal(
        lead_id=heard.subject, deal_id=heard.event.deal_id, event_id=heard.envelope.event_id
    )
    return note_merged_deal(command, desk, now=now)


def _ended(
    desk: Desk, heard: Heard[DealRecycled | DealLost | DealWon], now: datetime
) -> Sequence[Event]:
    command = RecordOutcome(
        lead_id=heard.subject,
        deal_id=heard.event.deal_id,
        event_id=heard.envelope.event_id,
        outcome=_OUTCOMES[type(heard.event)],
        occurred_at=heard.event.occurred_at,
    )
    return record_outcome(command, desk, now=now)


SUBSCRIPTIONS: Mapping[type[Event], Handler[Desk]] = MappingProxyType(
    {
        LeadCaptured: _card,
        LeadUpdated: _card,
        ConsentChanged: _card,
        TouchpointRecorded: _behaviour,
        LeadMerged: _merged,
        DealOpened: _opened,
        DealRecycled: _ended,
        DealLost: _ended,
        DealWon: _ended,
        DealMerged: _gave_way,
    }
)


class ScoringHearer:
    """Scoring, as the consumer sees it."""

    subscriptions = SUBSCRIPTIONS

    def __init__(self, desks: Desks) -> None:
        """Load and save by `desks`."""
        self._desks = desks

    async def load(self, connection: AsyncConnection, heard: Sequence[Heard[Event]]) -> Desk:
        """Load the leads of a batch."""
        subjects: Collection[UUID] = {subject for each in heard for subject in each.subjects}
        merging = {subject for each in heard if each.merged for subject in each.subjects}
        return await self._desks.lay(connection, subjects, merging=merging)

    async def save(self, connection: AsyncConnection, desk: Desk) -> None:
        """Write the leads that changed, and the touchpoints that are new."""
        await self._desks.clear(connection, desk)

    async def move(self, connection: AsyncConnection, merged: UUID, *, into: UUID) -> None:
        """Let all touchpoints of a merged lead be the survivor's."""
        await self._desks.move(connection, merged, into=into)

    async def forget(self, connection: AsyncConnection, subjects: Sequence[UUID]) -> None:
        """Delete all that is known of erased persons."""
        await self._desks.forget(connection, subjects)
