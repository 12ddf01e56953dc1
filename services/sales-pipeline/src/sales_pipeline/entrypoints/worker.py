"""The door for events: which event calls which use case, and what that needs on the desk.

The consumer (`shared.messaging`) does the rest: locks, order, duplicates, the outbox, parking.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters import desks, erasure, merging
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.flag_deal import FlagDeal, flag_deal
from sales_pipeline.usecases.keep_lead_card import KeepLeadCard, keep_lead_card
from sales_pipeline.usecases.known_lead import Word
from sales_pipeline.usecases.merge_leads import MergeLeads, merge_leads
from sales_pipeline.usecases.open_deal import OpenDeal, open_deal
from sales_pipeline.usecases.score_deal import ScoreDeal, score_deal
from sales_pipeline.usecases.show_task import ShowTask, show_task
from shared.aliases import Alias
from shared.contracts.event import Event, LeadEvent
from shared.contracts.lead import ConsentChanged, LeadCaptured, LeadMerged, LeadUpdated
from shared.contracts.score import LeadDisqualified, LeadQualified, LeadScored
from shared.contracts.task import (
    TaskCompleted,
    TaskCreated,
    TaskDue,
    TaskEvent,
    TaskOverdue,
)
from shared.ids import DealId, LeadId, id_from
from shared.messaging.heard import Heard

Handler = Callable[[Desk, Heard[Any], datetime], Sequence[Event]]


def _a_lead_is_known(
    desk: Desk, heard: Heard[LeadCaptured | LeadUpdated | ConsentChanged], now: datetime
) -> Sequence[Event]:
    command = KeepLeadCard(
        lead_id=LeadId(heard.subject), version=heard.event.lead_version, card=heard.event.lead
    )
    return keep_lead_card(command, desk, now=now)


def _a_lead_qualified(desk: Desk, heard: Heard[LeadQualified], now: datetime) -> Sequence[Event]:
    command = OpenDeal(
        deal_id=DealId(id_from(heard.envelope.event_id, "deal")),
        lead_id=LeadId(heard.subject),
        word=_word(heard),
        lead=heard.event.lead,
        score=heard.event.score.score,
        grade=heard.event.score.grade,
        asked_at=heard.envelope.began_at or now,
    )
    return open_deal(command, desk, now=now)


def _a_lead_was_scored(desk: Desk, heard: Heard[LeadScored], now: datetime) -> Sequence[Event]:
    score = heard.event.score
    command = ScoreDeal(
        lead_id=LeadId(heard.subject), word=_word(heard), score=score.score, grade=score.grade
    )
    return score_deal(command, desk, now=now)


def _a_lead_was_disqualified(
    desk: Desk, heard: Heard[LeadDisqualified], now: datetime
) -> Sequence[Event]:
    command = FlagDeal(lead_id=LeadId(heard.subject), word=_word(heard), reason=heard.event.reason)
    return flag_deal(command, desk, now=now)


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


def _word(heard: Heard[LeadEvent]) -> Word:
    return Word(said_of=LeadId(heard.envelope.subject), lead_version=heard.event.lead_version)


def _a_task_is(happening: Happening) -> Handler:
    def handle(desk: Desk, heard: Heard[TaskEvent], now: datetime) -> Sequence[Event]:
        task = heard.event
        command = ShowTask(
            deal_id=DealId(task.deal_id) if task.deal_id else None,
            task_id=task.task_id,
            happening=happening,
            task_kind=task.task_kind,
            title=task.title,
            occurred_at=task.occurred_at,
            owner_id=task.owner_id,
            due_at=task.due_at if isinstance(task, TaskCreated | TaskDue | TaskOverdue) else None,
        )
        return show_task(command, desk, now=now)

    return handle


SUBSCRIPTIONS: Mapping[type[Event], Handler] = {
    LeadCaptured: _a_lead_is_known,
    LeadUpdated: _a_lead_is_known,
    ConsentChanged: _a_lead_is_known,
    LeadMerged: _leads_merged,
    LeadQualified: _a_lead_qualified,
    LeadScored: _a_lead_was_scored,
    LeadDisqualified: _a_lead_was_disqualified,
    TaskCreated: _a_task_is(Happening.TASK_CREATED),
    TaskDue: _a_task_is(Happening.TASK_DUE),
    TaskOverdue: _a_task_is(Happening.TASK_OVERDUE),
    TaskCompleted: _a_task_is(Happening.TASK_COMPLETED),
}


class PipelineHearer:
    """What the consumer needs to know of this service."""

    subscriptions: Mapping[type[Event], Handler] = SUBSCRIPTIONS

    async def load(self, connection: AsyncConnection, heard: Sequence[Heard[Any]]) -> Desk:
        """Lay the desk for a batch; the team only where a deal may have to find an owner."""
        lead_ids = {LeadId(subject) for each in heard for subject in each.subjects}
        merging = [LeadId(each) for one in heard if one.merged for each in one.subjects]
        tasks = [each.event for each in heard if isinstance(each.event, TaskEvent)]
        deal_ids = {DealId(task.deal_id) for task in tasks if task.deal_id}
        desk = await desks.lay(connection, lead_ids=lead_ids, deal_ids=deal_ids)
        if any(isinstance(each.event, LeadQualified) for each in heard):
            await desks.add_team(connection, desk)
        if merging:
            await desks.add_customers(connection, desk, merging)
        return desk

    async def save(self, connection: AsyncConnection, desk: Desk) -> None:
        """Write what the use cases changed."""
        await desks.save(connection, desk)

    async def move(self, connection: AsyncConnection, merged: UUID, *, into: UUID) -> None:
        """Let all that a merged lead had be the survivor's."""
        await merging.move(connection, merged, into=into)

    async def forget(self, connection: AsyncConnection, subjects: Sequence[UUID]) -> None:
        """Blank erased leads in the pipeline's tables."""
        await erasure.forget(connection, subjects)
