"""Scenario: passwords of databases and API keys are exchanged while leads come in.

Passwords in both orders that lose nothing: the file first and the role later, and both at once.
"""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
from tests.faults.invariants import Findings, balance
from tests.faults.rig.load import INTAKE, leads_coming_in, level
from tests.faults.rig.rig import SCOPES, Rig
from tests.stack.keys import bearer
from tests.stack.logins import Login, own_login
from tests.stack.process import Process

from shared.web.keys import NewKey, new_key

_WARM, _PAUSE = 1.0, 0.02
_A_SECOND = 40
_AT_ONCE = (3, 6, 9)
_WITHIN = 60.0
_BLOCKED_WITHIN = 1.5
_UNAUTHENTICATED = 401
_BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE usename = $1 AND wait_event_type = 'Lock' AND datname = current_database()"
)
Logins = Mapping[str, Login]


@dataclass
class Seen:
    """What a scenario saw.

    Attributes:
        not_taken: leads that were not answered 2xx at the first try.
        asked: answers to who asks all the while with the key that holds then, by status.
        opened: connections that the API opened after each step.
        refused_after: seconds until a revoked key was refused.
    """

    broken: Findings = field(default_factory=dict)
    not_taken: int = 0
    asked: Counter[int] = field(default_factory=Counter)
    opened: list[int] = field(default_factory=list)
    refused_after: float = 0.0


async def exchanging(rig: Rig, place: Path) -> Seen:
    """Exchange everything once, then balance."""
    seen = Seen()
    async with AsyncExitStack() as stack:
        logins = {
            service: await stack.enter_async_context(
                own_login(rig.stack, rig.urls[service], place / service, of=service)
            )
            for service in rig.urls
        }
        door = await _start(rig, logins, INTAKE, "api")
        await asyncio.gather(*(_start(rig, logins, service, "worker") for service in rig.urls))
        async with leads_coming_in(rig, door, a_second=_A_SECOND) as ledger:
            await asyncio.sleep(_WARM)
            async with await rig.client(door) as client:
                await _exchange_passwords(rig, client, logins, seen)
            await _exchange_keys(rig, door, seen)
            await level(rig, within=_WITHIN)
        seen.broken = await balance(rig, ledger=ledger, within=_WITHIN)
        seen.not_taken = ledger.not_taken
    return seen


async def _start(rig: Rig, logins: Logins, service: str, role: str) -> Process:
    """Start a process that knows its database by a file alone."""
    process = rig.process(service, role, database_url_file=str(logins[service].file))
    told = process.environment
    process.environment = {name: told[name] for name in told if name != "HANDOFF_DATABASE_URL"}
    process.start()
    await process.ready()
    return process


async def _exchange_passwords(
    rig: Rig, client: httpx.AsyncClient, logins: Logins, seen: Seen
) -> None:
    """After each step the API needs more connections than it has, and the workers new ones."""
    second, third = secrets.token_hex(8), secrets.token_hex(8)
    for login in logins.values():
        login.write(second)
    await _need_more(rig, client, logins, _AT_ONCE[0], seen)
    for login in logins.values():
        await login.alter(second)
    await _need_more(rig, client, logins, _AT_ONCE[1], seen)
    for login in logins.values():
        await login.alter(third)
        login.write(third)
    await _need_more(rig, client, logins, _AT_ONCE[2], seen)


async def _need_more(
    rig: Rig, client: httpx.AsyncClient, logins: Logins, count: int, seen: Seen
) -> None:
    """Ask so many things at once that wait for each other's database; none may fail."""
    before = await logins[INTAKE].sessions()
    async with _nobody_reads_sources(rig) as blocking:
        asking = [asyncio.create_task(client.get("/v1/sources")) for _ in range(count)]
        end = time.monotonic() + _BLOCKED_WITHIN
        while (
            await blocking.fetchval(_BLOCKED, logins[INTAKE].role) < count
            and time.monotonic() < end
        ):
            await asyncio.sleep(_PAUSE)
    seen.asked.update([(await answer).status_code for answer in asking])
    seen.opened.append(len(await logins[INTAKE].sessions() - before))
    for service, login in logins.items():
        if service != INTAKE:  # whose sessions are its API's too, which would have to ask again
            await login.end_sessions()


@asynccontextmanager
async def _nobody_reads_sources(rig: Rig) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(rig.urls[INTAKE], ssl=False)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE source IN ACCESS EXCLUSIVE MODE")
            yield connection
    finally:
        await connection.close()


async def _exchange_keys(rig: Rig, door: Process, seen: Seen) -> None:
    """Make the next key, change over to it, revoke the one before; ask all the while."""
    first, second = await _make_key(rig), await _make_key(rig)
    async with httpx.AsyncClient(base_url=door.url, headers=bearer(first.text)) as client:
        asking = asyncio.create_task(_ask_on(client, seen))
        await asyncio.sleep(_WARM)
        client.headers.update(bearer(second.text))
        await asyncio.sleep(_WARM)  # whoever is still asked by the first is answered
        await rig.ask(INTAKE, "SELECT revoke_api_key($1)", first.key_id)
        seen.refused_after = await _until_refused(door, first)
        asking.cancel()
        await asyncio.wait([asking])


async def _ask_on(client: httpx.AsyncClient, seen: Seen) -> None:
    while True:
        seen.asked[(await client.get("/v1/sources")).status_code] += 1
        await asyncio.sleep(_PAUSE)


async def _until_refused(door: Process, key: NewKey) -> float:
    began = time.monotonic()
    async with asyncio.timeout(_WITHIN), httpx.AsyncClient(base_url=door.url) as client:
        while True:
            answer = await client.get("/v1/sources", headers=bearer(key.text))
            if answer.status_code == _UNAUTHENTICATED:
                return time.monotonic() - began
            await asyncio.sleep(_PAUSE)


async def _make_key(rig: Rig) -> NewKey:
    key = new_key()
    sql = "SELECT create_api_key($1, $2, 'a scenario', $3, NULL, NULL)"
    await rig.ask(INTAKE, sql, key.key_id, key.secret_hash, list(SCOPES))
    return key
