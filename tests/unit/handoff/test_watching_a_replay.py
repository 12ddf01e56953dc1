"""Whoever waits for a replay looks again and again, by one key as long as it lives."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from itertools import chain, repeat
from typing import Any

import httpx
import pytest

from handoff import replay
from handoff.site import Site

ORDER = {"id": "1", "state": "running"}


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have an API that is away at the second of three looks; return the keys that were made."""
    made: list[str] = []
    answers: Iterator[httpx.Response] = chain(
        [
            httpx.Response(200, json=ORDER),
            httpx.Response(503, json={"title": "Not now", "detail": "it starts"}),
        ],
        repeat(httpx.Response(200, json=ORDER | {"state": "done"})),
    )

    @asynccontextmanager
    async def enter(*_args: object, **_options: Any) -> AsyncGenerator[httpx.AsyncClient]:
        made.append("a key")
        transport = httpx.MockTransport(lambda _request: next(answers))
        async with httpx.AsyncClient(transport=transport, base_url="http://any") as client:
            yield client

    monkeypatch.setattr(replay, "enter", enter)
    monkeypatch.setattr(replay, "_LOOK_EVERY", 0.001)
    return made


async def _states() -> list[str]:
    looks = replay.watch(Site({}, {}, None), "any", ORDER, actor="a test")
    return [each["state"] async for each in looks]


async def test_one_key_lasts_for_all_looks(keys: list[str]) -> None:
    assert await _states() == ["running", "done"]
    assert len(keys) == 1


async def test_a_replay_that_outlives_a_key_is_watched_with_the_next(
    keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "_KEY_SECONDS", 0.0005)

    assert await _states() == ["running", "done"]
    assert len(keys) > 1
