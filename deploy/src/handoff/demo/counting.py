"""Counts what became of a run's leads: by the services' APIs, and by what the databases say."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx

from handoff.audit.report import Report, unheard
from handoff.demo.funnel import OUTCOMES, Funnel
from handoff.demo.sending import Sent
from handoff.demo.sources import Source
from handoff.door import enter, walk
from handoff.site import Site
from handoff.views import open_database

NAME = "handoff demo"
_AT_ONCE = 1000
_SAID = """
    SELECT name, count(*) AS events, count(DISTINCT subject) AS leads FROM story
    WHERE kind = 'said' AND subject = ANY($1::uuid[]) GROUP BY name
"""

Said = Mapping[str, tuple[int, int]]
"""Events and leads by the events' wire type."""


async def submissions(
    client: httpx.AsyncClient, sources: Mapping[str, Source], receipts: Collection[UUID]
) -> list[dict[str, Any]]:
    """Return the run's submissions as they stand."""
    ours = {str(receipt) for receipt in receipts}
    earliest = min(ours, default="")
    found: list[dict[str, Any]] = []
    for source in sources.values():
        async for each in walk(client, "/v1/submissions", {"source_id": source["id"]}):
            if each["id"] < earliest:
                break
            if each["id"] in ours:
                found.append(each)
    return found


async def unresolved(client: httpx.AsyncClient, receipts: Collection[str]) -> int:
    """Return how many of these submissions nobody has come to yet."""
    listed = walk(client, "/v1/submissions", {"state": "received"})
    return sum([each["id"] in receipts async for each in listed])


async def count(
    site: Site, sent: Sent, found: Sequence[Mapping[str, Any]], audit: Report
) -> Funnel:
    """Return the run's funnel."""
    leads = {UUID(each["lead_id"]) for each in found if each["lead_id"]}
    captured = (await _said(site, "marketing-intake", leads)).get("lead.captured.v1", (0, 0))
    scores = await _said(site, "lead-scoring", leads)
    opened = (await _said(site, "sales-pipeline", leads)).get("deal.opened.v1", (0, 0))
    tasked = (await _said(site, "notifier", leads)).get("task.created.v1", (0, 0))
    grades = Counter[str]([each["grade"] async for each in _scores(site, leads)])
    return Funnel(
        sent=sent.count,
        refused=len(sent.refusals),
        accepted=len(set(sent.receipts)),
        submissions=dict(Counter(str(each["outcome"] or each["state"]) for each in found)),
        created=len({each["lead_id"] for each in found if each["outcome"] == OUTCOMES[0]}),
        leads=len(leads),
        captured=captured[1],
        scored=grades.total(),
        grades=dict(sorted(grades.items())),
        qualified=scores.get("lead.qualified.v1", (0, 0))[1],
        with_deal=opened[1],
        deals_opened=opened[0],
        deals=await _shown(site, "sales-pipeline", "deals", leads),
        with_task=tasked[1],
        tasks_created=tasked[0],
        tasks=await _shown(site, "notifier", "tasks", leads),
        unheard=unheard(audit, leads),
    )


async def _said(site: Site, service: str, leads: Collection[UUID]) -> Said:
    """Return what a service ever said of these leads."""
    ordered = sorted(leads)
    found: dict[str, tuple[int, int]] = {}
    async with open_database(site, service) as view:
        for start in range(0, len(ordered), _AT_ONCE):
            for row in await view.fetch(_SAID, ordered[start : start + _AT_ONCE]):
                events, of = found.get(row["name"], (0, 0))
                found[row["name"]] = (events + row["events"], of + row["leads"])
    return found


async def _scores(site: Site, leads: Collection[UUID]) -> AsyncIterator[dict[str, Any]]:
    async with enter(site, "lead-scoring", ["scores:read"], name=NAME) as client:
        async for each in walk(client, "/v1/scores"):
            if UUID(each["lead_id"]) in leads:
                yield each


async def _shown(site: Site, service: str, what: str, leads: Collection[UUID]) -> int:
    """Return how many of these a service's API shows for the leads."""
    async with enter(site, service, [f"{what}:read"], name=NAME) as client:
        listed = walk(client, f"/v1/{what}")
        return sum([UUID(each["lead_id"]) in leads async for each in listed])
