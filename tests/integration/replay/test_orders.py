"""What people ask for: refused with the field and the fix where it is wrong, shown, ended."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.messaging.conftest import Tally, TallyDesk
from tests.integration.messaging.loops import running
from tests.integration.replay.conftest import (
    LEADS,
    a_replayer,
    ask,
    contents,
    counts,
    lose_records,
    over,
    publish,
    some,
    speak,
)
from tests.stack.waiting import until

from shared.clock import utc_now
from shared.contracts.catalogue import INTAKE
from shared.ids import new_id
from shared.messaging.heard import Heard
from shared.messaging.replay import orders
from shared.settings import KafkaSettings

PAST, LATER = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
OFFSETS = {"partition": 3, "from_offset": 0, "to_offset": 9}

ENOUGH = 240  # leads for each of a topic's partitions to have one


async def count(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(text("SELECT count(*) FROM replay_order")) or 0


@pytest.mark.parametrize(
    ("order", "field", "words"),
    [
        ({"verb": "heal"}, "since", "partition, from_offset and to_offset"),
        ({"verb": "republish"}, "since", "or lead_id"),
        ({"verb": "rebuild", "since": PAST}, "verb", "'heal', 'republish' or 'restore'"),
        ({"verb": "heal", "since": "yesterday"}, "since", "a time with its zone"),
        ({"verb": "heal", "since": "2026-01-01T00:00:00"}, "since", "a time with its zone"),
        ({"verb": "heal", "since": LATER, "until": PAST}, "since", "before until"),
        ({"verb": "heal", "since": PAST, "until": PAST}, "since", "before until"),
        ({"verb": "republish", "since": "2999-01-01T00:00:00Z"}, "since", "in the past"),
        ({"verb": "heal", "until": LATER}, "since", "is missing"),
        ({"verb": "heal", "since": PAST, "topic": "handoff.tasks.v1"}, "topic", LEADS),
        ({"verb": "republish", "since": PAST, "topic": LEADS}, "topic", "handoff.scores.v1"),
        ({"verb": "heal", "since": PAST, **OFFSETS}, "since", "leave one out"),
        ({"verb": "heal", **OFFSETS}, "topic", LEADS),
        ({"verb": "heal", "topic": LEADS, "partition": 3}, "from_offset", "go together"),
        ({"verb": "heal", **OFFSETS, "partition": 12}, "partition", "less than 12"),
        ({"verb": "heal", **OFFSETS, "from_offset": -1}, "from_offset", "at least 0"),
        (
            {"verb": "heal", "topic": LEADS, **OFFSETS, "from_offset": 10},
            "from_offset",
            "at most to_offset",
        ),
        ({"verb": "heal", "since": PAST, "lead_id": str(new_id())}, "lead_id", "republish"),
        ({"verb": "republish", **OFFSETS}, "partition", "goes with heal"),
        ({"verb": "republish", "lead_id": "anna"}, "lead_id", "UUID"),
        ({"verb": "republish", "lead_id": str(new_id())}, "lead_id", "has sent nothing"),
        (
            {"verb": "republish", "lead_id": str(new_id()), "since": PAST},
            "lead_id",
            "without since",
        ),
        ({"verb": "heal", "since": PAST, "form": 3}, "form", "is not a field here"),
    ],
)
async def test_a_wrong_order_is_refused_with_the_field_and_the_fix(
    engine: AsyncEngine, api: httpx.AsyncClient, order: dict[str, Any], field: str, words: str
) -> None:
    before = await count(engine)
    answer = await api.post("/v1/replays", json=order)
    problem = answer.json()

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [each["pointer"] for each in problem["errors"]] == [f"#/{field}"]
    assert words in problem["errors"][0]["detail"]
    assert await count(engine) == before


async def test_who_hears_nothing_cannot_be_healed(engine: AsyncEngine) -> None:
    async with await speak(engine, INTAKE) as client:
        answer = await client.post("/v1/replays", json={"verb": "heal", "since": PAST})

    assert answer.status_code == 422
    assert "lead-scoring, notifier, sales-pipeline" in answer.json()["errors"][0]["detail"]


async def test_offsets_that_are_not_there_end_an_order_with_the_field_and_harm_nothing(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally, api: httpx.AsyncClient
) -> None:
    await publish(engine, kafka_settings, some(ENOUGH), "1")
    before = await contents(engine)
    order = {"verb": "heal", "topic": LEADS, "partition": 1, "from_offset": 0}
    beyond = await ask(api, **order, to_offset=2_000)
    async with running(a_replayer(engine, kafka_settings, tally)):
        refused = [await over(api, beyond["id"])]
        await lose_records(kafka_settings)
        await publish(engine, kafka_settings, some(ENOUGH), "1")
        gone = await ask(api, **order, to_offset=0)
        refused += [await over(api, gone["id"])]

    assert [each["state"] for each in refused] == ["failed", "failed"]
    assert [each["field"] for each in refused] == ["to_offset", "from_offset"]
    assert "ends with offset" in refused[0]["error"]
    assert "republished" in refused[1]["error"]
    assert (await contents(engine))["stream"] == before["stream"]


async def test_an_order_can_be_ended_before_it_is_carried_out_and_not_after(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    tally: Tally,
    api: httpx.AsyncClient,
) -> None:
    asked = await ask(api, verb="heal")
    ended = await api.post(f"/v1/replays/{asked['id']}/cancel")
    again = await api.post(f"/v1/replays/{asked['id']}/cancel")
    async with running(a_replayer(engine, kafka_settings, tally)):
        following = await over(api, (await ask(api, verb="heal", dry_run=True))["id"])
        too_late = await api.post(f"/v1/replays/{following['id']}/cancel")
    shown = (await api.get(f"/v1/replays/{asked['id']}")).json()

    assert [each.json()["state"] for each in (ended, again)] == ["cancelled"] * 2
    assert (shown["state"], shown["cancelled_by"]) == ("cancelled", "night shift")
    assert (shown["counts"], following["state"]) == ([], "done")
    assert (too_late.status_code, too_late.json()["type"]) == (
        409, "urn:handoff:problem:replay-is-over",
    )  # fmt: skip


@dataclass
class Slow(Tally):
    """A tally that takes its time with each batch."""

    async def load(self, connection: AsyncConnection, heard: Sequence[Heard[Any]]) -> TallyDesk:
        await asyncio.sleep(0.3)
        return await super().load(connection, heard)


async def test_a_running_order_that_is_ended_stops_after_the_batch_that_is_under_way(
    engine: AsyncEngine, kafka_settings: KafkaSettings, api: httpx.AsyncClient
) -> None:
    leads, since = some(ENOUGH), utc_now().isoformat()
    await publish(engine, kafka_settings, leads, "1")

    async def shown(order_id: str) -> dict[str, Any]:
        return (await api.get(f"/v1/replays/{order_id}")).json()

    async def is_at_work() -> bool:
        return counts(await shown(asked["id"])).get("applied", 0) > 0

    async with running(a_replayer(engine, kafka_settings, Slow())):
        asked = await ask(api, verb="heal", since=since)
        await until(is_at_work)
        await api.post(f"/v1/replays/{asked['id']}/cancel")
        following = await over(api, (await ask(api, verb="heal", since=since, dry_run=True))["id"])
    ended = await shown(asked["id"])

    assert (ended["state"], ended["cancelled_by"]) == ("cancelled", "night shift")
    assert 0 < counts(ended)["applied"] < ENOUGH
    assert counts(following)["applied"] == ENOUGH - counts(ended)["applied"]


async def test_orders_are_listed_page_by_page_the_newest_first(api: httpx.AsyncClient) -> None:
    asked = [(await ask(api, verb="heal", since=PAST))["id"] for _ in range(3)]
    first = (await api.get("/v1/replays", params={"limit": 2})).json()
    second = (await api.get("/v1/replays", params={"limit": 2, "cursor": first["next"]})).json()
    for each in asked:
        await api.post(f"/v1/replays/{each}/cancel")

    assert [order["id"] for order in first["items"]] == [asked[2], asked[1]]
    assert second["items"][0]["id"] == asked[0]
    assert {order["actor"] for order in first["items"]} == {"night shift"}


async def test_an_order_under_the_same_key_is_taken_once(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    before = await count(engine)
    key = {"Idempotency-Key": "tonight"}
    order = {"verb": "heal", "since": PAST}
    answers = [await api.post("/v1/replays", json=order, headers=key) for _ in range(2)]
    await api.post(f"/v1/replays/{answers[0].json()['id']}/cancel")

    assert answers[0].json() == answers[1].json()
    assert answers[0].headers["location"] == f"/v1/replays/{answers[0].json()['id']}"
    assert await count(engine) == before + 1


async def test_an_unknown_order_is_404(api: httpx.AsyncClient) -> None:
    assert (await api.get(f"/v1/replays/{new_id()}")).status_code == 404
    assert (await api.post(f"/v1/replays/{new_id()}/cancel")).status_code == 404


async def test_while_kafka_is_away_an_order_waits_and_the_next_worker_carries_it_out(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally, api: httpx.AsyncClient
) -> None:
    nowhere = kafka_settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    asked = await ask(api, verb="heal", dry_run=True)

    async def is_held() -> bool:
        return (await api.get(f"/v1/replays/{asked['id']}")).json()["held"] == "infrastructure"

    async with running(a_replayer(engine, nowhere, tally)):
        await until(is_held)
    async with running(a_replayer(engine, kafka_settings, tally)):
        order = await over(api, asked["id"])

    assert (order["state"], order["held"]) == ("done", None)


async def test_a_worker_that_slept_through_its_lease_cannot_set_an_order_back(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    asked = await ask(api, verb="heal", since=PAST)
    sleeper, newer = await orders.take(engine, 1001), await orders.take(engine, 1002)
    assert sleeper is not None
    assert newer is not None
    newer.count(LEADS, "read", 7)
    saved = [await orders.save(engine, each) for each in (newer, sleeper)]
    await orders.finish(engine, sleeper)
    shown = (await api.get(f"/v1/replays/{asked['id']}")).json()
    await api.post(f"/v1/replays/{asked['id']}/cancel")

    assert saved == [True, False]
    assert (shown["state"], shown["counts"][0]["read"]) == ("running", 7)
