"""What is parked, over all services: asked of their APIs, which have the work done."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from handoff.door import Refused, ask, enter, walk
from handoff.keys import OPERATE
from handoff.site import Site

Item = dict[str, Any]
"""A parked lead as a service's API shows it, with the service's name."""

_NOT_FOUND = 404
_ACCEPTED = 202


async def listed(
    site: Site, services: Sequence[str], *, actor: str, reason: str | None
) -> list[Item]:
    """Return the leads of which something is parked."""
    query = {"reason": reason} if reason else {}
    found: list[Item] = []
    for service in services:
        async with enter(site, service, [OPERATE], name=actor) as client:
            found += [
                {"service": service, **item} async for item in walk(client, "/v1/parked", query)
            ]
    return found


async def shown(site: Site, services: Sequence[str], subject: UUID, *, actor: str) -> list[Item]:
    """Return what each service has parked of a lead; nothing where none has."""
    found: list[Item] = []
    for service in services:
        async with enter(site, service, [OPERATE], name=actor) as client:
            try:
                answer = await ask(client, "GET", f"/v1/parked/{subject}?limit=200")
            except Refused as refused:
                if refused.status != _NOT_FOUND:
                    raise
            else:
                found.append({"service": service, **answer.json()})
    return found


async def history(site: Site, services: Sequence[str], subject: UUID, *, actor: str) -> list[Item]:
    """Return what was ordered about a lead, the latest first."""
    found: list[Item] = []
    for service in services:
        async with enter(site, service, [OPERATE], name=actor) as client:
            orders = walk(client, "/v1/parking-orders", {"subject": str(subject)})
            found += [{"service": service, **item} async for item in orders]
    return sorted(found, key=lambda item: str(item["created_at"]), reverse=True)


async def order(
    site: Site, service: str, subject: UUID, *, verb: str, actor: str, reason: str | None = None
) -> int | None:
    """Have a lead's events released or discarded; return how many; None: not done yet.

    Raises:
        Refused: an event failed again, or nothing is parked.
    """
    body = {"reason": reason} if reason else None
    async with enter(site, service, [OPERATE], name=actor) as client:
        answer = await ask(client, "POST", f"/v1/parked/{subject}/{verb}", json=body)
    return None if answer.status_code == _ACCEPTED else answer.json()["count"]
