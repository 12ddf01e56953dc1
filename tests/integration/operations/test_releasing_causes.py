"""Many leads that are parked for one cause are released at once, each for itself."""

import asyncio

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.operations.conftest import Picky, park, rule_of, speak

from shared.ids import new_id
from shared.messaging import releases


def cause() -> str:
    """Return a cause of a test's own."""
    return f"Error{new_id().hex}"


async def parked_leads(api: httpx.AsyncClient) -> set[str]:
    return {lead["id"] for lead in (await api.get("/v1/parked?limit=200")).json()["items"]}


async def release(api: httpx.AsyncClient, **wanted: str) -> httpx.Response:
    return await api.post("/v1/parked/release", json=wanted)


async def until_done(api: httpx.AsyncClient, place: str) -> dict[str, int]:
    """Wait until a release that was asked for is done."""
    async with asyncio.timeout(20):
        while True:
            now = (await api.get(place)).json()
            if now["state"] == "done":
                return now
            await asyncio.sleep(0.1)


async def test_causes_are_listed_with_how_many_leads_each_holds(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    name = cause()
    for _ in range(3):
        await park(engine, "poison", "ACME", error=f"{name}: anna@example.com")
    listed = (await api.get("/v1/parked/causes?limit=200")).json()
    found = [each for each in listed["items"] if each["cause"] == name]

    assert [(c["type"], c["reason"], c["leads"]) for c in found] == [
        ("lead.captured.v1", "poison", 3)
    ]
    assert "anna" not in str(listed)


async def test_causes_are_walked_page_by_page(engine: AsyncEngine, api: httpx.AsyncClient) -> None:
    names = {cause() for _ in range(3)}
    for name in names:
        await park(engine, "poison", error=f"{name}: no")
    seen: list[str] = []
    query = "limit=1"
    while True:
        page = (await api.get(f"/v1/parked/causes?{query}")).json()
        seen += [each["cause"] for each in page["items"]]
        if page["next"] is None:
            break
        query = f"limit=1&cursor={page['next']}"

    assert names <= set(seen)
    assert len(seen) == len(set(seen))


async def test_all_of_one_cause_are_released_and_no_other(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    name = cause()
    mine = [await park(engine, "ACME", "ACME", error=f"{name}: no") for _ in range(3)]
    other = await park(engine, "ACME", error=f"{cause()}: no")
    done = await until_done(api, (await release(api, cause=name)).headers["location"])

    assert (done["leads"], done["released"], done["failing"], done["events"]) == (3, 3, 0, 6)
    assert [hearer.heard_of(lead) for lead in mine] == [[1, 2]] * 3
    assert hearer.heard_of(other) == []
    assert str(other) in await parked_leads(api)


async def test_one_that_fails_again_stays_parked_and_stops_no_other(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    name = cause()
    first = await park(engine, "ACME", error=f"{name}: no")
    failing = await park(engine, "poison", "ACME", error=f"{name}: no")
    last = await park(engine, "ACME", error=f"{name}: no")
    done = await until_done(api, (await release(api, cause=name)).headers["location"])
    orders = (await api.get(f"/v1/parking-orders?subject={failing}")).json()["items"]

    assert (done["released"], done["failing"]) == (2, 1)
    assert [hearer.heard_of(lead) for lead in (first, failing, last)] == [[1], [], [1]]
    assert {str(first), str(failing), str(last)} & await parked_leads(api) == {str(failing)}
    assert [(o["state"], o["release_id"], o["actor"]) for o in orders] == [
        ("failed", done["id"], "night shift")
    ]


async def test_two_who_release_at_once_are_both_told_and_nothing_is_doubled(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    name = cause()
    leads = [await park(engine, "ACME", "ACME", error=f"{name}: no") for _ in range(30)]
    answers = await asyncio.gather(release(api, cause=name), release(api, cause=name))
    [mine] = [each for each in answers if each.is_success]
    [other] = [each for each in answers if not each.is_success]
    done = await until_done(api, mine.headers["location"])

    assert rule_of(other) == (409, "release-under-way")
    assert done["id"] in other.json()["detail"]
    assert (done["released"], done["events"]) == (30, 60)
    assert [hearer.heard_of(lead) for lead in leads] == [[1, 2]] * 30
    last = await release(api, cause=name)
    assert rule_of(last) == (404, "nothing-parked")
    assert not [each for each in (other, last) if name in each.text]


async def test_two_who_release_one_lead_at_once_are_both_told_and_nothing_is_doubled(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    lead = await park(engine, "ACME", "ACME", error=f"{cause()}: no")
    answers = await asyncio.gather(*(api.post(f"/v1/parked/{lead}/release") for _ in range(2)))

    assert sorted(each.status_code for each in answers) == [200, 404]
    assert hearer.heard_of(lead) == [1, 2]


async def test_a_person_who_asks_for_one_lead_does_not_wait_for_a_release_of_many(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    name = cause()
    for _ in range(150):
        await park(engine, "ACME", error=f"{name}: no")
    single = await park(engine, "ACME", error=f"{cause()}: no")
    async with engine.begin() as connection:
        release_id = await releases.ask(connection, releases.Cause(name), actor="a test")
    answer = await api.post(f"/v1/parked/{single}/release")
    far = (await api.get(f"/v1/parking-releases/{release_id}")).json()

    assert answer.status_code == 200
    assert hearer.heard_of(single) == [1]
    assert far["released"] < 150
    await until_done(api, f"/v1/parking-releases/{release_id}")


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [({}, "#/cause"), ({"cause": "X", "reason": "bad"}, "#/reason"), ({"cause": ""}, "#/cause")],
)
async def test_a_release_says_of_what(
    api: httpx.AsyncClient, wanted: dict[str, str], pointer: str
) -> None:
    answer = await release(api, **wanted)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_the_kind_of_event_and_the_reason_narrow_a_release(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    name = cause()
    await park(engine, "ACME", error=f"{name}: no")
    answers = [
        await release(api, cause=name, type="lead.merged.v1"),
        await release(api, cause=name, reason="busy"),
    ]

    assert [rule_of(each) for each in answers] == [(404, "nothing-parked")] * 2


async def test_an_unknown_release_is_404(api: httpx.AsyncClient) -> None:
    assert (await api.get(f"/v1/parking-releases/{new_id()}")).status_code == 404


async def test_the_history_of_a_lead_shows_who_gave_it_up_and_why(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    del hearer
    lead = await park(engine, "poison", "ACME")
    await api.post(f"/v1/parked/{lead}/release")
    await api.post(f"/v1/parked/{lead}/discard", json={"reason": "a test of theirs"})
    first = (await api.get(f"/v1/parking-orders?subject={lead}&limit=1")).json()
    rest = (
        await api.get(f"/v1/parking-orders?subject={lead}&limit=1&cursor={first['next']}")
    ).json()
    [latest], [before] = first["items"], rest["items"]

    assert (latest["verb"], latest["reason"], latest["count"]) == ("discard", "a test of theirs", 2)
    assert (latest["actor"], latest["state"]) == ("night shift", "done")
    assert (before["verb"], before["state"]) == ("release", "failed")
    assert rest["next"] is None


async def test_other_scopes_release_nothing(engine: AsyncEngine) -> None:
    async with await speak(engine, "deals:read") as client:
        answers = [
            await client.get("/v1/parked/causes"),
            await client.get("/v1/parking-orders"),
            await release(client, cause="X"),
        ]

    assert [rule_of(each) for each in answers] == [(403, "missing-scope")] * 3
