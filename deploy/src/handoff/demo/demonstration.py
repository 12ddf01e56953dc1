"""The demonstration from the first lead to the funnel: send, wait until all is quiet, count."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import httpx

from handoff.audit.reconcile import reconcile
from handoff.demo import counting
from handoff.demo.funnel import Funnel
from handoff.demo.people import DemoLead
from handoff.demo.sending import AT_ONCE, Sender, Sent
from handoff.demo.sources import channel_sources
from handoff.door import enter
from handoff.site import Site
from shared.ids import new_id

_SCOPES = ("leads:write", "leads:read", "sources:write")
_LOOK_EVERY = 0.5
_MARGIN = timedelta(minutes=30)


class Watcher(Protocol):
    """Shows how far it is."""

    def sent(self) -> None:
        """One more lead was answered."""
        ...

    def waiting(self, what: str, count: int) -> None:
        """So many of something are still on their way."""
        ...


@dataclass(frozen=True, slots=True)
class Result:
    """What was sent and what became of it."""

    sent: Sent
    funnel: Funnel


async def demonstrate(
    site: Site, leads: Sequence[DemoLead], *, rate: float, patience: float, watcher: Watcher
) -> Result:
    """Post the leads, wait up to `patience` seconds until all is quiet, and count."""
    sent = Sent()
    lasting = timedelta(seconds=len(leads) / rate) + _MARGIN
    async with enter(
        site, "marketing-intake", _SCOPES,
        name=counting.NAME, connections=AT_ONCE, lasting=lasting,
    ) as client:  # fmt: skip
        sources = await channel_sources(client, (lead.channel for lead in leads))
        sender = Sender(client, sources, str(new_id()), sent, watcher.sent)
        await sender.send(leads, rate=rate)
        await _until_resolved(client, set(map(str, sent.receipts)), patience, watcher)
        audit = await reconcile(site, wait=patience, tell=watcher.waiting)
        found = await counting.submissions(client, sources, sent.receipts)
    return Result(sent, await counting.count(site, sent, found, audit))


async def _until_resolved(
    client: httpx.AsyncClient, receipts: set[str], patience: float, watcher: Watcher
) -> None:
    """Wait until none of the run's submissions is without an outcome for want of time."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        left = await counting.unresolved(client, receipts)
        if not left:
            return
        watcher.waiting("submissions to be resolved", left)
        await asyncio.sleep(_LOOK_EVERY)
