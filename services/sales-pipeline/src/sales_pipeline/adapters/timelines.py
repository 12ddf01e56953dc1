"""Saves entries of timelines; they are only ever added, and read by the queries."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters.tables import timeline_entry
from sales_pipeline.domain.timeline import Entry
from shared.database.bulk import Insert

_SAVE = Insert(timeline_entry)


async def save(connection: AsyncConnection, entries: Iterable[Entry]) -> None:
    """Add entries."""
    rows = [
        {
            "id": each.id,
            "deal_id": each.deal_id,
            "lead_id": each.lead_id,
            "kind": each.kind,
            "text": each.text,
            "detail": dict(each.detail),
            "occurred_at": each.occurred_at,
            "created_at": each.created_at,
            "updated_at": each.created_at,
        }
        for each in entries
    ]
    await _SAVE.run(connection, rows)
