"""What leads are parked for, over all services, and the release of all of one cause."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from handoff.door import Item, ask, enter, walk_services
from handoff.keys import OPERATE
from handoff.site import Site

_LOOK_EVERY = 0.5
_STILL = 30.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which leads: those that are parked for this cause."""

    cause: str
    type: str | None = None
    reason: str | None = None

    def body(self) -> dict[str, str]:
        """Return what the API wants to be told."""
        parts = {"cause": self.cause, "type": self.type, "reason": self.reason}
        return {name: part for name, part in parts.items() if part is not None}

    def matches(self, item: Item) -> bool:
        """Tell whether a cause of the list is meant."""
        return all(item[name] == part for name, part in self.body().items())


async def listed(site: Site, services: Sequence[str], *, actor: str) -> list[Item]:
    """Return what leads are parked for, the cause with the most of them first."""
    found = await walk_services(site, services, "/v1/parked/causes", actor=actor)
    return sorted(found, key=lambda item: -int(item["leads"]))


async def count(
    site: Site, services: Sequence[str], wanted: Wanted, *, actor: str
) -> dict[str, int]:
    """Return how many leads each service has parked for this cause; none that has nothing."""
    leads: Counter[str] = Counter()
    for item in await listed(site, services, actor=actor):
        if wanted.matches(item):
            leads[item["service"]] += item["leads"]
    return dict(leads)


async def release(
    site: Site, service: str, wanted: Wanted, *, actor: str, tell: Callable[[Item], None]
) -> Item:
    """Have all released, and return how far that is: done, or that nothing moved for 30 s.

    Raises:
        Refused: nothing is parked for it any more, or somebody else is releasing it.
    """
    async with enter(site, service, [OPERATE], name=actor) as client:
        state = (await ask(client, "POST", "/v1/parked/release", json=wanted.body())).json()
        moved_at = time.monotonic()
        while state["state"] == "open" and time.monotonic() - moved_at < _STILL:
            tell(state)
            await asyncio.sleep(_LOOK_EVERY)
            before = state
            state = (await ask(client, "GET", f"/v1/parking-releases/{state['id']}")).json()
            if state != before:
                moved_at = time.monotonic()
        return state
