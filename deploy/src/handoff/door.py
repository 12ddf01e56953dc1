"""A service's API as a client sees it: opened with a key, errors told in the API's own words."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx

from handoff.keys import OPERATE, SHORT, short_lived
from handoff.site import Site

_ANSWER_SECONDS = 15.0
_PAGE = 200
_CONNECTIONS = 20

Item = dict[str, Any]
"""A thing as a service's API shows it; where several services are asked, with the name of its."""


class Refused(Exception):
    """The API answered with a problem; the text is what it said.

    Attributes:
        status: what kind of no it was.
        fields: the fields of the body that are wrong, each with a sentence.
    """

    def __init__(self, status: int, text: str, fields: Mapping[str, str] | None = None) -> None:
        """Keep what the answer said."""
        super().__init__(text)
        self.status = status
        self.fields = fields or {}


def open_client(url: str, key: str, *, connections: int = _CONNECTIONS) -> httpx.AsyncClient:
    """Return a client of one API."""
    return httpx.AsyncClient(
        base_url=url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=httpx.Timeout(_ANSWER_SECONDS, pool=None),
        # Without TLS, loading the trust store would be most of the cost.
        verify=url.startswith("https:"),
        trust_env=False,
        limits=httpx.Limits(max_connections=connections),
    )


@asynccontextmanager
async def enter(
    site: Site,
    service: str,
    scopes: Sequence[str],
    *,
    name: str,
    connections: int = _CONNECTIONS,
    lasting: timedelta = SHORT,
) -> AsyncGenerator[httpx.AsyncClient]:
    """Open a service's API for the block with a key of its own, which ends with it."""
    url = site.api(service)
    async with (
        short_lived(site, service, scopes, name=name, lasting=lasting) as key,
        open_client(url, key, connections=connections) as client,
    ):
        yield client


async def ask(
    client: httpx.AsyncClient, method: str, path: str, *, json: object = None
) -> httpx.Response:
    """Return a good answer.

    Raises:
        Refused: the answer is a problem.
        httpx.HTTPError: there is none.
    """
    answer = await client.request(method, path, json=json)
    if answer.is_success:
        return answer
    raise Refused(answer.status_code, _words_of(answer), _fields_of(answer))


async def walk(
    client: httpx.AsyncClient, path: str, query: Mapping[str, str] | None = None
) -> AsyncIterator[Item]:
    """Give each item of a list, page by page."""
    wanted: dict[str, str | int] = {**(query or {}), "limit": _PAGE}
    while True:
        page: dict[str, Any] = (
            await ask(client, "GET", str(httpx.URL(path, params=wanted)))
        ).json()
        for item in page["items"]:
            yield item
        if page["next"] is None:
            return
        wanted["cursor"] = page["next"]


async def walk_services(
    site: Site,
    services: Sequence[str],
    path: str,
    query: Mapping[str, str] | None = None,
    *,
    actor: str,
) -> list[Item]:
    """Return the items of a list that several services have, for those who operate them."""
    found: list[Item] = []
    for service in services:
        async with enter(site, service, [OPERATE], name=actor) as client:
            found += [{"service": service, **item} async for item in walk(client, path, query)]
    return found


def _words_of(answer: httpx.Response) -> str:
    try:
        problem: dict[str, Any] = answer.json()
        return f"{problem['title']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"{answer.request.url} answered {answer.status_code}"


def _fields_of(answer: httpx.Response) -> dict[str, str]:
    try:
        errors: list[dict[str, str]] = answer.json()["errors"]
        return {each["pointer"].removeprefix("#/"): each["detail"] for each in errors}
    except (ValueError, KeyError, TypeError):
        return {}
