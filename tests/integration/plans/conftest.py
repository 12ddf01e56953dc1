"""The four services on fresh databases that tell their plans, after a day's work."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import asyncpg
import pytest
from tests.integration.plans.everything import Days, open_doors
from tests.stack.fixtures import DatabaseFor
from tests.stack.inside import PACKAGES, Inside
from tests.stack.plans import Plans, explain_all, listening
from tests.stack.running import Stack

from shared.settings import KafkaSettings

_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""
# A day on a busy machine is long enough for statistics to come by themselves, here and there.
_NO_STATISTICS = """
DO $$ DECLARE here regclass; BEGIN
    FOR here IN
        SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', here);
    END LOOP;
END $$
"""


@dataclass(frozen=True, slots=True)
class Day:
    """What was told while everything happened once, and which tables there are."""

    plans: Plans
    tables: frozenset[str]


@pytest.fixture(scope="module")
async def day(
    stack: Stack, database_for: DatabaseFor, kafka_settings: KafkaSettings
) -> AsyncGenerator[Day]:
    services = {
        package: Inside(package, await database_for(package), kafka_settings)
        for package in PACKAGES
    }
    tables = [await _begin(service.url) for service in services.values()]
    await explain_all(stack, *(service.url for service in services.values()))
    with listening() as plans:
        async with open_doors(services) as doors:
            await Days(doors).go_by()
        await asyncio.sleep(0)
        yield Day(plans, frozenset().union(*tables))


async def _begin(url: str) -> set[str]:
    """Keep a database without statistics; return its tables."""
    connection = await asyncpg.connect(url, ssl=False)
    try:
        await connection.execute(_NO_STATISTICS)
        return {row["relname"] for row in await connection.fetch(_TABLES)}
    finally:
        await connection.close()
