"""`LeadMerged` while scoring hears of both: each touchpoint counts once, for one score."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.lead_scoring.conftest import Heard, a_card, a_touchpoint
from tests.stack.interleaving import batches
from tests.stack.merging import merges

from shared.clock import utc_now
from shared.contracts.deal import DealLost, DealOpened, DealRecycled
from shared.contracts.event import Event
from shared.contracts.lead import (
    LeadCaptured,
    LeadErased,
    LeadUpdated,
    TouchpointRecorded,
)
from shared.ids import new_id

MERGED = 5
SEEDS = range(12)


def captured(lead_id: UUID, **card: object) -> LeadCaptured:
    return LeadCaptured(
        lead_id=lead_id, lead_version=1, lead=a_card(**card), touchpoint=a_touchpoint()
    )


def updated(lead_id: UUID, version: int) -> LeadUpdated:
    return LeadUpdated(
        lead_id=lead_id,
        lead_version=version,
        lead=a_card(first_name=str(version)),
        touchpoint=a_touchpoint(),
    )


def visited(lead_id: UUID) -> TouchpointRecorded:
    view = a_touchpoint(kind="page_view", page_url="https://e.example/pricing")
    return TouchpointRecorded(lead_id=lead_id, lead_version=1, touchpoint=view)


def a_deal(lead_id: UUID, at: datetime) -> dict[str, Any]:
    return {
        "lead_id": lead_id,
        "lead_version": 1,
        "deal_id": new_id(),
        "owner_id": new_id(),
        "occurred_at": at,
    }


def opened(deal: dict[str, Any]) -> DealOpened:
    return DealOpened(**deal, lead=a_card(), stage="new", score=65, grade="A2")


class TestMerging:
    async def test_the_survivor_has_one_score_under_either_name_and_the_alias_none(
        self, api: httpx.AsyncClient, hear: Heard, engine: AsyncEngine
    ) -> None:
        goes, stays = new_id(), new_id()
        await hear.say(captured(goes), visited(goes), captured(stays), visited(stays))

        await hear.say(merges(goes, into=stays, card=a_card(first_name="Merged"))[0])

        by_old, by_new = [(await api.get(f"/v1/scores/{name}")).json() for name in (goes, stays)]
        assert by_old == by_new
        assert (by_new["lead_id"], by_new["lead_version"]) == (str(stays), MERGED)
        assert await touchpoints(engine, goes, stays) == {stays: 4}

    async def test_who_is_with_sales_is_not_handed_over_again(self, hear: Heard) -> None:
        goes, stays = new_id(), new_id()
        await hear.say(captured(goes), captured(stays))

        await hear.say(*merges(goes, into=stays, card=a_card(first_name="Merged")))

        assert await hear.kinds(goes) == ["lead.qualified.v1"]
        assert await hear.kinds(stays) == ["lead.qualified.v1", "lead.scored.v1"]

    async def test_erasure_by_the_old_name_forgets_the_person(
        self, hear: Heard, engine: AsyncEngine
    ) -> None:
        goes, stays = new_id(), new_id()
        await hear.say(
            captured(goes),
            captured(stays),
            *merges(goes, into=stays, card=a_card(first_name="Merged")),
        )

        await hear.say(LeadErased(lead_id=goes, lead_version=6, erased_at=utc_now()))
        await hear.say(visited(stays), visited(goes))

        assert await touchpoints(engine, goes, stays) == {}


class TestByOracle:
    """Whatever comes first: each touchpoint once, the last card, the last end."""

    @pytest.mark.parametrize("seed", SEEDS)
    async def test_the_end_is_the_same_in_every_order(
        self, seed: int, api: httpx.AsyncClient, hear: Heard, engine: AsyncEngine
    ) -> None:
        print(f"seed {seed}")  # noqa: T201
        goes, stays = new_id(), new_id()
        gone, left = merges(goes, into=stays, card=a_card(first_name="Merged"))
        theirs = a_deal(goes, utc_now() + timedelta(hours=1))
        ours = a_deal(stays, utc_now() + timedelta(hours=2))
        streams: Sequence[Sequence[Event]] = (
            [captured(goes), updated(goes, 2), gone],
            [captured(stays), left, updated(stays, 6)],
            [visited(goes) for _ in range(3)],
            [visited(stays) for _ in range(2)],
            [opened(theirs), DealRecycled(**theirs, reason="no_budget", stage="new")],
            [opened(ours), DealLost(**ours, reason="price", stage="demo")],
        )
        deliveries = [[hear.deliver(event) for event in stream] for stream in streams]

        for batch in batches(deliveries, seed):
            await hear.repeat(batch)

        score = (await api.get(f"/v1/scores/{goes}")).json()
        assert (score["lead_id"], score["lead_version"]) == (str(stays), 6)
        assert score["score"] == sum(entry["points"] for entry in score["entries"])
        assert score["qualification"]["state"] == "lost"
        assert await touchpoints(engine, goes, stays) == {stays: 9}
        kinds = Counter([*await hear.kinds(goes), *await hear.kinds(stays)])
        assert kinds["lead.qualified.v1"] <= 2
        codes = Counter(entry["code"] for entry in score["entries"])
        assert codes == await hear.codes_of_one_lead(streams)


async def touchpoints(engine: AsyncEngine, *names: UUID) -> dict[UUID, int]:
    """Return of whom how many touchpoints are kept, which is what the score counted."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT t.lead_id, count(DISTINCT t.event_id) AS kept, s.touchpoints AS counted"
                " FROM touchpoint t JOIN lead_score s ON s.lead_id = t.lead_id"
                " WHERE t.lead_id = ANY(:ids) GROUP BY t.lead_id, s.touchpoints"
            ),
            {"ids": list(names)},
        )
        found = rows.all()
    assert all(row.kept == row.counted for row in found)
    return {row.lead_id: row.kept for row in found}
