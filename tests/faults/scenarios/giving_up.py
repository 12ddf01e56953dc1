"""Scenarios: the worker dies while it gives events up: as poison, or because a person says so."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from tests.faults.invariants import SCORING, Findings, balance
from tests.faults.rig.rig import Rig
from tests.faults.rig.waiting import until
from tests.faults.scenarios.crashing import until_dead
from tests.stack.feeder import Feeder, captured, feeding, updated

from shared.ids import new_id

_POISONED_A_LIFE = 3  # fewer in all than what opens the breaker
_GOOD = 4
_ANSWERS = {200, 202, 404}
"""Done; not done yet; nothing is parked, or no longer: it was done by a worker that died of it."""
_PARKED = "SELECT count(*) > 0 FROM parked_event WHERE subject = $1"
_NOT_DONE = "SELECT count(*) FROM parking_order WHERE done_at IS NULL OR error IS NOT NULL"
_UNCOUNTED = "SELECT count(*) FROM parking_order WHERE verb = 'discard' AND count = 0"
_TOUCHED = "SELECT count(*) FROM lead_score WHERE lead_id = ANY($1) AND touchpoints = 1"


async def poison(rig: Rig, *, worker: Sequence[str]) -> Findings:
    """Poison comes among good events while scoring's worker dies at these points."""
    process, poisoned = rig.process(SCORING), set[UUID]()
    process.crashes = list(worker)
    process.start()
    async with feeding(rig.kafka) as feeder:

        async def say_some() -> None:
            if len(poisoned) < _POISONED_A_LIFE * process.lives:
                poisoned.add(bad := new_id())
                await feeder.say(captured(bad, company="a\0b"))
            await feeder.say(*(captured(new_id()) for _ in range(_GOOD)))
            await asyncio.sleep(0.3)

        await until_dead([(process, len(worker))], say_some)
        found = await balance(rig, fed=feeder.said)
    parked = {row[0] for row in await rig.ask(SCORING, "SELECT subject FROM parked_event")}
    return found | ({"parked unlike poison": len(odd)} if (odd := parked ^ poisoned) else {})


async def gaps(rig: Rig, *, worker: Sequence[str]) -> Findings:
    """What waits behind a gap is discarded by order while scoring's worker dies at these points."""
    door, process = await rig.start(SCORING, "api"), rig.process(SCORING)
    process.crashes = list(worker)
    process.start()
    leads, answers = list[UUID](), set[int]()
    async with feeding(rig.kafka) as feeder, await rig.client(door) as client:

        async def give_one_up() -> None:
            leads.append(new_id())
            await _with_a_gap(rig, feeder, leads[-1])
            body = {"reason": "It is lost."}
            answer = await client.post(f"/v1/parked/{leads[-1]}/discard", json=body)
            answers.add(answer.status_code)

        await until_dead([(process, len(worker))], give_one_up)
        await until(rig, SCORING, f"SELECT 0 = ({_NOT_DONE})")
        found = await balance(rig, fed=feeder.said)
    if uncounted := await rig.one(SCORING, _UNCOUNTED):
        found |= {"discarded and not counted": uncounted}
    touched = await rig.one(SCORING, _TOUCHED, leads)
    found |= {"answered otherwise": len(odd)} if (odd := answers - _ANSWERS) else {}
    return found | ({"touched by what was discarded": n} if (n := len(leads) - touched) else {})


async def _with_a_gap(rig: Rig, feeder: Feeder, lead: UUID) -> None:
    """Say a lead's first event and its third; return when the third is parked."""
    first, _lost, third = (
        feeder.next(event) for event in (captured(lead), updated(lead, 2), updated(lead, 3))
    )
    await feeder.send([first, third])
    await until(rig, SCORING, _PARKED, lead)
