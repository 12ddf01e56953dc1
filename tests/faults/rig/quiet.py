"""Waits until nothing is on its way any more, and tells how long that took: recovery is a figure.

What must then be so is the invariants' matter; what was read and is not heard is not on its way.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tests.faults.rig.reading import has_read_all
from tests.faults.rig.rig import Rig

from shared.contracts.catalogue import heard_by

Said = Mapping[tuple[str, UUID], int]
"""The last number of each stream that was said by somebody outside the rig."""

_LOOK_EVERY = 0.3
_TIMES = 2
_UNRESOLVED = "SELECT count(*) FROM submission WHERE outcome IS NULL AND state = 'received'"


class NotQuiet(AssertionError):
    """Something is still on its way after the time that it may take; the text says what."""


async def quiet(rig: Rig, said: Said | None = None, *, within: float = 30.0) -> float:
    """Wait until nothing is on its way, twice in a row; return the seconds until it was so.

    Raises:
        NotQuiet: it took longer than `within`.
    """
    began = time.monotonic()
    since, times = began, 0
    while times < _TIMES:
        waits = await what_is_on_its_way(rig, said or {})
        if waits:
            times = 0
            if time.monotonic() - began > within:
                raise NotQuiet(f"after {within:.0f} s: {waits}")
        elif times == 0:
            since = time.monotonic()
        times += not waits
        await asyncio.sleep(_LOOK_EVERY)
    return since - began


async def what_is_on_its_way(rig: Rig, fed: Said) -> dict[str, Any]:
    """Return what is not yet where it belongs, by where it is."""
    waits: dict[str, Any] = {}
    said = dict(fed)
    for service in rig.urls:
        for row in await rig.ask(service, "SELECT topic, subject, last_sequence FROM said_stream"):
            said[row["topic"], row["subject"]] = row["last_sequence"]
    for service in rig.urls:
        waits[f"{service}: in the outbox"] = await rig.one(service, "SELECT count(*) FROM outbox")
    if "marketing_intake" in rig.urls:
        waits["submissions without outcome"] = await rig.one("marketing_intake", _UNRESOLVED)
    sent = not any(waits.values())
    for service in rig.urls:
        waits[f"{service}: not heard"] = await _late(rig, service, said, sent=sent)
    return {what: count for what, count in waits.items() if count}


async def _late(rig: Rig, service: str, said: Said, *, sent: bool) -> int:
    """Count streams that a service may yet be level with.

    `sent`: all of it is in Kafka. Then what is not heard though the service has read to the end,
    is lost.
    """
    unheard = await _unheard(rig, service, said)
    lost = unheard and sent and await has_read_all(rig, service)
    if lost and await _unheard(rig, service, said) == unheard:
        return 0
    return unheard


async def _unheard(rig: Rig, service: str, said: Said) -> int:
    """Count streams that a service is not level with; what it has parked, it has."""
    topics = set(heard_by(service.replace("_", "-")))
    rows = await rig.ask(service, "SELECT topic, subject, last_sequence, last_parked FROM heard")
    have = {
        (r["topic"], r["subject"]): max(r["last_sequence"], r["last_parked"] or 0) for r in rows
    }
    return sum(have.get(stream, 0) < last for stream, last in said.items() if stream[0] in topics)
