"""One act on known leads: lock, load, call the use case, save, say; the caller commits."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from marketing_intake.adapters import leads, merging
from marketing_intake.domain.lead import LeadAlreadyMerged, LeadMergedIntoItself
from marketing_intake.usecases.desk import Desk
from marketing_intake.usecases.erase_lead import EraseLead, erase_lead
from marketing_intake.usecases.merge_leads import MergeLeads, merge_leads
from shared.contracts.event import Event
from shared.ids import LeadId
from shared.messaging import outbox, subjects
from shared.messaging.outbox import Cause

Act = Callable[[LeadId, Desk, datetime], Sequence[Event]]
"""Calls one use case for the lead, aliases resolved, at this moment of the database's clock."""


async def act_on(connection: AsyncConnection, lead_id: UUID, act: Act) -> None:
    """Let a use case work on one lead.

    Raises:
        LeadNotFound: there is no such lead.
    """
    subject = (await subjects.lock(connection, [lead_id]))[lead_id]
    known = LeadId(subject.id)
    desk = Desk(leads=await leads.load(connection, [known]))
    await _carry_out(connection, desk, act(known, desk, subject.locked_at))


async def erase_person(connection: AsyncConnection, lead_id: UUID) -> Desk:
    """Erase a lead under all its names; return the desk with what leads to it, to be blanked too.

    Raises:
        LeadNotFound: there is no such lead.
    """
    held = await subjects.lock(connection, [lead_id], whole=True)
    subject = held[lead_id]
    known = LeadId(subject.id)
    desk = Desk(
        leads=await leads.load(connection, [known]),
        emails=await leads.load_emails(connection, [known]),
        phones=await leads.load_phones(connection, [known]),
        aliases={known: [LeadId(name) for name in held if name != known]},
    )
    said = erase_lead(EraseLead(known), desk, now=subject.locked_at)
    await _carry_out(connection, desk, said)
    return desk


async def merge(connection: AsyncConnection, lead_id: UUID, *, into: UUID) -> UUID:
    """Merge one lead into another; return the id of the one that stays.

    Done before: nothing more happens. `into` may be an alias: then it is what that became.

    Raises:
        LeadNotFound: one of them does not exist.
        LeadIsErased: one of them was erased.
        LeadMergedIntoItself: they are one lead already, by the name of the one that stayed.
        LeadAlreadyMerged: the one is an alias of a third lead.
    """
    held = await subjects.lock(connection, [lead_id, into], whole=True)
    gone, stays = held[lead_id], held[into]
    if gone.id == stays.id and lead_id in {gone.id, into}:
        raise LeadMergedIntoItself
    if gone.id == stays.id:
        return stays.id
    if gone.id != lead_id:
        raise LeadAlreadyMerged(LeadId(gone.id))
    desk = Desk(leads=await leads.load(connection, [LeadId(gone.id), LeadId(stays.id)]))
    command = MergeLeads(LeadId(gone.id), LeadId(stays.id))
    await _carry_out(connection, desk, merge_leads(command, desk, now=stays.locked_at))
    await merging.move(connection, gone.id, into=stays.id)
    await subjects.merge(connection, gone.id, into=stays.id)
    return stays.id


async def _carry_out(connection: AsyncConnection, desk: Desk, said: Sequence[Event]) -> None:
    await leads.save(connection, desk)
    await outbox.say(connection, said, Cause.of_request())
