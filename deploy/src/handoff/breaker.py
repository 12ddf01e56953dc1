"""The breakers of the consumers, over all services: asked of their APIs."""

from collections.abc import Sequence

from handoff.door import Item, ask, enter, walk_services
from handoff.keys import OPERATE
from handoff.site import Site


async def listed(site: Site, services: Sequence[str], *, actor: str) -> list[Item]:
    """Return the breakers, of each service the version that ran last first."""
    found = await walk_services(site, services, "/v1/breaker", actor=actor)
    found.sort(key=lambda item: str(item["updated_at"]), reverse=True)
    return sorted(found, key=lambda item: services.index(item["service"]))


async def close(site: Site, service: str, *, actor: str) -> list[Item]:
    """Let a service's consumer go on; return what was open.

    Raises:
        Refused: it is not open.
    """
    async with enter(site, service, [OPERATE], name=actor) as client:
        return (await ask(client, "POST", "/v1/breaker/close")).json()["items"]
