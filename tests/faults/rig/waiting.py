"""Waits for what a database is to say, or a process of itself."""

import asyncio

from tests.faults.rig.rig import Rig
from tests.stack.process import Process

WITHIN = 40.0
_ASK_EVERY = 0.05


async def until(
    rig: Rig, service: str, question: str, *values: object, within: float = WITHIN
) -> None:
    """Wait until a query of a service's database answers true."""
    async with asyncio.timeout(within):
        while not await rig.one(service, question, *values):
            await asyncio.sleep(_ASK_EVERY)


async def not_ready(process: Process, why: str, *, within: float = WITHIN) -> str:
    """Wait until a process says that it is not ready, with this word; return what it says."""
    async with asyncio.timeout(within):
        while why not in (said := await process.troubles()):
            await asyncio.sleep(_ASK_EVERY)
    return said
