"""Scenario: a migration is killed at one of its statements, and two come at once to do the rest."""

import asyncio
import os
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from tests.faults.rig import tables
from tests.faults.rig.code import Code
from tests.faults.rig.proxy import Watch, proxied
from tests.faults.rig.statements import Statements
from tests.stack import databases
from tests.stack.running import Stack

_ALL_THERE_IS = """
    SELECT table_name || '.' || column_name,
           data_type || ' ' || coalesce(column_default, '') || is_nullable
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT pg_get_indexdef(indexrelid), CASE WHEN indisvalid THEN '' ELSE 'not valid' END
    FROM pg_index WHERE indrelid IN
        (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    UNION ALL
    SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'
    UNION ALL
    SELECT oid::regprocedure::text, pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'version', version_num FROM alembic_version
    UNION ALL
    SELECT relname || ': rows', query_to_xml(format('SELECT count(*) FROM %I', relname),
                                             false, true, '')::text
    FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
"""


@dataclass
class Killer:
    """Watches what a migration sends, and kills it at one statement; the server has that one."""

    at: int = 0
    kill: Callable[[], None] | None = None
    seen: list[str] = field(default_factory=list)

    def watch(self) -> Watch:
        """Return what watches a new connection."""
        statements = Statements()

        def look(piece: bytes) -> bool:
            for statement in statements.read(piece):
                self.seen.append(statement)
                if len(self.seen) == self.at and self.kill:
                    self.kill()
            return False

        return look


async def killed_on_the_way(
    stack: Stack, service: str, code: Code, *, most: int, seed: int
) -> tuple[dict[str, set[tuple[str, str]]], int]:
    """Kill at so many of the statements, in a fresh database each; let two others finish it.

    Return what differs afterwards from what an undisturbed run makes, by the statement, and the
    number of kills.
    """
    undisturbed = Killer()
    async with _database(stack, service) as url:
        assert await _migrate(url, service, code, undisturbed) == 0
        wanted = await _all_there_is(url)
    places = range(1, len(undisturbed.seen) + 1)
    odd: dict[str, set[tuple[str, str]]] = {}
    kills = 0
    for place in random.Random(seed).sample(places, min(most, len(places))):
        async with _database(stack, service) as url:
            killer = Killer(at=place)
            kills += await _migrate(url, service, code, killer) != 0
            again = await asyncio.gather(*(_migrate(url, service, code, Killer()) for _ in (1, 2)))
            assert again == [0, 0], killer.seen[-1]
            if differs := wanted ^ await _all_there_is(url):
                odd[f"{place}: {killer.seen[place - 1]}"] = differs
    return odd, kills


@asynccontextmanager
async def _database(stack: Stack, service: str) -> AsyncGenerator[str]:
    url = await databases.make_empty(stack, service)
    yield url
    await databases.drop(stack, url)


async def _migrate(url: str, service: str, code: Code, killer: Killer) -> int:
    """Migrate from behind a proxy where somebody watches; return how that ended."""
    parts = urlsplit(url)
    async with proxied(parts.hostname or "", parts.port or 0) as proxy:
        proxy.watch_each = killer.watch
        who = parts.netloc.rpartition("@")[0]
        behind = parts._replace(netloc=f"{who}@{proxy.address}").geturl()
        process = await tables.begin(behind, service, code, Path(os.devnull))
        killer.kill = process.kill
        return await process.wait()


async def _all_there_is(url: str) -> set[tuple[str, str]]:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        return {(what, how) for what, how in await connection.fetch(_ALL_THERE_IS)}
    finally:
        await connection.close()
