"""The door for events: which event calls which use case.

The consumer (`shared.messaging`) does the rest: locks, order, duplicates, the outbox, parking.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters import desks, erasure, merging
from notifier.domain.playbook import Trigger
from notifier.usecases.close_deal import CloseDeal, close_deal
from notifier.usecases.desk import Desk
from notifier.usecases.disqualify_lead import DisqualifyLead, disqualify_lead
from notifier.usecases.follow_deal import FollowDeal, follow_deal
from notifier.usecases.hand_over_deal import HandOverDeal, hand_over_deal
from notifier.usecases.keep_lead_card import KeepLeadCard, keep_lead_card
from notifier.usecases.keep_rep import KeepRep, keep_rep
from notifier.usecases.merge_leads import MergeLeads, merge_leads
from shared.aliases import Alias
from shared.contracts.deal import (
    DealAccepted,
    DealEvent,
    DealLost,
    DealMerged,
    DealOpened,
    DealReassigned,
    DealRecycled,
    DealStageChanged,
    DealWon,
    RepChanged,
)
from shared.contracts.event import Event
from shared.contracts.lead import ConsentChanged, LeadCaptured, LeadMerged, LeadUpdated
from shared.contracts.score import LeadDisqualified, LeadQualified
from shared.ids import DealId, LeadId, RepId
from shared.messaging.heard import Handler, Heard


def _a_lead_is_known(
    desk: Desk,
    heard: Heard[LeadCaptured | LeadUpdated | ConsentChanged | LeadQualified],
    now: datetime,
) -> Sequence[Event]:
    command = KeepLeadCard(
        lead_id=LeadId(heard.subject), version=heard.event.lead_version, card=heard.event.lead
    )
    return keep_lead_card(command, desk, now=now)


def _a_lead_was_disqualified(
    desk: Desk, heard: Heard[LeadDisqualified], now: datetime
) -> Sequence[Event]:
    command = DisqualifyLead(
        lead_id=LeadId(heard.subject),
        said_of=LeadId(heard.envelope.subject),
        lead_version=heard.event.lead_version,
        event_id=heard.envelope.event_id,
    )
    return disqualify_lead(command, desk, now=now)


def _leads_merged(desk: Desk, heard: Heard[LeadMerged], now: datetime) -> Sequence[Event]:
    if heard.merged is None:
        return []
    command = MergeLeads(
        lead_id=LeadId(heard.subject),
        merged_id=LeadId(heard.merged),
        alias=LeadId(heard.event.merged_id),
        survivor=Alias(LeadId(heard.event.surviving_id), heard.event.lead_version),
        card=heard.event.lead,
    )
    return merge_leads(command, desk, now=now)


def _a_deal_went_on(desk: Desk, heard: Heard[DealEvent], now: datetime) -> Sequence[Event]:
    return follow_deal(_what_happened(heard), desk, now=now)


def _a_deal_has_another_owner(
    desk: Desk, heard: Heard[DealReassigned], now: datetime
) -> Sequence[Event]:
    return hand_over_deal(HandOverDeal(reassigning=_what_happened(heard)), desk, now=now)


def _a_deal_ended(
    desk: Desk, heard: Heard[DealWon | DealLost | DealRecycled | DealMerged], now: datetime
) -> Sequence[Event]:
    return close_deal(CloseDeal(closing=_what_happened(heard)), desk, now=now)


def _a_rep_is_known(desk: Desk, heard: Heard[RepChanged], now: datetime) -> Sequence[Event]:
    rep = heard.event
    command = KeepRep(
        rep_id=RepId(rep.rep_id),
        version=rep.rep_version,
        name=rep.name,
        email=rep.email,
        state=rep.state,
    )
    return keep_rep(command, desk, now=now)


def _what_happened(heard: Heard[Any]) -> FollowDeal:
    event: DealEvent = heard.event
    envelope = heard.envelope
    return FollowDeal(
        lead_id=LeadId(heard.subject),
        opened_for=LeadId(envelope.subject),
        lead_version=event.lead_version,
        deal_id=DealId(event.deal_id),
        owner_id=RepId(event.owner_id),
        trigger=Trigger(
            event_id=envelope.event_id,
            event=event.kind,
            occurred_at=event.occurred_at,
            informed_by=envelope.causation_id or envelope.event_id,
            facts=_facts(event),
        ),
        card=event.lead if isinstance(event, DealOpened) else None,
    )


def _facts(event: DealEvent) -> dict[str, str]:
    """Return what a playbook can ask of the event: `FACTS` of `domain/playbook.py`."""
    match event:
        case DealOpened():
            return {"stage": event.stage, "grade": event.grade}
        case DealStageChanged():
            return {"stage": event.to_stage, "from_stage": event.from_stage}
        case DealRecycled() | DealLost():
            return {"stage": event.stage, "reason": event.reason}
        case _:
            return {}


SUBSCRIPTIONS: Mapping[type[Event], Handler[Desk]] = {
    LeadCaptured: _a_lead_is_known,
    LeadUpdated: _a_lead_is_known,
    ConsentChanged: _a_lead_is_known,
    LeadMerged: _leads_merged,
    LeadQualified: _a_lead_is_known,
    LeadDisqualified: _a_lead_was_disqualified,
    DealOpened: _a_deal_went_on,
    DealAccepted: _a_deal_went_on,
    DealStageChanged: _a_deal_went_on,
    DealReassigned: _a_deal_has_another_owner,
    DealWon: _a_deal_ended,
    DealLost: _a_deal_ended,
    DealRecycled: _a_deal_ended,
    DealMerged: _a_deal_ended,
    RepChanged: _a_rep_is_known,
}


class NotifierHearer:
    """What the consumer needs to know of this service."""

    subscriptions: Mapping[type[Event], Handler[Desk]] = SUBSCRIPTIONS

    async def load(self, connection: AsyncConnection, heard: Sequence[Heard[Any]]) -> Desk:
        """Lay the desk for a batch."""
        subjects = {subject for each in heard for subject in each.subjects}
        events = [each.envelope.event_id for each in heard]
        return await desks.lay_for_events(connection, subjects, events=events)

    async def save(self, connection: AsyncConnection, desk: Desk) -> None:
        """Write what the use cases changed."""
        await desks.save(connection, desk)

    async def move(self, connection: AsyncConnection, merged: UUID, *, into: UUID) -> None:
        """Let all tasks of a merged lead be the survivor's."""
        await merging.move(connection, merged, into=into)

    async def forget(self, connection: AsyncConnection, subjects: Sequence[UUID]) -> None:
        """Blank erased leads in the notifier's tables, and cancel their tasks."""
        await erasure.forget(connection, subjects)
