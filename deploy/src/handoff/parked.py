"""What is parked, over all services: asked of their APIs, which have the work done."""

from collections.abc import Sequence
from uuid import UUID

from handoff.door import Item, Refused, ask, enter, walk_services
from handoff.keys import OPERATE
from handoff.site import Site

_NOT_FOUND = 404
_ACCEPTED = 202


async def listed(
    site: Site, services: Sequence[str], *, actor: str, reason: str | None
) -> list[Item]:
    """Return the leads of which something is parked."""
    query = {"reason": reason} if reason else {}
    return await walk_services(site, services, "/v1/parked", query, actor=actor)


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
    query = {"subject": str(subject)}
    found = await walk_services(site, services, "/v1/parking-orders", query, actor=actor)
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
