"""Scenarios of versions: a deploy that fails on everything, and events that newer code wrote.

The code of a deploy is a copy with a patch of `planted/deploys/`; what mends it is the checkout's.
"""

import json
from dataclasses import replace

import httpx
from tests.faults.rig.rig import Rig
from tests.stack.feeder import Feeder, captured, updated
from tests.stack.process import Process

from shared.contracts.envelope import Envelope
from shared.ids import new_id

_PARKED = """
    SELECT coalesce(json_object_agg(reason, leads), '{}') FROM (
        SELECT reason, count(DISTINCT subject) AS leads FROM parked_event GROUP BY reason
    ) found
"""


async def is_live(process: Process) -> bool:
    """Tell whether the process counts as alive."""
    async with httpx.AsyncClient(timeout=5) as client:
        return (await client.get(f"{process.operations_url}/livez")).is_success


async def parked(rig: Rig, service: str = "lead_scoring") -> dict[str, int]:
    """Return how many leads are parked, by reason."""
    found: dict[str, int] = json.loads(await rig.one(service, _PARKED))
    return found


def of_newer_code(feeder: Feeder) -> list[Envelope]:
    """Return events with what newer publishers may add without asking: fields and kinds."""
    lead = new_id()
    first, second = feeder.next(captured(lead)), feeder.next(updated(lead, 2))
    told = json.loads(first.data) | {"mood": "good"}
    told["lead"] |= {"shoe_size": 43}
    told["touchpoint"] |= {"weather": {"sky": "blue"}}
    return [
        replace(first, data=json.dumps(told).encode()),
        replace(second, kind="lead.sneezed", data=b'{"loudly": true}'),
        feeder.next(updated(lead, 3)),
    ]
