"""Loads and saves leads: one SELECT and one bulk write, for one lead or for five hundred."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from lead_scoring.adapters import entries
from lead_scoring.adapters.tables import lead_score
from lead_scoring.domain.lead import Lead, Qualification
from lead_scoring.domain.person import Block, Consent, Person
from lead_scoring.domain.rating import Rating
from lead_scoring.domain.scorecard import Group
from shared.database.bulk import Upsert
from shared.database.direct import Row, reading
from shared.ids import read_id

_LOAD = reading(lead_score, "WHERE lead_id = ANY(:ids)")
_SAVE = Upsert(lead_score, key=("lead_id",))
_TEXTS = ("email", "phone", "first_name", "last_name", "company", "job_title", "country")


async def load(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Lead]:
    """Load those of the leads that are known."""
    rows = await _LOAD.rows(connection, ids=list(ids))
    return {row.lead_id: _lead(row) for row in rows}


async def save(connection: AsyncConnection, leads: Iterable[Lead]) -> None:
    """Write what is known of leads now."""
    await _SAVE.run(connection, [_row(lead) for lead in leads])


def _lead(row: Row) -> Lead:
    known = entries.from_json(row.entries)
    rating = None
    if row.score is not None:
        rating = Rating(
            score=row.score,
            grade=row.grade,
            fit=row.fit,
            engagement=row.engagement,
            entries=known,
        )
    return Lead(
        id=row.lead_id,
        scorecard_id=row.scorecard_id,
        scorecard_version=row.scorecard_version,
        version=row.version,
        person=_person(row.person) if row.person else None,
        touchpoints=row.touchpoints,
        earned=tuple(entry for entry in known if entry.group is Group.ENGAGEMENT),
        rating=rating,
        qualification=Qualification(row.qualification),
        reason=Block(row.reason) if row.reason else None,
        engaged_at=row.engaged_at,
        qualified_at=row.qualified_at,
        ended_at=row.ended_at,
        ended_as=Qualification(row.ended_as) if row.ended_as else None,
        deals=frozenset(read_id(deal) for deal in row.deals),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _row(lead: Lead) -> dict[str, Any]:
    rating = lead.rating
    return {
        "lead_id": lead.id,
        "version": lead.version,
        "person": _stored(lead.person) if lead.person else None,
        "touchpoints": lead.touchpoints,
        "score": rating.score if rating else None,
        "grade": rating.grade if rating else None,
        "fit": rating.fit if rating else None,
        "engagement": rating.engagement if rating else None,
        "entries": entries.to_json(rating.entries if rating else lead.earned),
        "scorecard_id": lead.scorecard_id,
        "scorecard_version": lead.scorecard_version,
        "qualification": lead.qualification.value,
        "reason": lead.reason.value if lead.reason else None,
        "engaged_at": lead.engaged_at,
        "qualified_at": lead.qualified_at,
        "ended_at": lead.ended_at,
        "ended_as": lead.ended_as and lead.ended_as.value,
        "deals": sorted(str(deal) for deal in lead.deals),
        "created_at": lead.created_at,
        "updated_at": lead.updated_at,
    }


def _person(stored: Mapping[str, Any]) -> Person:
    consents = tuple(
        Consent(c["purpose"], c["granted"], datetime.fromisoformat(c["occurred_at"]), c["text"])
        for c in stored["consents"]
    )
    return Person(**{name: stored.get(name) for name in _TEXTS}, consents=consents)


def _stored(person: Person) -> dict[str, Any]:
    texts = {name: text for name in _TEXTS if (text := getattr(person, name))}
    consents = [
        {
            "purpose": c.purpose,
            "granted": c.granted,
            "occurred_at": c.occurred_at.isoformat(),
            "text": c.text,
        }
        for c in person.consents
    ]
    return {**texts, "consents": consents}
