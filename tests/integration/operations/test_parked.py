"""What people do about parked events: the routes of every service, with its worker at work."""

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.operations.conftest import Picky, park, parked_ids, rule_of, speak

from shared.ids import new_id
from shared.messaging import subjects


async def test_a_parked_lead_is_listed_with_its_reason(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    lead_id = await park(engine, "poison", "ACME", "ACME")
    listed = (await api.get("/v1/parked", params={"reason": "poison"})).json()["items"]
    [lead] = [each for each in listed if each["id"] == str(lead_id)]

    assert (lead["reason"], lead["count"], lead["behind"]) == ("poison", 3, 2)
    assert lead["error"] == "ValueError: no"
    assert (lead["first"]["type"], lead["first"]["sequence"]) == ("lead.captured.v1", 1)


async def test_the_list_is_walked_page_by_page_and_by_reason(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    made = [str(await park(engine, "poison", reason="conflict")) for _ in range(3)]

    assert await parked_ids(api, reason="conflict", limit=1) == made
    assert not set(made) & set(await parked_ids(api, reason="busy"))


async def test_parked_events_are_shown_raw(engine: AsyncEngine, api: httpx.AsyncClient) -> None:
    lead_id = await park(engine, "poison", "ACME")
    shown = (await api.get(f"/v1/parked/{lead_id}")).json()
    first, second = shown["events"]["items"]

    assert (first["reason"], second["reason"]) == ("poison", "behind")
    assert first["traceback"] == "Traceback: …"
    assert first["headers"]["ce_subject"] == str(lead_id)
    assert (first["partition"], first["offset"]) == (3, 1)
    assert first["value_encoding"] == "text"
    assert '"company":"poison"' in first["value"]


async def test_what_is_no_text_is_shown_in_base64(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    lead_id = await park(engine, "poison")
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE parked_event SET value = '\\xff00' WHERE subject = :id"), {"id": lead_id}
        )
    [event] = (await api.get(f"/v1/parked/{lead_id}")).json()["events"]["items"]

    assert (event["value"], event["value_encoding"]) == ("/wA=", "base64")


async def test_released_events_take_effect_in_their_order(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    lead_id = await park(engine, "poison", "ACME", "ACME")
    hearer.mended = True
    answer = await api.post(f"/v1/parked/{lead_id}/release")

    assert (answer.status_code, answer.json()["count"]) == (200, 3)
    assert hearer.heard_of(lead_id) == [1, 2, 3]
    assert rule_of(await api.get(f"/v1/parked/{lead_id}")) == (404, "nothing-parked")


async def test_what_waits_of_a_lead_that_nobody_made_in_the_end_is_found_and_released(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    lead_id = await park(engine, "ACME")
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM subject WHERE id = :id"), {"id": lead_id})
    shown = await api.get(f"/v1/parked/{lead_id}")
    answer = await api.post(f"/v1/parked/{lead_id}/release")

    assert shown.json()["events"]["items"][0]["reason"] == "poison"
    assert (answer.status_code, answer.json()["count"]) == (200, 1)
    assert hearer.heard_of(lead_id) == [1]


async def test_a_merged_lead_is_found_and_released_by_whichever_of_its_names_is_given(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    merged, survivor = await park(engine, "poison", "ACME"), await park(engine, "poison")
    async with engine.begin() as connection:
        await subjects.lock(connection, [merged, survivor], whole=True)
        await subjects.merge(connection, merged, into=survivor)
    shown = [(await api.get(f"/v1/parked/{name}")).json() for name in (merged, survivor)]
    failed = await api.post(f"/v1/parked/{survivor}/release")
    hearer.mended = True
    done = await api.post(f"/v1/parked/{merged}/release")
    orders = [
        (await api.get(f"/v1/parking-orders?subject={name}")).json()["items"]
        for name in (merged, survivor)
    ]

    assert [each["count"] for each in shown] == [3, 3]
    assert [len(each["events"]["items"]) for each in shown] == [3, 3]
    assert rule_of(failed) == (409, "still-failing")
    assert (done.status_code, done.json()["count"]) == (200, 3)
    assert [len(each) for each in orders] == [2, 2]


async def test_what_fails_again_is_409_and_stays_parked(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    lead_id = await park(engine, "poison", "ACME")
    answer = await api.post(f"/v1/parked/{lead_id}/release")

    assert rule_of(answer) == (409, "still-failing")
    assert answer.json()["detail"].endswith("ValueError")  # what it quotes is shown, not kept
    assert hearer.heard_of(lead_id) == []
    shown = (await api.get(f"/v1/parked/{lead_id}")).json()
    assert (shown["count"], shown["error"]) == (2, "ValueError: this cannot be heard")


async def test_discarded_events_have_no_effect_and_who_gave_them_up_is_kept(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    lead_id = await park(engine, "poison", "ACME")
    answer = await api.post(f"/v1/parked/{lead_id}/discard", json={"reason": "a test of theirs"})
    order = (await api.get(answer.headers["location"])).json()

    assert (answer.status_code, answer.json()["count"]) == (200, 2)
    assert hearer.heard_of(lead_id) == []
    assert (order["actor"], order["reason"]) == ("night shift", "a test of theirs")
    assert str(lead_id) not in await parked_ids(api)


async def test_an_order_that_no_worker_has_come_to_is_202_and_can_be_looked_at(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    lead_id = await park(engine, "poison")
    answer = await api.post(f"/v1/parked/{lead_id}/release")
    order = (await api.get(answer.headers["location"])).json()

    assert (answer.status_code, answer.json()["state"]) == (202, "open")
    assert (order["verb"], order["subject"], order["state"]) == ("release", str(lead_id), "open")


@pytest.mark.parametrize(("verb", "body"), [("release", None), ("discard", {"reason": "none"})])
async def test_nothing_parked_is_404(
    api: httpx.AsyncClient, verb: str, body: dict[str, str] | None
) -> None:
    answer = await api.post(f"/v1/parked/{new_id()}/{verb}", json=body)

    assert rule_of(answer) == (404, "nothing-parked")


async def test_discarding_needs_a_reason(engine: AsyncEngine, api: httpx.AsyncClient) -> None:
    lead_id = await park(engine, "poison")
    answer = await api.post(f"/v1/parked/{lead_id}/discard", json={})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/reason"


async def test_an_unknown_order_is_404(api: httpx.AsyncClient) -> None:
    assert (await api.get(f"/v1/parking-orders/{new_id()}")).status_code == 404


async def test_other_scopes_see_nothing(engine: AsyncEngine) -> None:
    async with await speak(engine, "deals:read", "deals:write") as client:
        answer = await client.get("/v1/parked")

    assert rule_of(answer) == (403, "missing-scope")
