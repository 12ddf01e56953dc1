"""Scores are read back, found and walked through by API."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.lead_scoring.conftest import World, a_card, a_touchpoint
from tests.stack.keys import bearer, make_key

from shared.contracts.lead import LeadCaptured, LeadCard
from shared.ids import new_id

PATH = "/v1/scores"


@pytest.fixture(scope="module")
async def leads(world: World) -> list[str]:
    """Two that qualify and one that does not, oldest first."""
    cards = [a_card(), a_card(email="b@acme.example"), LeadCard(email="c@gmail.com")]
    events = [
        LeadCaptured(lead_id=new_id(), lead_version=1, lead=card, touchpoint=a_touchpoint())
        for card in cards
    ]
    await world.say(*events)
    return [str(event.lead_id) for event in events]


async def found(api: httpx.AsyncClient, **filters: Any) -> list[str]:
    answer = await api.get(PATH, params=filters)
    assert answer.status_code == 200, answer.text
    return [item["lead_id"] for item in answer.json()["items"]]


async def test_scores_are_found_by_what_they_are(api: httpx.AsyncClient, leads: list[str]) -> None:
    good, poor = [leads[1], leads[0]], [leads[2]]

    assert await found(api) == [*poor, *good]
    assert await found(api, grade="A3") == good
    assert await found(api, grade="B1") == []
    assert await found(api, min_score=75) == good
    assert await found(api, min_score=76) == []
    assert await found(api, min_score=0) == [*good, *poor]
    assert await found(api, qualification="qualified") == good
    assert await found(api, qualification="open", grade="D3") == poor


async def test_a_list_is_walked_page_by_page(api: httpx.AsyncClient, leads: list[str]) -> None:
    for filters in ({}, {"min_score": 0}, {"updated_since": "2020-01-01T00:00:00Z"}):
        walked: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await api.get(PATH, params={"limit": 1, **filters, **cursor})).json()
            walked += [item["lead_id"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}

        assert sorted(walked) == sorted(leads)


async def test_what_changed_since_is_found(api: httpx.AsyncClient, leads: list[str]) -> None:
    last = (await api.get(f"{PATH}/{leads[1]}")).json()["updated_at"]

    assert leads[1] in await found(api, updated_since=last)
    assert await found(api, updated_since="2100-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grade", "E5"),
        ("min_score", "101"),
        ("min_score", "many"),
        ("qualification", "good"),
        ("updated_since", "yesterday"),
        ("limit", "0"),
        ("cursor", "nonsense"),
    ],
)
async def test_a_wrong_filter_is_named(api: httpx.AsyncClient, name: str, value: str) -> None:
    answer = await api.get(PATH, params={name: value})

    assert answer.status_code == 422
    assert [error["parameter"] for error in answer.json()["errors"]] == [name]


async def test_a_cursor_of_another_list_is_refused(
    api: httpx.AsyncClient, leads: list[str]
) -> None:
    page = (await api.get(PATH, params={"limit": 1})).json()
    params = {"updated_since": "2020-01-01T00:00:00Z", "cursor": page["next"]}

    assert len(leads) > 1
    assert (await api.get(PATH, params=params)).status_code == 422


async def test_an_unknown_lead_is_not_found(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{PATH}/{new_id()}")

    assert answer.status_code == 404
    assert answer.json()["type"].endswith("unknown-lead")
    assert (await api.get(f"{PATH}/ada")).status_code == 422


async def test_only_a_key_with_the_scope_reads_scores(
    api: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    writer = bearer(await make_key(engine, "rules:write"))

    assert (await api.get(PATH, headers=writer)).status_code == 403
    assert (await api.get(PATH, headers={"Authorization": ""})).status_code == 401


async def test_the_api_is_described_with_its_errors(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()

    assert {
        "/v1/scores",
        "/v1/scores/{lead_id}",
        "/v1/scorecards",
        "/v1/scorecards/{scorecard_id}",
        "/v1/scorecards/{scorecard_id}/publish",
    } <= set(document["paths"])
    assert "404" in document["paths"]["/v1/scores/{lead_id}"]["get"]["responses"]
    change = document["paths"]["/v1/scorecards/{scorecard_id}"]["patch"]["responses"]
    assert {"409", "412", "428"} <= set(change)
