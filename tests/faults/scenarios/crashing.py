"""Scenarios: a process dies at crash points, again and again, while its work comes in.

Each is the smallest rig that shows it: one service's processes, the rest said or heard by the
scenario. What is returned is what is broken afterwards: nothing.
"""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from tests.faults.invariants import Findings, balance
from tests.faults.ledger import Ledger, make_source, some_leads, storm
from tests.faults.rig.rig import Rig
from tests.faults.rig.waiting import until
from tests.stack.feeder import Feeder, captured, feeding, updated
from tests.stack.process import Process

from shared.clock import utc_now
from shared.contracts.deal import DealOpened
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard
from shared.ids import DealId, LeadId, RepId, new_id

_DEATH_WITHIN = 45.0  # to start on a busy machine, to come to its point, and to die there
_WAVE = 12
Points = Sequence[str]


async def intake(
    rig: Rig, *, api: Points = (), worker: Points = (), within: float = 30.0
) -> Findings:
    """Leads come in by HTTP while the intake's processes die at these points."""
    door, work = rig.process("marketing_intake", "api"), rig.process("marketing_intake", "worker")
    door.crashes, work.crashes = list(api), list(worker)
    for process in (door, work):
        process.start()
        await process.alive()
    ledger, seeds = Ledger(), itertools.count(1)
    async with await rig.client(door) as client:
        source = await make_source(client)

        async def send_some() -> None:
            leads = some_leads(source, _WAVE, seed=next(seeds))
            await storm(client, leads, at_once=6, a_second=60, ledger=ledger)

        await until_dead([(door, len(api)), (work, len(worker))], send_some)
    return await balance(rig, ledger=ledger, within=within)


async def hearing(rig: Rig, *, worker: Points, workers: int = 1, within: float = 30.0) -> Findings:
    """Events of leads are heard by scoring while its first worker dies at these points."""
    process = rig.process("lead_scoring")
    process.crashes = list(worker)
    process.start()
    for number in range(1, workers):
        await rig.start("lead_scoring", number=number)
    async with feeding(rig.kafka) as feeder:
        leads: list[UUID] = []

        async def say_some() -> None:
            leads.append(new_id())
            await feeder.say(captured(leads[-1]), *some_updates(leads, feeder))
            await asyncio.sleep(0.05)

        await until_dead([(process, len(worker))], say_some)
        return await balance(rig, fed=feeder.said, within=within)


async def ringing(
    rig: Rig, *, worker: Points = (), workers: int = 1, within: float = 30.0
) -> Findings:
    """Tasks fall due and overdue while the notifier's first worker dies at these points."""
    await rig.ask("notifier", "UPDATE playbook SET due_in_seconds = 1, grace_seconds = 1")
    process = rig.process("notifier")
    process.crashes = list(worker)
    process.start()
    for number in range(1, workers):
        await rig.start("notifier", number=number)
    async with feeding(rig.kafka) as feeder:

        async def say_some() -> None:
            await feeder.say(*(deal_opened(new_id()) for _ in range(5)))
            await asyncio.sleep(0.2)

        await until_dead([(process, len(worker))], say_some)
        await until(rig, "notifier", "SELECT count(*) = 0 FROM task WHERE next_at IS NOT NULL")
        return await balance(rig, fed=feeder.said, within=within)


async def until_dead(
    processes: Sequence[tuple[Process, int]], work: Callable[[], Awaitable[None]]
) -> None:
    """Give work until each process has died at all of its points; then let them come back."""
    clock = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(_DEATH_WITHIN) as limit:
            while any(len(process.deaths) < times for process, times in processes):
                died = _deaths(processes)
                await work()
                if _deaths(processes) > died:
                    limit.reschedule(clock() + _DEATH_WITHIN)
            await work()
            for process, _ in processes:
                await process.ready()
    except TimeoutError as error:
        died = [f"{each.name}: {len(each.deaths)} of {times}" for each, times in processes]
        raise TimeoutError(
            f"deaths in time, of those that were to be: {', '.join(died)}"
        ) from error


def _deaths(processes: Sequence[tuple[Process, int]]) -> int:
    return sum(len(process.deaths) for process, _ in processes)


def some_updates(leads: Sequence[UUID], feeder: Feeder, count: int = 4) -> list[Event]:
    """Return further events of leads that are known already."""
    chosen = [random.choice(leads) for _ in range(count)]
    next_number = {lead: feeder.said["handoff.leads.v1", lead] + 1 for lead in chosen}
    events: list[Event] = []
    for lead in chosen:
        next_number[lead] += 1
        events.append(updated(lead, next_number[lead]))
    return events


def deal_opened(lead_id: UUID) -> DealOpened:
    """Return what the pipeline says when it opens a deal."""
    return DealOpened(
        lead_id=LeadId(lead_id), lead_version=1, deal_id=DealId(new_id()), owner_id=RepId(new_id()),
        occurred_at=utc_now(), stage="new", score=70, grade="A1",
        lead=LeadCard(email=f"{lead_id}@example.com", company="Example"),
    )  # fmt: skip
