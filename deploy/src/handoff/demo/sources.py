"""The demonstration's sources: found by their names, made where they are not there yet."""

from collections.abc import Iterable
from typing import Any

import httpx

from handoff.door import ask, walk

Source = dict[str, Any]
"""A source as marketing-intake shows it."""


async def channel_sources(client: httpx.AsyncClient, channels: Iterable[str]) -> dict[str, Source]:
    """Return a source for each kind of marketing."""
    wanted = {
        channel: {"name": f"Demo {channel}", "kind": "api", "channel": channel}
        for channel in sorted(set(channels))
    }
    return await keep_sources(client, wanted)


async def keep_sources(
    client: httpx.AsyncClient, wanted: dict[str, dict[str, Any]]
) -> dict[str, Source]:
    """Return the sources that have these names and kinds, making what is missing."""
    known = {
        (source["name"], source["kind"]): source async for source in walk(client, "/v1/sources")
    }
    found: dict[str, Source] = {}
    for title, source in wanted.items():
        there = known.get((source["name"], source["kind"]))
        if there is None:
            there = (await ask(client, "POST", "/v1/sources", json=source)).json()
        found[title] = there
    return found
