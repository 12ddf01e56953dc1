"""What must hold after any storm, asked of the four databases: nothing lost, nothing doubled."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
from tests.faults.ledger import Ledger
from tests.stack.system import System

_QUIET_SECONDS = 60.0


@dataclass
class Databases:
    """A connection to each of the four databases."""

    by_service: Mapping[str, asyncpg.Connection]

    async def ask(self, service: str, sql: str, *values: object) -> list[asyncpg.Record]:
        """Return the rows of a query."""
        return await self.by_service[service].fetch(sql, *values)

    async def one(self, service: str, sql: str, *values: object) -> Any:
        """Return the value of a query that has one."""
        return await self.by_service[service].fetchval(sql, *values)

    async def close(self) -> None:
        """Close all."""
        for connection in self.by_service.values():
            await connection.close()


async def connect(system: System) -> Databases:
    """Connect to the four databases as their owners."""
    services = system.status["services"]
    opened = {
        name: await asyncpg.connect(found["database"], ssl=False)
        for name, found in services.items()
    }
    return Databases(opened)


async def quiet(databases: Databases) -> None:
    """Wait until nothing is on its way any more: twice in a row, a second apart."""
    async with asyncio.timeout(_QUIET_SECONDS):
        still = 0
        while still < 2:
            still = still + 1 if await _is_quiet(databases) else 0
            await asyncio.sleep(0.7)


async def _is_quiet(databases: Databases) -> bool:
    unresolved = "SELECT count(*) FROM submission WHERE outcome IS NULL AND state = 'received'"
    if await databases.one("marketing-intake", unresolved):
        return False
    said: dict[tuple[str, Any], int] = {}
    heard: list[dict[tuple[str, Any], int]] = []
    for name in databases.by_service:
        for row in await databases.ask(name, "SELECT topic, subject, last_sequence FROM said"):
            said[row["topic"], row["subject"]] = row["last_sequence"]
        rows = await databases.ask(name, "SELECT topic, subject, last_sequence FROM heard")
        heard.append({(r["topic"], r["subject"]): r["last_sequence"] for r in rows})
        if await databases.one(name, "SELECT count(*) FROM outbox"):
            return False
    return all(said.get(stream) == last for some in heard for stream, last in some.items())


async def broken(databases: Databases, ledger: Ledger) -> dict[str, int]:
    """Return the invariants that do not hold, with how often; nothing is what it should be."""
    counts = {name: await check(databases, ledger) for name, check in _CHECKS.items()}
    return {name: count for name, count in counts.items() if count}


async def _lost_submissions(databases: Databases, ledger: Ledger) -> int:
    """Every key that was answered 2xx is stored, under the very receipt that was answered."""
    rows = await databases.ask("marketing-intake", "SELECT key, receipt_id FROM submission_key")
    found = {row["key"].removeprefix("key:"): str(row["receipt_id"]) for row in rows}
    return sum(found.get(key) != receipt for key, receipt in ledger.receipts.items())


async def _without_outcome(databases: Databases, _: Ledger) -> int:
    return await databases.one(
        "marketing-intake",
        "SELECT count(*) FROM submission WHERE outcome IS NULL AND state <> 'waiting'",
    )


async def _doubled_leads(databases: Databases, _: Ledger) -> int:
    return await databases.one(
        "marketing-intake",
        "SELECT count(*) - count(DISTINCT email) FROM lead WHERE email IS NOT NULL",
    )


async def _not_captured_once(databases: Databases, _: Ledger) -> int:
    return await databases.one(
        "marketing-intake",
        """
        SELECT count(*) FROM lead l WHERE 1 <> (
            SELECT count(*) FROM outbox_archive a
            WHERE a.subject = l.id AND a.type = 'lead.captured.v1'
        )
        """,
    )


async def _unscored(databases: Databases, _: Ledger) -> int:
    leads = await _ids(databases, "marketing-intake", "SELECT id FROM lead")
    scored = await _ids(databases, "lead-scoring", "SELECT lead_id FROM lead_score")
    return len(leads ^ scored)


async def _deals_unlike_qualified(databases: Databases, _: Ledger) -> int:
    said = "SELECT DISTINCT subject FROM outbox_archive WHERE type = 'lead.qualified.v1'"
    qualified = await _ids(databases, "lead-scoring", said)
    deals = await databases.ask("sales-pipeline", "SELECT lead_id FROM deal")
    return len(qualified ^ {row[0] for row in deals}) + len(deals) - len({r[0] for r in deals})


async def _tasks_unlike_deals(databases: Databases, _: Ledger) -> int:
    deals = await _ids(databases, "sales-pipeline", "SELECT id FROM deal")
    tasks = await databases.ask("notifier", "SELECT deal_id FROM task WHERE kind = 'first_contact'")
    return len(deals ^ {row[0] for row in tasks}) + len(tasks) - len({r[0] for r in tasks})


async def _ids(databases: Databases, service: str, sql: str) -> set[Any]:
    return {row[0] for row in await databases.ask(service, sql)}


_CHECKS = {
    "answered 2xx and not stored": _lost_submissions,
    "stored and without an outcome": _without_outcome,
    "one person, two leads": _doubled_leads,
    "a lead without exactly one LeadCaptured": _not_captured_once,
    "a lead without a score, or the reverse": _unscored,
    "qualified leads that do not have exactly one deal": _deals_unlike_qualified,
    "deals that do not have exactly one first contact": _tasks_unlike_deals,
}
