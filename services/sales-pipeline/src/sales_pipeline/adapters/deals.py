"""Loads and saves deals: the one place that knows both the row and the deal."""

from collections.abc import Collection, Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters.tables import deal
from sales_pipeline.domain.deal import Acceptance, Closing, Deal, Flag, Outcome
from sales_pipeline.domain.money import Money
from sales_pipeline.domain.stage import Stage
from shared.database.bulk import Upsert
from shared.database.direct import Row, Statement, columns
from shared.ids import DealId, LeadId

# Look-ups by key, lead by lead: without statistics all open deals were read for a batch.
_LOAD = Statement(f"""
    SELECT {columns(deal, "d")} FROM unnest(CAST(:lead_ids AS uuid[])) AS r (lead_id)
    CROSS JOIN LATERAL (
        SELECT * FROM deal d WHERE d.lead_id = r.lead_id AND d.outcome IS NULL LIMIT 1
    ) d
    UNION
    SELECT {columns(deal, "d")} FROM unnest(CAST(:deal_ids AS uuid[])) AS r (id)
    CROSS JOIN LATERAL (SELECT * FROM deal d WHERE d.id = r.id LIMIT 1) d
    WHERE d.lead_id = ANY(:lead_ids)
""")  # noqa: S608  our own columns
_SAVE = Upsert(deal)


async def load(
    connection: AsyncConnection, *, lead_ids: Collection[LeadId], deal_ids: Collection[DealId]
) -> list[Deal]:
    """Load the leads' open deals, and those deals of theirs that are named, open or not."""
    rows = await _LOAD.rows(connection, lead_ids=list(lead_ids), deal_ids=list(deal_ids))
    return [_deal(row) for row in rows]


async def save(connection: AsyncConnection, deals: Iterable[Deal]) -> None:
    """Save deals, new and changed ones alike."""
    await _SAVE.run(connection, [_row(each) for each in deals])


def _deal(row: Row) -> Deal:
    return Deal(
        id=row.id,
        lead_id=row.lead_id,
        opened_for=row.opened_for,
        owner_id=row.owner_id,
        stage=Stage(row.stage),
        score=row.score,
        grade=row.grade,
        asked_at=row.asked_at,
        amount=Money(row.amount_minor, row.currency) if row.currency else None,
        expected_close_on=row.expected_close_on,
        acceptance=Acceptance(row.accepted_by, row.accepted_at) if row.accepted_at else None,
        flag=Flag(row.flag_reason, row.flagged_at) if row.flagged_at else None,
        closing=_closing(row),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _closing(row: Row) -> Closing | None:
    if row.outcome is None:
        return None
    return Closing(Outcome(row.outcome), row.closed_at, row.close_reason)


def _row(each: Deal) -> dict[str, object]:
    return {
        "id": each.id,
        "lead_id": each.lead_id,
        "opened_for": each.opened_for,
        "owner_id": each.owner_id,
        "stage": each.stage,
        "score": each.score,
        "grade": each.grade,
        "asked_at": each.asked_at,
        "amount_minor": each.amount and each.amount.amount_minor,
        "currency": each.amount and each.amount.currency,
        "expected_close_on": each.expected_close_on,
        "accepted_by": each.acceptance and each.acceptance.rep_id,
        "accepted_at": each.acceptance and each.acceptance.accepted_at,
        "flag_reason": each.flag and each.flag.reason,
        "flagged_at": each.flag and each.flag.flagged_at,
        "outcome": each.closing and each.closing.outcome,
        "closed_at": each.closing and each.closing.closed_at,
        "close_reason": each.closing and each.closing.reason,
        "version": each.version,
        "created_at": each.created_at,
        "updated_at": each.updated_at,
    }
