"""The door for the intake's own words: what it said, and its restored database does not know."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marketing_intake.adapters import erasing, leads
from marketing_intake.domain.identity import Identities
from marketing_intake.usecases.desk import Desk
from marketing_intake.usecases.erase_lead import EraseLead, erase_lead
from marketing_intake.usecases.recall_lead import RecallLead, recall_lead
from shared.contracts import catalogue
from shared.contracts.catalogue import topic_of
from shared.contracts.envelope import Envelope
from shared.contracts.event import LeadEvent
from shared.contracts.lead import (
    ConsentChanged,
    LeadCaptured,
    LeadErased,
    LeadUpdated,
    TouchpointRecorded,
)
from shared.ids import LeadId
from shared.messaging import erasure, outbox
from shared.messaging.outbox import Counted

_EMAILS = text("""
    SELECT value, lead_id FROM identity_key WHERE kind = 'email' AND value = ANY(:emails)
""")
# What a submission that is still here leads to, it makes itself when it is resolved.
_TOUCHED = text("""
    SELECT id FROM touchpoint WHERE id = ANY(:ids)
    UNION ALL SELECT id FROM submission WHERE id = ANY(:ids)
""")


@dataclass(frozen=True, slots=True)
class Recalling:
    """Brings leads back as far as their events tell of them. `secret` keys who is erased."""

    secret: bytes

    async def recall(self, connection: AsyncConnection, said: Sequence[Envelope]) -> None:
        """Have the leads again; erase again who was; raise the versions of what was said since."""
        events = [(each, event) for each in said if (event := _read(each)) is not None]
        ids = sorted({LeadId(event.lead_id) for _, event in events})
        desk = Desk(
            leads=await leads.load(connection, ids),
            emails=await leads.load_emails(connection, ids),
            phones=await leads.load_phones(connection, ids),
        )
        commands = [_command(each, event) for each, event in events]
        desk.identities = await _identities(connection, desk, commands)
        for command in commands:
            recall_lead(command, desk)
        for email, lead_id in desk.known.items():
            desk.emails.setdefault(lead_id, []).append(email)
        for phone, lead_id in desk.shown:
            desk.phones.setdefault(lead_id, []).append(phone)
        for envelope, event in events:
            if isinstance(event, LeadErased):
                erase_lead(EraseLead(LeadId(event.lead_id)), desk, now=envelope.said_at)
        await self._raise(connection, desk, events)
        await self._save(connection, desk)

    async def _raise(
        self,
        connection: AsyncConnection,
        desk: Desk,
        events: Sequence[tuple[Envelope, LeadEvent]],
    ) -> None:
        """Let cards that were said since then win over those of before: hearers go by versions."""
        counted = [
            Counted(each.topic, each.subject, each.sequence, event.lead_version)
            for each, event in events
            if each.topic == topic_of(LeadCaptured)
        ]
        raised = await outbox.raise_versions(connection, "lead_version", counted)
        for lead_id, by in raised.items():
            desk.leads[LeadId(lead_id)].version += by

    async def _save(self, connection: AsyncConnection, desk: Desk) -> None:
        ids = [one.touchpoint.touchpoint_id for one in desk.touchpoints]
        known = set(await connection.scalars(_TOUCHED, {"ids": ids}))
        news = {one.touchpoint.touchpoint_id: one for one in desk.touchpoints}
        desk.touchpoints = [one for each, one in news.items() if each not in known]
        await leads.save(connection, desk)
        if desk.erasures:
            names: list[UUID] = sorted(desk.erasures)
            await erasing.blank(connection, desk, secret=self.secret)
            await erasure.blank(connection, names)


async def _identities(
    connection: AsyncConnection, desk: Desk, commands: Sequence[RecallLead]
) -> Identities:
    emails = {command.card.email for command in commands if command.card and command.card.email}
    known = Identities(with_email=set())
    for row in await connection.execute(_EMAILS, {"emails": sorted(emails)}):
        known.by_email[row.value] = LeadId(row.lead_id)
    for lead_id, phones in desk.phones.items():
        for phone in phones:
            known.by_phone.setdefault(phone, []).append(lead_id)
    return known


def _read(envelope: Envelope) -> LeadEvent | None:
    """Return what was said; None of what is blank: nobody can know it any more."""
    if envelope.blank:
        return None
    event = catalogue.read(envelope)
    return event if isinstance(event, LeadEvent) else None


def _command(envelope: Envelope, event: LeadEvent) -> RecallLead:
    has_card = isinstance(event, LeadCaptured | LeadUpdated | ConsentChanged)
    touched = isinstance(event, LeadCaptured | LeadUpdated | TouchpointRecorded)
    return RecallLead(
        lead_id=LeadId(event.lead_id),
        version=event.lead_version,
        said_at=envelope.said_at,
        card=event.lead if has_card else None,
        touchpoint=event.touchpoint if touched else None,
    )
