"""Orders to replay, given to a service's API, which has its worker carry them out."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from uuid import UUID

import httpx

from handoff.door import Item, Refused, ask, enter, walk
from handoff.keys import OPERATE, SHORT
from handoff.site import Site

Order = Item
"""An order to replay."""

OVER = frozenset({"done", "failed", "cancelled"})
_PATH = "/v1/replays"
_LOOK_EVERY = 1.0
_KEY_SECONDS = SHORT.total_seconds() / 2
_AWAY_SECONDS = 60.0
_MOST_LISTED = 200
_UNAVAILABLE = 503


async def begin(site: Site, service: str, order: Mapping[str, object], *, actor: str) -> Order:
    """Give an order; return it as it was taken.

    Raises:
        Refused: something of it is wrong; `fields` says what.
    """
    async with enter(site, service, [OPERATE], name=actor) as client:
        answer = await ask(client, "POST", _PATH, json=dict(order))
    return answer.json()


async def shown(site: Site, service: str, order_id: UUID, *, actor: str) -> Order:
    """Return an order as it stands."""
    async with enter(site, service, [OPERATE], name=actor) as client:
        return (await ask(client, "GET", f"{_PATH}/{order_id}")).json()


async def cancelled(site: Site, service: str, order_id: UUID, *, actor: str) -> Order:
    """End an order; return it.

    Raises:
        Refused: it is over already.
    """
    async with enter(site, service, [OPERATE], name=actor) as client:
        return (await ask(client, "POST", f"{_PATH}/{order_id}/cancel")).json()


async def listed(site: Site, service: str, *, actor: str) -> list[Order]:
    """Return the newest orders."""
    found: list[Order] = []
    async with enter(site, service, [OPERATE], name=actor) as client:
        async for order in walk(client, _PATH):
            found.append(order)
            if len(found) == _MOST_LISTED:
                break
    return found


async def watch(site: Site, service: str, order: Order, *, actor: str) -> AsyncIterator[Order]:
    """Give an order again and again, up to the moment when it is over.

    An API that is away for a moment is waited for. A long replay outlives any key, so that one
    is changed for another in time.

    Raises:
        httpx.HTTPError, Refused: the API has been away for a minute.
    """
    while order["state"] not in OVER:
        async with enter(site, service, [OPERATE], name=actor) as client:
            async for each in _looks(client, order):
                yield each
                order = each


async def _looks(client: httpx.AsyncClient, order: Order) -> AsyncIterator[Order]:
    began = answered_at = time.monotonic()
    while order["state"] not in OVER and time.monotonic() - began < _KEY_SECONDS:
        await asyncio.sleep(_LOOK_EVERY)
        try:
            order = (await ask(client, "GET", f"{_PATH}/{order['id']}")).json()
        except (httpx.HTTPError, Refused) as error:
            if time.monotonic() - answered_at > _AWAY_SECONDS or not _passes(error):
                raise
        else:
            answered_at = time.monotonic()
            yield order


def _passes(error: Exception) -> bool:
    return not isinstance(error, Refused) or error.status == _UNAVAILABLE
