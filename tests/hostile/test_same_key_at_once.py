"""The same `Idempotency-Key` many times at once (H5): one thing, one answer; other content: 422."""

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tests.hostile.documents import SERVICES
from tests.hostile.served import Served, serving
from tests.hostile.ways import PLAYBOOK, SCORECARD, SOURCE
from tests.stack.keys import bearer, make_key
from tests.stack.running import Stack

from shared.ids import new_id

AT_ONCE = 200
BUSY, OTHER_CONTENT = 503, 422


@dataclass(frozen=True, slots=True)
class Write:
    """A route that makes something: what it is sent, and where what it made can be counted."""

    service: str
    path: str
    body: Mapping[str, Any]
    table: str
    other: Mapping[str, Any] = field(default_factory=lambda: {"name": "Another"})
    id_field: str = "id"

    def __str__(self) -> str:
        """Name it as people do."""
        return f"POST {self.path}"


def a_rep() -> dict[str, str]:
    """Return somebody with an address of their own: no two reps have the same."""
    return {"name": "Ada", "email": f"{new_id()}@sales.example"}


WRITES = [
    Write(
        "marketing-intake", "/v1/leads", {"email": "ada@example.com"}, "submission",
        other={"email": "bob@example.com"}, id_field="receipt_id",
    ),
    Write("marketing-intake", "/v1/sources", SOURCE, "source"),
    Write("lead-scoring", "/v1/scorecards", SCORECARD, "scorecard"),
    Write("sales-pipeline", "/v1/reps", a_rep(), "rep", other=a_rep()),
    Write("notifier", "/v1/playbooks", PLAYBOOK, "playbook"),
    *(
        Write(
            service, "/v1/replays",
            {"verb": "republish", "since": "2026-01-01T00:00:00Z", "dry_run": True},
            "replay_order", other={"since": "2026-01-02T00:00:00Z"},
        )
        for service in SERVICES
    ),
]  # fmt: skip


@pytest.fixture(scope="module", params=WRITES, ids=lambda write: f"{write.service} {write}")
async def write(request: pytest.FixtureRequest) -> Write:
    return request.param


@dataclass(frozen=True, slots=True)
class Door:
    """A service that is asked by many at once, all with one key."""

    served: Served
    write: Write
    headers: Mapping[str, str]

    async def made(self) -> int:
        """Count what there is by now."""
        count = text(f"SELECT count(*) FROM {self.write.table}")  # noqa: S608  our own tables
        async with self.served.engine.connect() as connection:
            return await connection.scalar(count) or 0

    async def ask(self, body: Mapping[str, Any], name: str) -> httpx.Response:
        """Ask as every sender must: what is not taken now, again, under the same name."""
        headers = {**self.headers, "Idempotency-Key": name}
        while True:
            answer = await self.served.http.post(self.write.path, json=body, headers=headers)
            if answer.status_code != BUSY:
                return answer
            assert int(answer.headers["Retry-After"]) > 0
            await asyncio.sleep(random.uniform(0.05, 0.5))


@pytest.fixture(scope="module")
async def door(stack: Stack, write: Write) -> AsyncGenerator[Door]:
    async with serving(stack, write.service) as served:
        key = await served.key()
        if write.path == "/v1/leads":
            wanted = {"name": "A source", "kind": "api", "channel": "seo"}
            source = await served.http.post("/v1/sources", json=wanted, headers=bearer(key))
            key = await make_key(served.engine, "leads:write", source_id=source.json()["id"])
        yield Door(served, write, bearer(key))


async def test_many_at_once_make_one_thing_and_get_one_answer(door: Door) -> None:
    before, name = await door.made(), str(new_id())
    answers = await asyncio.gather(*(door.ask(door.write.body, name) for _ in range(AT_ONCE)))

    assert {answer.is_success for answer in answers} == {True}, answers[-1].text
    assert len({answer.json()[door.write.id_field] for answer in answers}) == 1
    assert await door.made() == before + 1


async def test_of_two_contents_at_once_one_wins_and_the_other_is_told_so(door: Door) -> None:
    before, name = await door.made(), str(new_id())
    one = {**door.write.body, **door.write.other}
    bodies = [_fresh(door.write.body), _fresh(one)]
    answers = await asyncio.gather(
        *(door.ask(bodies[number % 2], name) for number in range(AT_ONCE))
    )
    sides = [answers[::2], answers[1::2]]
    sides.sort(key=lambda side: side[0].is_success)
    refused, taken = sides

    assert {answer.is_success for answer in taken} == {True}
    assert len({answer.json()[door.write.id_field] for answer in taken}) == 1
    assert {answer.status_code for answer in refused} == {OTHER_CONTENT}
    assert {answer.json()["errors"][0]["header"] for answer in refused} == {"Idempotency-Key"}
    assert await door.made() == before + 1


def _fresh(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same with an address that nobody has, where addresses are nobody else's."""
    return {**body, **({"email": f"{new_id()}@sales.example"} if "email" in body else {})}
