"""A load client that keeps a ledger of every attempt: ok, refused, or unknown.

Unknown (a 5xx, a time-out, a reset) means "ask again with the same key", as a good sender does.
What was answered 2xx must be found afterwards exactly once, whatever died in between.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

_UNKNOWN_PAUSE = 0.2
_ATTEMPTS = 200


@dataclass
class Ledger:
    """What was sent, and what was answered."""

    receipts: dict[str, str] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)

    async def send(self, client: httpx.AsyncClient, key: str, lead: dict[str, Any]) -> None:
        """Post a lead until its fate is known."""
        for _ in range(_ATTEMPTS):
            outcome = await self._try(client, key, lead)
            self.attempts[outcome] += 1
            if outcome != "unknown":
                return
            await asyncio.sleep(random.uniform(0, _UNKNOWN_PAUSE))
        raise TimeoutError(f"{key}: no answer after {_ATTEMPTS} attempts")

    async def _try(self, client: httpx.AsyncClient, key: str, lead: dict[str, Any]) -> str:
        try:
            answer = await client.post("/v1/leads", json=lead, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            return "unknown"
        if answer.status_code >= 500:
            return "unknown"
        if answer.is_success:
            self.receipts[key] = answer.json()["receipt_id"]
            return "ok"
        self.refused[key] = answer.status_code
        return "refused"


async def storm(
    client: httpx.AsyncClient,
    leads: dict[str, dict[str, Any]],
    *,
    at_once: int = 16,
    a_second: float = 200.0,
) -> Ledger:
    """Send all leads, each under its key, some at once and not faster than told."""
    ledger = Ledger()
    free = asyncio.Semaphore(at_once)
    tasks: list[asyncio.Task[None]] = []

    async def one(key: str, lead: dict[str, Any]) -> None:
        async with free:
            await ledger.send(client, key, lead)

    for key, lead in leads.items():
        tasks.append(asyncio.create_task(one(key, lead)))
        await asyncio.sleep(1 / a_second)
    await asyncio.gather(*tasks)
    return ledger
