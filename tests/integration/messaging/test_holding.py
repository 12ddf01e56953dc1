"""While a consumer holds, it loses nothing of what it had fetched already."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import Tally
from tests.integration.messaging.loops import a_consumer, a_relay, nothing_waits, running, say
from tests.stack.waiting import until

from shared.ids import LeadId, new_id
from shared.messaging.narrowing import Narrowing
from shared.messaging.records import Delivery
from shared.settings import KafkaSettings

LEADS = 700
OUTAGES = 3
AT_ONCE = 10  # as many as the pool has


async def test_an_outage_in_the_middle_of_a_backlog_skips_no_event(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    tally: Tally,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leads = [LeadId(new_id()) for _ in range(LEADS)]
    for start in range(0, LEADS, AT_ONCE):
        await asyncio.gather(*(say(engine, lead, "1") for lead in leads[start : start + AT_ONCE]))
    async with running(a_relay(engine, kafka_settings)):
        await until(lambda: nothing_waits(engine))
    outages = iter(range(OUTAGES))
    see_through = Narrowing.see_through

    async def troubled(self: Narrowing, deliveries: Sequence[Delivery], *, cautious: bool) -> None:
        if next(outages, None) is not None:
            raise ConnectionResetError
        await see_through(self, deliveries, cautious=cautious)

    monkeypatch.setattr(Narrowing, "see_through", troubled)
    async with running(a_consumer(engine, kafka_settings, tally)):
        await until(lambda: _all_heard(engine, leads))


async def _all_heard(engine: AsyncEngine, leads: Sequence[UUID]) -> bool:
    sql = "SELECT count(*) FROM tally WHERE lead_id = ANY(:ids)"
    return await _count(engine, sql, ids=list(leads)) == len(leads)


async def _count(engine: AsyncEngine, sql: str, **values: object) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(text(sql), values) or 0
