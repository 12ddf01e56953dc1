"""A key that is tied to one source: of another one nothing is seen, and nothing changed."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.hostile.served import TOLD_APART, Served, serving
from tests.hostile.ways import resolving
from tests.stack.keys import bearer, make_key
from tests.stack.running import Stack

from shared.ids import new_id

SCOPES = ("leads:write", "leads:read", "sources:write")
EDIT = {"If-Match": "*"}
OTHERS = "+491701234567"


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody with a source, a key for that one alone, and a lead that came by it."""

    source_id: str
    key: str
    receipt_id: str
    lead_id: str


@dataclass(frozen=True, slots=True)
class Two:
    """Two of them, and who asks for either."""

    served: Served
    mine: Owner
    theirs: Owner

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask by my key."""
        headers = bearer(self.mine.key) | options.pop("headers", {})
        return await self.served.http.request(method, path, headers=headers, **options)


async def an_owner(served: Served, **lead: Any) -> Owner:
    everything = bearer(await served.key(*SCOPES))
    wanted = {"name": "A source", "kind": "form", "channel": "content"}
    source = (await served.http.post("/v1/sources", json=wanted, headers=everything)).json()
    key = await make_key(served.engine, *SCOPES, source_id=source["id"])
    headers = bearer(key) | {"Prefer": "wait=8"}
    body = {"email": f"{new_id()}@example.com"} | lead
    answer = await served.http.post("/v1/leads", json=body, headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    return Owner(source["id"], key, answer.json()["receipt_id"], answer.json()["lead_id"])


@pytest.fixture(scope="module")
async def two(stack: Stack) -> AsyncGenerator[Two]:
    async with serving(stack, "marketing-intake") as served, resolving(served.name, served.engine):
        yield Two(served, await an_owner(served), await an_owner(served, phone=OTHERS))


SENT: dict[str, dict[str, Any]] = {
    "PATCH /v1/sources/{source_id}": {"json": {"name": "Mine now"}},
    "POST /v1/leads/{lead_id}/consents": {"json": {"purpose": "newsletter", "granted": True}},
}
BY_ID = sorted(line for line in TOLD_APART if "{" in line)
LISTS = sorted(line for line in TOLD_APART if "{" not in line and line.startswith("GET "))
WRITES = sorted(TOLD_APART - {*BY_ID, *LISTS})


def _path(template: str, of: Owner) -> str:
    ids = {"submission_id": of.receipt_id, "source_id": of.source_id, "lead_id": of.lead_id}
    return template.format_map(ids)


@pytest.mark.parametrize("line", BY_ID)
async def test_what_is_anothers_answers_as_what_is_not_there(two: Two, line: str) -> None:
    (method, path), options = line.split(" "), SENT.get(line, {})
    foreign, own = [
        await two.ask(method, _path(path, owner), headers=EDIT, **options)
        for owner in (two.theirs, two.mine)
    ]
    nothing = Owner(*[str(new_id()) for _ in range(4)])
    missing = await two.ask(method, _path(path, nothing), headers=EDIT, **options)

    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert _without_ids(foreign, two.theirs) == _without_ids(missing, nothing)
    assert own.status_code in {200, 201, 409}, own.text


def _without_ids(answer: httpx.Response, of: Owner) -> tuple[str, dict[str, str]]:
    """Return all that an answer says, but for the id that was asked for."""
    said = answer.text
    for part in (of.receipt_id, of.source_id, of.lead_id):
        said = said.replace(part, "ID")
    return said, {name: value for name, value in answer.headers.items() if name != "content-length"}


@pytest.mark.parametrize("line", LISTS)
async def test_a_list_holds_only_what_is_ones_own(two: Two, line: str) -> None:
    listed = (await two.ask(*line.split(" "))).json()
    own = {two.mine.receipt_id, two.mine.source_id, two.mine.lead_id}

    assert len(listed["items"]) == 1
    assert listed["items"][0]["id"] in own
    assert listed["next"] is None


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/submissions", lambda theirs: {"source_id": theirs.source_id}),
        ("/v1/leads", lambda _: {"phone": OTHERS}),
        ("/v1/leads", lambda _: {"phone": OTHERS, "updated_since": "2020-01-01T00:00:00Z"}),
    ],
    ids=["submissions of the source", "leads by phone", "changed leads by phone"],
)
async def test_a_filter_finds_nothing_of_anothers(
    two: Two, path: str, query: Callable[[Owner], dict[str, str]]
) -> None:
    answer = await two.ask("GET", path, params=query(two.theirs))

    assert answer.json() == {"items": [], "next": None}


@pytest.mark.parametrize("line", WRITES)
async def test_nothing_is_written_to_anothers_source(two: Two, line: str) -> None:
    async def refused(source_id: str) -> tuple[int, Any]:
        answer = await two.ask(*line.split(" "), json=_written(line, source_id, two.mine))
        (one,) = answer.json().get("items", [{"status": answer.status_code}])
        return one["status"], one.get("problem", answer.json())

    foreign, missing = await refused(two.theirs.source_id), await refused(str(new_id()))

    assert foreign[0] == 422
    assert foreign[1]["errors"][0]["pointer"] == "#/source_id"
    assert foreign == missing


def _written(line: str, source_id: str, mine: Owner) -> dict[str, Any]:
    known = {"source_id": source_id, "lead_id": mine.lead_id, "kind": "click"}
    lead = {"source_id": source_id, "email": "x@example.com"}
    body = known if line == "POST /v1/touchpoints" else lead
    return {"items": [body]} if line.endswith("/batch") else body


async def test_who_came_by_both_is_seen_by_both_each_with_its_own_touchpoints(two: Two) -> None:
    email = f"{new_id()}@example.com"
    first, second = await an_owner(two.served, email=email), await an_owner(two.served, email=email)
    lists = [
        (
            await two.served.http.get(
                f"/v1/leads/{first.lead_id}/touchpoints", headers=bearer(owner.key)
            )
        ).json()["items"]
        for owner in (first, second)
    ]
    shown = await two.served.http.get(f"/v1/leads/{first.lead_id}", headers=bearer(second.key))

    assert first.lead_id == second.lead_id
    assert [{point["source_id"] for point in points} for points in lists] == [
        {first.source_id},
        {second.source_id},
    ]
    assert shown.json()["touchpoint_count"] == 1


async def test_a_person_who_is_like_anothers_is_not_told_of(two: Two) -> None:
    alike = await an_owner(two.served, phone=OTHERS)
    path = f"/v1/leads/{alike.lead_id}"
    own = await two.served.http.get(path, headers=bearer(alike.key))
    everything = await two.served.http.get(path, headers=bearer(await two.served.key(*SCOPES)))

    assert two.theirs.lead_id in everything.json()["suggested_duplicates"]
    assert own.json()["suggested_duplicates"] == []


async def test_to_record_what_a_lead_did_does_not_make_it_ones_own(two: Two) -> None:
    body = {"lead_id": two.theirs.lead_id, "kind": "page_view"}
    recorded = await two.ask("POST", "/v1/touchpoints", json=body)
    seen = await two.ask("GET", f"/v1/leads/{two.theirs.lead_id}")

    assert recorded.status_code == 201
    assert recorded.json()["source_id"] == two.mine.source_id
    assert seen.status_code == 404
