"""Lays the desk and clears it: what use cases need is loaded, what they changed is saved.

One SELECT a table and one bulk write a table, for one lead or for five hundred. The caller holds
the subjects' locks.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters import leads, playbooks, reps, tasks
from notifier.domain.task import Task
from notifier.usecases.desk import Desk
from shared.ids import LeadId, RepId, TaskId


async def lay_for_events(
    connection: AsyncConnection, subjects: Collection[UUID], *, events: Collection[UUID]
) -> Desk:
    """Load what a batch of events may touch; a subject is a lead or a rep."""
    of_leads = [LeadId(subject) for subject in subjects]
    desk = Desk(
        playbooks=await playbooks.load_enabled(connection),
        leads=await leads.load(connection, of_leads),
        reps=await reps.load(connection, [RepId(subject) for subject in subjects]),
    )
    _add(desk, await tasks.load_to_do(connection, of_leads, events=events))
    return desk


async def lay_for_time(
    connection: AsyncConnection, subjects: Collection[LeadId], *, now: datetime
) -> Desk:
    """Load what is due of leads."""
    desk = Desk(leads=await leads.load(connection, subjects))
    _add(desk, await tasks.load_due(connection, subjects, now=now))
    return desk


async def lay_for_task(
    connection: AsyncConnection, task_id: TaskId, *, lead_id: LeadId, rep_ids: Collection[RepId]
) -> Desk:
    """Load one task with its lead, and the reps that somebody named."""
    desk = Desk(leads=await leads.load(connection, [lead_id]))
    desk.reps = await reps.load(connection, rep_ids) if rep_ids else {}
    _add(desk, [await tasks.load_one(connection, task_id)])
    return desk


async def save(connection: AsyncConnection, desk: Desk) -> None:
    """Write what was changed or made."""
    changed = desk.changed
    await leads.save(connection, [x for x in desk.leads.values() if x.id in changed])
    await reps.save(connection, [x for x in desk.reps.values() if x.id in changed])
    all_tasks = [x for of_lead in desk.tasks.values() for x in of_lead.values()]
    await tasks.save(connection, [x for x in all_tasks if x.id in changed])


def _add(desk: Desk, loaded: Iterable[Task]) -> None:
    for task in loaded:
        desk.tasks.setdefault(task.lead_id, {})[task.id] = task
