"""Scenarios: the broker dies, stays away, or cannot be reached, while leads come in by HTTP.

Intake and scoring with the real thing between them; what is returned is what was seen.
"""

import asyncio
import time
from dataclasses import dataclass, field

from tests.faults.invariants import Findings, balance
from tests.faults.rig.load import INTAKE, leads_coming_in, level, watched
from tests.faults.rig.proxy import Proxy, watch_nothing
from tests.faults.rig.rig import Rig
from tests.stack.nodes import Node
from tests.stack.process import Process

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
        behind: how old the newest lead that was scored became by each kill, as a multiple of the
            time that the broker was away: nothing was scored then, or it was not felt.
        drain: events sent a second from then until level, as a multiple of those that came in.
        started_again: how often the relay's process began anew by itself.
        swallowed: pieces that disappeared on the way to the broker.
        cut: connections that were reset, and those whose answer was cut off.
    """

    broken: Findings = field(default_factory=dict)
    not_taken: int = 0
    level_after: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    drain: float = 0.0
    started_again: int = 0
    swallowed: int = 0
    cut: tuple[int, int] = (0, 0)


async def killed(rig: Rig, node: Node, *, times: int, a_second: int = 30) -> Seen:
    """The broker is killed again and again, and is back as soon as it can be."""
    seen = Seen()
    door = await _started(rig)
    async with leads_coming_in(rig, door, a_second=a_second) as ledger:
        await asyncio.sleep(_WARM)
        await level(rig, within=_LEVEL_WITHIN)
        for _ in range(times):
            async with watched(rig) as watch:
                began = time.monotonic()
                await node.kill()
                await node.start()
                away = time.monotonic() - began
                seen.level_after.append(await level(rig, within=_LEVEL_WITHIN))
            seen.behind.append(watch.age / away)
    seen.broken = await balance(rig, ledger=ledger, within=_LEVEL_WITHIN)
    seen.not_taken = ledger.not_taken
    return seen


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
    seen.broken = await balance(rig, ledger=ledger, within=_LEVEL_WITHIN)
    seen.not_taken = ledger.not_taken
    return seen


async def badly_joined(
    rig: Rig, proxy: Proxy, *, seconds: float, times: int, a_second: int = 30
) -> Seen:
    """The workers reach the broker by the proxy alone: a black hole, resets, answers cut off."""
    seen = Seen()
    door = await _started(rig, kafka_bootstrap=proxy.address, ack_seconds=_ACK_SECONDS)
    async with leads_coming_in(rig, door, a_second=a_second) as ledger:
        counts: list[int] = []
        for fault in (
            _swallow_all(proxy, seconds),
            _reset_all(proxy, times),
            _cut_answers(proxy, times),
        ):
            await asyncio.sleep(_WARM)
            counts.append(await fault)
            seen.level_after.append(await level(rig, within=_LEVEL_WITHIN))
        seen.swallowed, *cut = counts
        seen.cut = (cut[0], cut[1])
    relay_log = rig.processes[f"{INTAKE}-worker-0"].log.read_text()
    seen.started_again = relay_log.count("starting_again")
    seen.broken = await balance(rig, ledger=ledger, within=_LEVEL_WITHIN)
    seen.not_taken = ledger.not_taken
    return seen


async def _swallow_all(proxy: Proxy, seconds: float) -> int:
    """Let all that is sent disappear, with records in flight; return how many pieces did."""
    before, proxy.swallowing = proxy.swallowed, True
    await asyncio.sleep(seconds)
    proxy.swallowing = False
    proxy.cut()  # what was swallowed is missing from these: no stream goes on with a hole
    return proxy.swallowed - before


async def _reset_all(proxy: Proxy, times: int) -> int:
    """Reset all connections, again and again; return how many those were."""
    reset = 0
    for _ in range(times):
        reset += proxy.cut()
        await asyncio.sleep(_BETWEEN_CUTS)
    return reset


async def _cut_answers(proxy: Proxy, times: int) -> int:
    """Let the broker take what the relays send, and cut off its answers, so many in a row."""
    cut_before = proxy.cuts
    proxy.watch = _is_produce
    async with asyncio.timeout(_LEVEL_WITHIN):
        while proxy.cuts < cut_before + times:
            await asyncio.sleep(_LOOK_EVERY)
    proxy.watch = watch_nothing
    return proxy.cuts - cut_before


def _is_produce(piece: bytes) -> bool:
    """Tell the head of a produce request: after its length comes the kind, which is 0."""
    return piece[4:6] == _PRODUCE


async def _started(rig: Rig, **settings: str) -> Process:
    """Start intake and scoring; return the door."""
    door, *_ = await asyncio.gather(
        rig.start(INTAKE, "api"),
        rig.start(INTAKE, **settings),
        rig.start("lead_scoring", **settings),
    )
    return door


async def _said(rig: Rig) -> int:
    return await rig.one(INTAKE, "SELECT coalesce(sum(last_sequence), 0)::int FROM said_stream")


async def _sent(rig: Rig) -> int:
    return await rig.one(INTAKE, "SELECT count(*) FROM outbox_archive")
