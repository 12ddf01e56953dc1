"""Scenarios: what comes to a hearer comes twice, out of order, broken, or after an erasure.

Scoring is the hearer. The publisher is the scenario; what it said is in its count, so that what was
lost, doubled or revived can be told.
"""

import asyncio
import random
from collections.abc import Sequence
from uuid import UUID

from tests.faults.invariants import Findings, balance
from tests.faults.rig.rig import Rig
from tests.faults.rig.waiting import until
from tests.stack.feeder import Feeder, captured, feeding, updated

from shared.clock import utc_now
from shared.contracts.envelope import Envelope
from shared.contracts.lead import LeadErased
from shared.ids import LeadId, new_id
from shared.messaging import attempts

LEADS = "handoff.leads.v1"
_PARKED = "SELECT subject, sequence, reason FROM parked_event ORDER BY subject, sequence"


async def twice_and_out_of_order(
    rig: Rig, *, leads: int = 60, seed: int = 1, within: float = 30.0
) -> Findings:
    """Every event comes, some three times, and those of one lead in any order."""
    chance = random.Random(seed)
    async with feeding(rig.kafka) as feeder:
        await rig.start("lead_scoring")
        said = [envelope for _ in range(leads) for envelope in some_events(feeder, count=5)]
        heard = said + chance.choices(said, k=2 * len(said))
        chance.shuffle(heard)
        for start in range(0, len(heard), 50):
            await feeder.send(heard[start : start + 50])
        return await balance(rig, fed=feeder.said, within=within)


async def a_value_that_the_database_refuses(
    rig: Rig, *, leads: int = 40, within: float = 30.0
) -> Findings:
    """One lead's event cannot be stored; those that came in the same batch must not pay for it."""
    async with feeding(rig.kafka) as feeder:
        worker = rig.process("lead_scoring")
        poison = new_id()
        batch = [envelope for _ in range(leads) for envelope in some_events(feeder, count=2)]
        batch.insert(leads, feeder.next(captured(poison, company="a\0b")))
        await feeder.send(batch)
        worker.start()
        found = await balance(rig, fed=feeder.said, within=within)
        parked = [(row["subject"], row["reason"]) for row in await rig.ask("lead_scoring", _PARKED)]
        return found | odd("parked unlike poison", parked, [(poison, "poison")])


async def erased_while_events_are_on_their_way(rig: Rig, *, within: float = 30.0) -> Findings:
    """Leads are erased: one as usual, one parked, one unknown; later events of them still come."""
    async with feeding(rig.kafka) as feeder:
        await rig.start("lead_scoring")
        usual, parked, unknown = new_id(), new_id(), new_id()
        await feeder.say(captured(usual), captured(parked, company="a\0b"), updated(parked, 2))
        late = feeder.next(updated(usual, 2))
        await feeder.say(erased(usual, 9), erased(parked, 9), erased(unknown, 9))
        gone = "SELECT count(*) = 3 FROM subject WHERE id = ANY($1) AND erased_at IS NOT NULL"
        await until(rig, "lead_scoring", gone, [usual, parked, unknown])
        await feeder.send([late])
        await feeder.say(*(updated(lead, 10) for lead in (usual, parked, unknown)))
        await feeder.say(captured(new_id()))
        found = await balance(rig, fed=feeder.said, within=within)
        ids = [usual, parked, unknown]
        counts = [
            await rig.one("lead_scoring", sql, ids)
            for sql in (
                "SELECT count(*) FROM lead_score WHERE lead_id = ANY($1)",
                "SELECT count(*) FROM touchpoint WHERE lead_id = ANY($1)",
                "SELECT count(*) FROM parked_event WHERE subject = ANY($1)",
                "SELECT 3 - count(*) FROM subject WHERE id = ANY($1) AND erased_at IS NOT NULL",
            )
        ]
        return found | odd("erased and still known", counts, [0, 0, 0, 0])


async def an_event_that_kills(rig: Rig, *, within: float = 60.0) -> Findings:
    """One lead's event kills the process that hears it; its neighbours' never do.

    It may once more than it may be tried: the first time it may come to a process that does not
    count beforehand, as it began long before.
    """
    async with feeding(rig.kafka) as feeder:
        worker = rig.process("lead_scoring")
        killer = new_id()
        await feeder.say(captured(new_id()), captured(killer, company="kill"))
        worker.start()
        await feeder.say(*(captured(new_id()) for _ in range(10)))
        async with asyncio.timeout(within):
            while not await rig.one("lead_scoring", "SELECT count(*) FROM parked_event"):
                if worker.kills > attempts.MOST + 1:
                    return {"killed more often than it may be tried": worker.kills}
                await asyncio.sleep(0.1)
        found = await balance(rig, fed=feeder.said, within=within)
        found |= {} if worker.kills >= attempts.MOST else {"killed less often than tried": 1}
        parked = [(row["subject"], row["reason"]) for row in await rig.ask("lead_scoring", _PARKED)]
        return found | odd("parked unlike the killer", parked, [(killer, "poison")])


def some_events(feeder: Feeder, *, count: int) -> list[Envelope]:
    """Return the first events of a new lead, not sent."""
    lead = new_id()
    later = [updated(lead, version) for version in range(2, count + 1)]
    return [feeder.next(event) for event in (captured(lead), *later)]


def erased(lead_id: UUID, version: int) -> LeadErased:
    """Return what is said when a person is to be forgotten."""
    return LeadErased(lead_id=LeadId(lead_id), lead_version=version, erased_at=utc_now())


def odd(what: str, found: Sequence[object], wanted: Sequence[object]) -> Findings:
    """Return a finding where something is not as it should be."""
    return {} if list(found) == list(wanted) else {what: 1}
