"""Leads: loaded by one statement a table, saved by one statement a table."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marketing_intake.adapters import tables
from marketing_intake.adapters.submissions import OutOfStep
from marketing_intake.domain.canonical import CARD_FIELDS
from marketing_intake.domain.lead import ConsentHeld, Lead, Stamped
from marketing_intake.usecases.desk import ConsentRecord, Desk, TouchpointRecord
from shared.database.bulk import Insert, Upsert
from shared.database.direct import Row, Statement, columns, reading
from shared.ids import LeadId, new_id

_LEADS = reading(tables.lead, "WHERE id = ANY(:ids)")
_CONSENTS = Statement(f"""
    SELECT DISTINCT ON (c.lead_id, c.purpose) {columns(tables.consent, "c")}
    FROM consent c WHERE c.lead_id = ANY(:ids)
    ORDER BY c.lead_id, c.purpose, c.received_at DESC, c.id DESC
""")  # noqa: S608  our own columns
_PHONES = text("SELECT lead_id, phone FROM lead_phone WHERE lead_id = ANY(:ids)")

_EMAILS = text("SELECT lead_id, value FROM identity_key WHERE lead_id = ANY(:ids)")

_SAVE_LEADS = Upsert(tables.lead, newer="version")
_SAVE_EMAILS = Insert(tables.identity_key, ignore_repeats=True)
_SAVE_PHONES = Insert(tables.lead_phone, ignore_repeats=True)
_SAVE_TOUCHPOINTS = Insert(
    tables.touchpoint,
    columns=(
        "id",
        "lead_id",
        "submission_id",
        "source_id",
        "kind",
        "channel",
        "occurred_at",
        "received_at",
        "detail",
    ),
)
_SAVE_CONSENTS = Insert(tables.consent)
_SAVE_SUGGESTIONS = Insert(tables.suggested_duplicate, ignore_repeats=True)


async def load(connection: AsyncConnection, ids: Collection[LeadId]) -> dict[LeadId, Lead]:
    """Return the leads with these ids, and the consents that hold."""
    if not ids:
        return {}
    wanted = sorted(ids)
    leads = {row.id: _lead(row) for row in await _LEADS.rows(connection, ids=wanted)}
    for row in await _CONSENTS.rows(connection, ids=wanted):
        leads[row.lead_id].consents[row.purpose] = ConsentHeld(
            row.purpose, row.granted, row.occurred_at, row.received_at, row.text
        )
    return leads


async def load_phones(
    connection: AsyncConnection, ids: Collection[LeadId]
) -> dict[LeadId, list[str]]:
    """Return every phone that these leads ever showed."""
    phones: dict[LeadId, list[str]] = {}
    for row in await connection.execute(_PHONES, {"ids": sorted(ids)}):
        phones.setdefault(LeadId(row.lead_id), []).append(row.phone)
    return phones


async def load_emails(
    connection: AsyncConnection, ids: Collection[LeadId]
) -> dict[LeadId, list[str]]:
    """Return every e-mail that leads to these leads: after a merge there may be several."""
    emails: dict[LeadId, list[str]] = {}
    for row in await connection.execute(_EMAILS, {"ids": sorted(ids)}):
        emails.setdefault(LeadId(row.lead_id), []).append(row.value)
    return emails


async def save(connection: AsyncConnection, desk: Desk) -> None:
    """Write what use cases changed on a desk; their leads are locked.

    Raises:
        OutOfStep: an e-mail belongs to somebody else by now.
    """
    await _SAVE_LEADS.run(connection, [_lead_row(desk.leads[each]) for each in sorted(desk.dirty)])
    emails = [
        {"kind": "email", "value": email, "lead_id": lead} for email, lead in desk.known.items()
    ]
    if await _SAVE_EMAILS.run(connection, emails) != len(emails):
        raise OutOfStep
    await _SAVE_PHONES.run(connection, _phone_rows(desk.shown))
    await _SAVE_TOUCHPOINTS.run(connection, [_touchpoint_row(one) for one in desk.touchpoints])
    await _SAVE_CONSENTS.run(connection, [_consent_row(one) for one in desk.consents])
    suggestions = [{"lead_id": one.lead_id, "like_id": one.like_id} for one in desk.suggestions]
    await _SAVE_SUGGESTIONS.run(connection, suggestions)


def _lead(row: Row) -> Lead:
    fields = {
        name: Stamped(getattr(row, name), datetime.fromisoformat(at))
        for name, at in row.stamp.items()
    }
    return Lead(
        id=LeadId(row.id),
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        fields=fields,
        erased_at=row.erased_at,
        merged_into=row.merged_into,
    )


def _lead_row(lead: Lead) -> dict[str, Any]:
    return {name: lead.text(name) for name in CARD_FIELDS} | {
        "id": lead.id,
        "version": lead.version,
        "stamp": {name: known.received_at.isoformat() for name, known in lead.fields.items()},
        "erased_at": lead.erased_at,
        "merged_into": lead.merged_into,
        "created_at": lead.created_at,
        "updated_at": lead.updated_at,
    }


def _phone_rows(shown: Iterable[tuple[str, LeadId]]) -> list[dict[str, Any]]:
    return [{"phone": phone, "lead_id": lead_id} for phone, lead_id in sorted(shown)]


def _touchpoint_row(record: TouchpointRecord) -> dict[str, Any]:
    touchpoint = record.touchpoint
    own = {"touchpoint_id", "kind", "channel", "source_id", "occurred_at", "received_at"}
    return {
        "id": touchpoint.touchpoint_id,
        "lead_id": record.lead_id,
        "submission_id": record.submission_id,
        "source_id": touchpoint.source_id,
        "kind": touchpoint.kind,
        "channel": touchpoint.channel,
        "occurred_at": touchpoint.occurred_at,
        "received_at": touchpoint.received_at,
        "detail": touchpoint.model_dump(mode="json", exclude=own, exclude_none=True),
    }


def _consent_row(record: ConsentRecord) -> dict[str, Any]:
    held = record.consent
    return {
        "id": new_id(),
        "lead_id": record.lead_id,
        "purpose": held.purpose,
        "granted": held.granted,
        "text": held.text,
        "occurred_at": held.occurred_at,
        "received_at": held.received_at,
        "submission_id": record.submission_id,
    }
