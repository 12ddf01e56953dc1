"""Scenarios: the broker dies, stays away, or cannot be reached, while leads come in by HTTP.

Intake and scoring with the real thing between them; what is returned is what was seen.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.faults.invariants import Findings, broken
from tests.faults.ledger import Ledger
from tests.faults.rig.load import INTAKE, leads_coming_in, level, not_taken
from tests.faults.rig.nodes import Node
from tests.faults.rig.process import Process
from tests.faults.rig.proxy import Proxy, watch_nothing
from tests.faults.rig.quiet import quiet
from tests.faults.rig.rig import Rig

_WARM = 1.5
_LEVEL_WITHIN = 90.0
_LOOK_EVERY = 0.02
_BETWEEN_CUTS = 0.3
_ACK_SECONDS = "2"
_PRODUCE = b"\0\0"


@dataclass
class Seen:
    """What a scenario saw.

    Attributes:
        level_after: seconds from each return of the broker until all leads were scored.
        drain: events sent a second from then until level, as a multiple of those that came in.
        started_again: how often the relay's process began anew by itself.
    """

    broken: Findings = field(default_factory=dict)
    not_taken: int = 0
    level_after: list[float] = field(default_factory=list)
    drain: float = 0.0
    started_again: int = 0


async def killed(rig: Rig, node: Node, *, times: int, a_second: int = 30) -> Seen:
    """The broker is killed again and again, and is back as soon as it can be."""
    seen = Seen()
    door = await _started(rig)
    async with leads_coming_in(rig, door, a_second=a_second) as ledger:
        await asyncio.sleep(_WARM)
        for _ in range(times):
            await node.kill()
            await node.start()
            seen.level_after.append(await level(rig, within=_LEVEL_WITHIN))
    return await _settled(rig, ledger, seen)


async def gone(rig: Rig, node: Node, *, seconds: float, a_second: int) -> Seen:
    """There is no broker for a long while; then there is one again."""
    seen = Seen()
    door = await _started(rig)
    async with leads_coming_in(rig, door, a_second=a_second) as ledger:
        await asyncio.sleep(_WARM)
        await node.kill()
        came_before = await _said(rig)
        began = time.monotonic()
        await asyncio.sleep(seconds)
        await node.start()
        came = (await _said(rig) - came_before) / (time.monotonic() - began)
        sent_before, back = await _sent(rig), time.monotonic()
        seen.level_after.append(await level(rig, within=_LEVEL_WITHIN + seconds))
        sent = (await _sent(rig) - sent_before) / (time.monotonic() - back)
        seen.drain = sent / came
    return await _settled(rig, ledger, seen)


async def swallowed(rig: Rig, proxy: Proxy, *, seconds: float, a_second: int = 30) -> Seen:
    """All that is sent to the broker disappears, with records in flight."""

    async def black_hole() -> None:
        proxy.swallowing = True
        await asyncio.sleep(seconds)
        proxy.swallowing = False
        proxy.cut()  # what was swallowed is missing from these: no stream goes on with a hole

    return await _badly_joined(rig, proxy, black_hole, a_second)


async def reset(rig: Rig, proxy: Proxy, *, times: int, a_second: int = 30) -> Seen:
    """All connections to the broker are reset, again and again."""

    async def cut_all() -> None:
        for _ in range(times):
            proxy.cut()
            await asyncio.sleep(_BETWEEN_CUTS)

    return await _badly_joined(rig, proxy, cut_all, a_second)


async def unanswered(rig: Rig, proxy: Proxy, *, times: int, a_second: int = 30) -> Seen:
    """The broker takes what the relay sends, and its answers are cut off, so many in a row."""

    async def cut_answers() -> None:
        cut_before = proxy.cuts
        proxy.watch = _is_produce
        async with asyncio.timeout(_LEVEL_WITHIN):
            while proxy.cuts < cut_before + times:
                await asyncio.sleep(_LOOK_EVERY)
        proxy.watch = watch_nothing

    return await _badly_joined(rig, proxy, cut_answers, a_second)


def _is_produce(piece: bytes) -> bool:
    """Tell the head of a produce request: after its length comes the kind, which is 0."""
    return piece[4:6] == _PRODUCE


async def _badly_joined(
    rig: Rig, proxy: Proxy, fault: Callable[[], Awaitable[None]], a_second: int
) -> Seen:
    """Let the workers reach the broker by the proxy alone, and the fault take its course."""
    seen = Seen()
    behind = {"kafka_bootstrap": proxy.address, "ack_seconds": _ACK_SECONDS}
    door = await _started(rig, **behind)
    async with leads_coming_in(rig, door, a_second=a_second) as ledger:
        await asyncio.sleep(_WARM)
        await fault()
        seen.level_after.append(await level(rig, within=_LEVEL_WITHIN))
    relay_log = rig.processes["marketing_intake-worker-0"].log.read_text()
    seen.started_again = relay_log.count("starting_again")
    return await _settled(rig, ledger, seen)


async def _started(rig: Rig, **settings: str) -> Process:
    """Start intake and scoring; return the door."""
    door, *_ = await asyncio.gather(
        rig.start(INTAKE, "api"),
        rig.start(INTAKE, **settings),
        rig.start("lead_scoring", **settings),
    )
    return door


async def _settled(rig: Rig, ledger: Ledger, seen: Seen) -> Seen:
    await quiet(rig, within=_LEVEL_WITHIN)
    seen.not_taken = not_taken(ledger)
    seen.broken = await broken(rig, ledger=ledger)
    return seen


async def _said(rig: Rig) -> int:
    return await rig.one(INTAKE, "SELECT coalesce(sum(last_sequence), 0)::int FROM said_stream")


async def _sent(rig: Rig) -> int:
    return await rig.one(INTAKE, "SELECT count(*) FROM outbox_archive")
