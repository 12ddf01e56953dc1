"""Scenarios: of three brokers, copies on each, one or two fail, while leads come in by HTTP."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.faults.invariants import Findings, balance
from tests.faults.ledger import Ledger
from tests.faults.rig.load import INTAKE, leads_coming_in, level, watched
from tests.faults.rig.rig import Rig
from tests.stack.nodes import Node, Nodes

from shared.contracts.catalogue import said_by
from shared.kafka.topics import physical

_WARM = 2.0
_LEVEL_WITHIN = 90.0
_A_SECOND = 30


@dataclass
class Seen:
    """What a scenario saw.

    Attributes:
        ages: by fault, how old the newest lead that had reached scoring was at its worst.
    """

    broken: Findings = field(default_factory=dict)
    not_taken: int = 0
    ages: dict[str, float] = field(default_factory=dict)
    sent_without: int = 0


async def one_of_three(rig: Rig, nodes: Nodes) -> Seen:
    """A leader is killed, then the active controller, then a leader stands still and goes on.

    In between all copies come in step: two away at once is another scenario.
    """
    seen = Seen()
    async with _busy(rig) as ledger:
        async with _dip(rig, seen, "a leader killed"):
            leader = await nodes.busiest(_topics(rig))
            await leader.kill()
        await _back(rig, nodes, leader)
        async with _dip(rig, seen, "the controller killed"):
            controller = nodes.controller()
            await controller.kill()
        await _back(rig, nodes, controller)
        async with _dip(rig, seen, "a leader standing still"):
            leader = await nodes.busiest(_topics(rig))
            leader.process.send(signal.SIGSTOP)
        leader.process.send(signal.SIGCONT)
        await level(rig, within=_LEVEL_WITHIN)
    seen.broken = await balance(rig, ledger=ledger, within=_LEVEL_WITHIN)
    seen.not_taken = ledger.not_taken
    return seen


async def two_of_three(rig: Rig, nodes: Nodes, *, seconds: float) -> Seen:
    """Two are away for a while: too few copies, so nothing is sent; then they come back."""
    seen = Seen()
    async with _busy(rig) as ledger:
        away = [nodes.nodes[1], nodes.nodes[2]]
        await asyncio.gather(*(node.kill() for node in away))
        await asyncio.sleep(_WARM)
        sent_before = await _sent(rig)
        await asyncio.sleep(seconds)
        seen.sent_without = await _sent(rig) - sent_before
        await asyncio.gather(*(node.start() for node in away))
        async with _dip(rig, seen, "from the return of two"):
            pass
    seen.broken = await balance(rig, ledger=ledger, within=_LEVEL_WITHIN)
    seen.not_taken = ledger.not_taken
    return seen


async def _back(rig: Rig, nodes: Nodes, killed: Node) -> None:
    await killed.start()
    await nodes.whole(_topics(rig))


@asynccontextmanager
async def _busy(rig: Rig) -> AsyncGenerator[Ledger]:
    """Run intake and scoring, with leads coming in, during the block."""
    door, *_ = await asyncio.gather(
        rig.start(INTAKE, "api"), rig.start(INTAKE), rig.start("lead_scoring")
    )
    async with leads_coming_in(rig, door, a_second=_A_SECOND) as ledger:
        await asyncio.sleep(_WARM)
        await level(rig, within=_LEVEL_WITHIN)
        yield ledger


@asynccontextmanager
async def _dip(rig: Rig, seen: Seen, fault: str) -> AsyncGenerator[None]:
    """Do something to a broker in the block; note how stale scoring becomes until it is level."""
    async with watched(rig) as watch:
        yield
        await asyncio.sleep(_WARM)
        await level(rig, within=_LEVEL_WITHIN)
    seen.ages[fault] = watch.age


def _topics(rig: Rig) -> list[str]:
    return [
        physical(rig.kafka, topic)
        for topic in (*said_by("marketing-intake"), *said_by("lead-scoring"))
    ]


async def _sent(rig: Rig) -> int:
    return await rig.one(INTAKE, "SELECT count(*) FROM outbox_archive")
