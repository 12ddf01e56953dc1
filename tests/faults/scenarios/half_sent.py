"""Scenario: the door dies when it has half of what somebody sends to it."""

import asyncio
import contextlib
from typing import Any

import httpx
from tests.faults.invariants import INTAKE, Findings, balance
from tests.faults.ledger import Ledger, make_source, some_leads
from tests.faults.rig.rig import Rig
from tests.stack.process import Process

_IS_READ = 0.1  # seconds until the door has what was sent to it


async def leads(rig: Rig, *, times: int) -> Findings:
    """Each lead is sent by half, and the door dies of it; then its sender comes with all of it."""
    door, _ = await asyncio.gather(rig.start(INTAKE, "api"), rig.start(INTAKE))
    ledger, stored = Ledger(), 0
    async with await rig.client(door) as client:
        some = some_leads(await make_source(client), times, seed=1)
        for key, lead in some.items():
            await _send_half(client, door, key, lead)
            stored += await rig.one(INTAKE, "SELECT count(*) FROM submission")
            stored -= len(ledger.receipts)
            await ledger.send(client, key, lead)
    found = await balance(rig, ledger=ledger)
    return found | ({"stored of half a body": stored} if stored else {})


async def _send_half(
    client: httpx.AsyncClient, door: Process, key: str, lead: dict[str, Any]
) -> None:
    """Begin to post a lead, and kill the door in the middle of that."""
    request = client.build_request("POST", "/v1/leads", json=lead, headers={"Idempotency-Key": key})
    reader, writer = await asyncio.open_connection(request.url.host, request.url.port)
    head = b"".join(name + b": " + value + b"\r\n" for name, value in request.headers.raw)
    writer.write(b"POST /v1/leads HTTP/1.1\r\n" + head + b"\r\n")
    writer.write(request.content[: len(request.content) // 2])
    await writer.drain()
    await asyncio.sleep(_IS_READ)
    door.kill()
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()
