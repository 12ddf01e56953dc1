"""More and fewer processes of a service while leads come in: nobody notices."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from tests.e2e.walk import a_source, eventually
from tests.faults.ledger import Ledger, some_leads, storm
from tests.stack.system import System

SERVICES = ("marketing-intake", "lead-scoring")
ROLES = ("api", "worker")
A_SECOND = 30


@asynccontextmanager
async def leads_coming_in(system: System, *, kept: bool) -> AsyncGenerator[Ledger]:
    """Post leads, on connections that are kept or on a new one each; afterwards all are answered.

    Who keeps a connection stays with its process; who comes anew meets any of them.
    """
    ledger, over = Ledger(), asyncio.Event()
    async with system.client("marketing-intake") as intake:
        source = (await a_source(intake))["id"]
        if not kept:
            intake.headers["Connection"] = "close"

        async def post() -> None:
            while not over.is_set():
                leads = some_leads(source, A_SECOND, seed=2 * len(ledger.sent) + kept)
                await storm(intake, leads, a_second=A_SECOND, ledger=ledger)

        posting = asyncio.create_task(post())
        try:
            yield ledger
        finally:
            over.set()
            await posting


def counts(system: System) -> dict[str, int]:
    return {f"{of} {role}": len(system.pids(of, role)) for of in SERVICES for role in ROLES}


async def answered(system: System, service: str) -> list[bool]:
    """Tell of each API process whether it has answered leads."""
    async with httpx.AsyncClient(timeout=20) as http:
        shown = [
            (await http.get(f"{each['operations_url']}/metrics")).text
            for each in system.status["services"][service]["processes"]
            if each["role"] == "api"
        ]
    return ['route="/v1/leads"' in text for text in shown]


@pytest.mark.timeout(600)
async def test_from_one_replica_to_three_and_back_no_request_fails_and_all_balances(
    system: System,
) -> None:
    more, fewer = [f"{service}=3" for service in SERVICES], [f"{name}=1" for name in SERVICES]

    async with (
        leads_coming_in(system, kept=True) as kept,
        leads_coming_in(system, kept=False) as anew,
    ):
        await asyncio.to_thread(system.handoff, "scale", *more)
        scaled = counts(system)

        async def all_answer() -> bool:
            return await answered(system, "marketing-intake") == [True] * 3

        await eventually(all_answer)
        await asyncio.to_thread(system.handoff, "scale", *fewer)
        shrunk = counts(system)
        stored = min(len(kept.receipts), len(anew.receipts))

        async def goes_on() -> bool:
            return min(len(kept.receipts), len(anew.receipts)) > stored + A_SECOND

        await eventually(goes_on)
    audit = await asyncio.to_thread(system.handoff, "audit", "--kafka", "--wait", "60", "--json")
    report = json.loads(audit.stdout)

    assert set(scaled.values()) == {3}
    assert set(shrunk.values()) == {1}
    assert (dict(kept.unknown), dict(anew.unknown)) == ({}, {})
    assert (kept.not_taken, anew.not_taken) == (0, 0)
    assert (report["balanced"], report["missing"], report["kafka"]["inversions"]) == (True, 0, 0)
    assert report["violations"] == []
