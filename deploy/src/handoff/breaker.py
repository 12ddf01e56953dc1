"""The breakers of the consumers, over all services: asked of their APIs."""

from collections.abc import Sequence
from typing import Any

from handoff.door import ask, enter, walk
from handoff.keys import OPERATE
from handoff.site import Site

Item = dict[str, Any]
"""What one version of a service's code has parked, as the API shows it, with the service's name."""


async def listed(site: Site, services: Sequence[str], *, actor: str) -> list[Item]:
    """Return the breakers, of each service the version that ran last first."""
    found: list[Item] = []
    for service in services:
        async with enter(site, service, [OPERATE], name=actor) as client:
            items = [{"service": service, **item} async for item in walk(client, "/v1/breaker")]
        found += sorted(items, key=lambda item: str(item["updated_at"]), reverse=True)
    return found


async def close(site: Site, service: str, *, actor: str) -> list[Item]:
    """Let a service's consumer go on; return what was open.

    Raises:
        Refused: it is not open.
    """
    async with enter(site, service, [OPERATE], name=actor) as client:
        return (await ask(client, "POST", "/v1/breaker/close")).json()["items"]
