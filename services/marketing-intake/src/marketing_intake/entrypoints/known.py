"""One act on a known lead: lock, load, call the use case, save, say; the caller commits."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from marketing_intake.adapters import leads
from marketing_intake.usecases.desk import Desk
from shared.contracts.event import Event
from shared.ids import LeadId
from shared.messaging import outbox, subjects
from shared.messaging.outbox import Cause

Act = Callable[[LeadId, Desk, datetime], Sequence[Event]]
"""Calls one use case for the lead, aliases resolved, at this moment of the database's clock."""


async def act_on(connection: AsyncConnection, lead_id: UUID, act: Act) -> Desk:
    """Let a use case work on one lead; return the desk, saved.

    Raises:
        LeadNotFound: there is no such lead.
    """
    subject = (await subjects.lock(connection, [lead_id]))[lead_id]
    known = LeadId(subject.id)
    desk = Desk(
        leads=await leads.load(connection, [known]),
        phones=await leads.load_phones(connection, [known]),
    )
    events = act(known, desk, subject.locked_at)
    await leads.save(connection, desk)
    await outbox.say(connection, events, Cause.of_request())
    return desk
