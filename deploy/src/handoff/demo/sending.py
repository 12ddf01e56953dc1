"""Posts leads at a steady rate, whatever the answers take: an open loop, as the world is one."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from handoff.demo.people import DemoLead
from handoff.demo.sources import Source

AT_ONCE = 16
"""Requests that are open at a time. The others wait for their turn here: the client's own pool
costs more for each connection and for each request that it has to look through."""

_TRIES = 20
_RETRY_SECONDS = 2.0
_ACCEPTED = 202
_BUSY = 503


@dataclass(slots=True)
class Sent:
    """What was posted, and how it was answered.

    Attributes:
        receipts: of the accepted, in the order of the answers.
        refusals: what the others were answered, or that they were not.
        seconds: from each lead's turn to its answer.
    """

    count: int = 0
    receipts: list[UUID] = field(default_factory=list[UUID])
    refusals: list[str] = field(default_factory=list[str])
    seconds: list[float] = field(default_factory=list[float])
    took: float = 0.0

    def percentile(self, part: float) -> float:
        """Return below which time that part of the answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


@dataclass(frozen=True, slots=True)
class Sender:
    """Posts to one API. `run` makes its idempotency keys unlike those of other runs."""

    client: httpx.AsyncClient
    sources: Mapping[str, Source]
    run: str
    sent: Sent
    done: Callable[[], None]
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def send(self, leads: Sequence[DemoLead], *, rate: float) -> None:
        """Post all leads, `rate` a second, and wait for the answers."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number, lead in enumerate(leads):
                turn = began + number / rate
                await asyncio.sleep(max(0.0, turn - time.monotonic()))
                group.create_task(self._post(number, lead, turn))
        self.sent.count = len(leads)
        self.sent.took = time.monotonic() - began

    async def _post(self, number: int, lead: DemoLead, turn: float) -> None:
        body = {**lead.body, "source_id": self.sources[lead.channel]["id"]}
        async with self.room:
            answer = await self._until_answered(body, key=f"demo-{self.run}-{number}")
        if isinstance(answer, httpx.Response) and answer.status_code == _ACCEPTED:
            self.sent.receipts.append(UUID(answer.json()["receipt_id"]))
        else:
            self.sent.refusals.append(answer if isinstance(answer, str) else answer.text)
        self.sent.seconds.append(time.monotonic() - turn)
        self.done()

    async def _until_answered(self, body: dict[str, Any], *, key: str) -> httpx.Response | str:
        """Return the answer; ask again, with the same key, while there is none or a 503."""
        why = ""
        for _ in range(_TRIES):
            pause = _RETRY_SECONDS
            try:
                answer = await self.client.post(
                    "/v1/leads", json=body, headers={"Idempotency-Key": key}
                )
            except httpx.TransportError as error:
                why = f"no answer: {type(error).__name__}"
            else:
                if answer.status_code != _BUSY:
                    return answer
                why = "503 to the end"
                pause = float(answer.headers.get("retry-after", pause))
            await asyncio.sleep(pause)
        return why
