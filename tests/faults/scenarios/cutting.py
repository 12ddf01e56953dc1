"""Scenarios: the connection to the database is cut at each statement of each use case, in turn.

The server carries the statement out and nobody hears of it. First the work is done uncut, to see
which statements there are; then once for each of them, until it is done all the same.
"""

import itertools
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from tests.faults.invariants import INTAKE, NOTIFIER, PIPELINE, Findings, balance
from tests.faults.ledger import Ledger, make_source, some_leads
from tests.faults.rig.between import between
from tests.faults.rig.rig import Rig
from tests.faults.rig.statements import Cutter, Place
from tests.faults.rig.waiting import until
from tests.faults.scenarios.crashing import deal_opened
from tests.faults.scenarios.racing import qualified
from tests.stack.feeder import feeding
from tests.stack.process import Process

from shared.ids import new_id

Work = Callable[[], Awaitable[None]]

_CUT_WITHIN = 15.0
_MOVED = "SELECT count(*) FROM timeline_entry WHERE kind = 'stage_changed'"
_RUNG = "SELECT count(*) > 0 FROM task WHERE lead_id = $1 AND state = 'overdue'"


@dataclass
class Cuts:
    """What was cut, for the figures; `findings` is what was broken afterwards."""

    commits: int = 0
    cuts: int = 0
    in_doubt: int = 0
    findings: Findings = field(default_factory=dict)

    async def at_each_statement(self, process: Process, cutter: Cutter, work: Work) -> None:
        """Do the work uncut, then for each statement of it until it was cut there."""
        await work()
        places = await _of_the_work(cutter, work)
        for place in places:
            await _cut_at(place, process, cutter, work)
        self.commits += sum(statement.startswith("COMMIT") for _, statement in places)
        self.cuts += cutter.cuts


async def _of_the_work(cutter: Cutter, work: Work) -> list[Place]:
    """Return the places of what is said each time that the work is done; the rest has its clock."""
    cutter.seen = {}
    await work()
    first, cutter.seen = {statement for _, statement in cutter.seen}, {}
    await work()
    print("said now and then, so not cut:", {text for _, text in cutter.seen} ^ first or "nothing")
    return [place for place in cutter.seen if place[1] in first]


async def _cut_at(place: Place, process: Process, cutter: Cutter, work: Work) -> None:
    """Work until the connection was cut where it was to be.

    Which statement came before on the connection may be chance, and some are said by a young
    process alone: at last it begins anew, and what came before is not asked for.
    """
    cutter.at = place
    if await _is_cut(cutter, work):
        return
    cutter.at = (None, place[1])
    deaths = len(process.deaths)
    process.kill()
    await process.died(deaths + 1)
    await process.ready()
    if not await _is_cut(cutter, work):
        raise TimeoutError(f"this was not said again, so it was not cut: {place}")


async def _is_cut(cutter: Cutter, work: Work) -> bool:
    """Work until the connection was cut; tell whether it was in time."""
    end = time.monotonic() + _CUT_WITHIN
    while cutter.at is not None and time.monotonic() < end:
        await work()
    return cutter.at is None


@asynccontextmanager
async def cut_off(
    rig: Rig, service: str, role: str = "worker", only: Sequence[str] = ()
) -> AsyncGenerator[tuple[Process, Cutter]]:
    """Run a process for the block, of these loops alone, behind a proxy that can cut."""
    cutter = Cutter()
    async with between(rig) as (hidden, proxy):
        proxy.watch_each = cutter.watch
        process = await _run(hidden, service, role, only=only)
        try:
            yield process, cutter
        finally:
            await process.die()


async def _run(rig: Rig, service: str, role: str = "worker", only: Sequence[str] = ()) -> Process:
    """Start a process that says each statement whole, as behind a pooler: so a proxy reads it."""
    process = rig.process(service, role, number=len(rig.processes))
    process.environment = {**process.environment, "HANDOFF_DATABASE_PREPARES": "false"}
    process.command = [*process.command, *(word for loop in only for word in ("--only", loop))]
    process.start()
    await process.ready()
    return process


async def intake(rig: Rig, *, in_doubt: int) -> Cuts:
    """Cut while a lead is captured, while it is resolved, and while the relay archives.

    Then, so many times more, at the statement that stores it: its answer is always the one lost.
    """
    done, ledger = Cuts(), Ledger()
    async with (
        cut_off(rig, INTAKE, "api") as (door, capture),
        cut_off(rig, INTAKE, only=["resolve"]) as (resolver, resolve),
        cut_off(rig, INTAKE, only=["relay"]) as (relaying, relay),
        await rig.client(door) as client,
    ):
        source = await make_source(client)

        async def one_lead() -> None:
            number = len(ledger.sent)
            ((key, lead),) = some_leads(source, 1, seed=number).items()
            await ledger.send(client, key, lead)
            await until(rig, INTAKE, "SELECT count(*) > $1 FROM outbox_archive", number)

        for process, cutter in ((door, capture), (resolver, resolve), (relaying, relay)):
            await done.at_each_statement(process, cutter, one_lead)
        storing = next(text for _, text in capture.seen if text.startswith("WITH arrived"))
        before = capture.cuts
        for _ in range(in_doubt):
            capture.at = (None, storing)
            await one_lead()
        done.in_doubt = capture.cuts - before
        done.findings = await balance(rig, ledger=ledger) | _unfit(ledger.wrong)
    return done


async def hearing(rig: Rig) -> Cuts:
    """Cut while the pipeline hears that a lead qualified, and opens its deal."""
    done = Cuts()
    await _run(rig, PIPELINE, only=["relay"])
    async with (
        cut_off(rig, PIPELINE, only=["consume"]) as (process, cutter),
        feeding(rig.kafka) as feeder,
    ):

        async def one_deal() -> None:
            lead = new_id()
            await feeder.say(qualified(lead))
            await until(rig, PIPELINE, "SELECT count(*) > 0 FROM deal WHERE lead_id = $1", lead)

        await done.at_each_statement(process, cutter, one_deal)
        done.findings = await balance(rig, fed=feeder.said)
    return done


async def editing(rig: Rig) -> Cuts:
    """Cut while a rep moves a deal; they ask again under the same key until it is done."""
    done, lead, moves = Cuts(), new_id(), itertools.count(1)
    answers: Counter[int] = Counter()
    await _run(rig, PIPELINE)
    async with cut_off(rig, PIPELINE, "api") as (door, cutter), feeding(rig.kafka) as feeder:
        await feeder.say(qualified(lead))
        await until(rig, PIPELINE, "SELECT count(*) > 0 FROM deal")
        deal = await rig.one(PIPELINE, "SELECT id FROM deal")
        async with await rig.client(door) as client:

            async def one_move() -> None:
                number = next(moves)
                body = {"stage": ("contacted", "demo")[number % 2]}
                while (
                    status := await _post(client, f"/v1/deals/{deal}/stage", body, number)
                ) > 299:
                    answers[status] += 1

            await done.at_each_statement(door, cutter, one_move)
        moved = await rig.one(PIPELINE, _MOVED)
        done.findings = await balance(rig, fed=feeder.said) | _unfit(answers)
        done.findings |= {"moves unlike entries": moved} if moved != next(moves) - 1 else {}
    return done


async def ringing(rig: Rig) -> Cuts:
    """Cut while a task's time comes."""
    done = Cuts()
    await rig.ask(NOTIFIER, "UPDATE playbook SET due_in_seconds = 0, grace_seconds = 0")
    await _run(rig, NOTIFIER, only=["relay", "consume"])
    async with (
        cut_off(rig, NOTIFIER, only=["ring"]) as (process, cutter),
        feeding(rig.kafka) as feeder,
    ):

        async def one_task() -> None:
            lead = new_id()
            await feeder.say(deal_opened(lead))
            await until(rig, NOTIFIER, _RUNG, lead)

        await done.at_each_statement(process, cutter, one_task)
        done.findings = await balance(rig, fed=feeder.said)
    return done


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, str], number: int) -> int:
    headers = {"Idempotency-Key": f"move-{number}"}
    answer = await client.post(path, json=body, headers=headers)
    fit = answer.status_code != 503 or "retry-after" in answer.headers
    return answer.status_code if fit else 0


def _unfit(answers: Mapping[int, int]) -> Findings:
    """Count the answers that nobody may give to a cut connection."""
    wrong = sum(count for status, count in answers.items() if status != 503)
    return {"answered other than 2xx or 503 with Retry-After": wrong} if wrong else {}
