"""What the model of a route accepts, its service stores and shows again; never a 5xx (D6).

Through the real API, for every body that any route reads. More examples by `HANDOFF_FULL=1`.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import BaseModel, TypeAdapter
from tests.hostile.documents import SERVICES, Operation
from tests.hostile.served import Served, serving
from tests.hostile.strategies import bodies, spoilt
from tests.hostile.ways import WAYS, Before, Parts, Way, resolving
from tests.stack.keys import bearer
from tests.stack.running import Stack

from marketing_intake.domain.values import clean
from marketing_intake.entrypoints.models import LeadIn
from shared.clock import utc_now
from shared.web.body import JsonBody

EXAMPLES = 400 if os.environ.get("HANDOFF_FULL") else 24
MALFORMED, WRONG = 400, 500
_LEADS = "POST /v1/leads"
_HEADERS = {"Content-Type": "application/json", "If-Match": "*", "Prefer": "wait=8"}


@dataclass
class Written:
    """A service that is written to.

    Attributes:
        untouched: by route, what was made for it and is still as it was made.
    """

    served: Served
    before: Before
    models: dict[str, TypeAdapter[Any]]
    untouched: dict[str, Parts] = field(default_factory=dict[str, Parts])

    async def parts(self, route: Operation) -> Parts:
        """Return what a route needs that is there before."""
        if route.line not in self.untouched:
            self.untouched[route.line] = await WAYS[route.line].needs(self.before)
        return self.untouched[route.line]

    async def write(self, route: Operation, body: str) -> httpx.Response:
        """Send a body; whatever it is, the answer is none of our mistakes."""
        answer = await self.served.send(
            route, key=self.before.key, headers=_HEADERS, content=body.encode(),
            address=route.address(**await self.parts(route)),
        )  # fmt: skip
        assert _worst(answer) < WRONG, f"{route} {answer.text}: {body}"
        if answer.is_success:
            del self.untouched[route.line]
        return answer

    async def shown(self, way: Way, answer: httpx.Response, parts: Parts) -> dict[str, Any]:
        """Return what was written as it is shown afterwards."""
        if way.shown is None:
            return answer.json()
        path = way.shown.format_map({**parts, **answer.json()})
        found = await self.served.http.get(path, headers=bearer(self.before.key))
        assert found.status_code == 200, found.text
        return found.json()


def _with(body: str, given: Any) -> str:
    """Return the text of a body with these fields; of a batch each item gets them."""
    read = json.loads(body)
    if isinstance(read, list):
        return json.dumps([{**item, **given} for item in read])
    if "items" in read:
        return json.dumps({"items": [{**item, **given} for item in read["items"]]})
    return json.dumps({**read, **given})


def _worst(answer: httpx.Response) -> int:
    """Return the status, of a batch the highest of its items."""
    items = answer.json().get("items", ()) if answer.is_success else ()
    return max([answer.status_code, *(item["status"] for item in items if "status" in item)])


def _models(app: FastAPI) -> Iterator[tuple[str, TypeAdapter[Any]]]:
    for context in iter_route_contexts(app.routes):
        dependant: Dependant | None = getattr(context, "dependant", None)
        for body in _bodies(dependant) if dependant else ():
            for method in context.methods or ():
                yield f"{method} {context.path}", body.adapter


def _bodies(dependant: Dependant) -> Iterator[JsonBody[Any]]:
    for below in dependant.dependencies:
        if isinstance(below.call, JsonBody):
            yield below.call
        yield from _bodies(below)


@pytest.fixture(scope="module", params=SERVICES)
async def written(stack: Stack, request: pytest.FixtureRequest) -> AsyncGenerator[Written]:
    async with serving(stack, request.param) as served, resolving(served.name, served.engine):
        models = dict(_models(served.app))
        if served.name == "marketing-intake":
            models[_LEADS] = TypeAdapter(LeadIn)  # read by hand: no dependency tells of it
        yield Written(served, Before(served, await served.key()), models)


def test_every_body_that_a_route_reads_is_written_here(written: Written) -> None:
    documented = {
        route.line for route in written.served.routes
        if route.bodies and route.needs is not None
    }  # fmt: skip

    assert written.models.keys() == documented
    assert documented <= WAYS.keys()


Check = Callable[[str], None]


def _try(strategy: SearchStrategy[str], check: Check) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(body=strategy)
    def run(body: str) -> None:
        check(body)

    run()


@pytest.mark.timeout(1800)
def test_what_is_accepted_is_shown_again(written: Written) -> None:
    loop, compared = asyncio.get_event_loop(), Counter[str]()
    for route in _read_by_model(written):

        def write(body: str, route: Operation = route) -> None:
            compared[route.line] += loop.run_until_complete(_compare(written, route, body))

        _try(bodies(written.models[route.line].json_schema()), write)

    shown = {route.line for route in _read_by_model(written) if WAYS[route.line].shows}
    assert shown - (+compared).keys() == set()


async def _compare(written: Written, route: Operation, body: str) -> int:
    """Write a body and look at what was made of it; return how many fields could be compared."""
    way, parts = WAYS[route.line], await written.parts(route)
    sent = _with(body, way.given(parts))
    answer = await written.write(route, sent)
    if not answer.is_success:
        return 0
    found = await written.shown(way, answer, parts)
    expected = _expected(route.line, written.models[route.line], sent, way)
    shown = {name: found[name] for name in expected if name in found}
    assert shown == expected, f"{route}: {sent}"
    return len(expected)


@pytest.mark.timeout(1800)
def test_what_is_spoilt_is_refused_or_stored_and_never_our_mistake(written: Written) -> None:
    loop = asyncio.get_event_loop()
    for route in _read_by_model(written):

        def write(body: str, route: Operation = route) -> None:
            loop.run_until_complete(written.write(route, body))

        _try(spoilt(written.models[route.line].json_schema()), write)


def _read_by_model(written: Written) -> list[Operation]:
    return [route for route in written.served.routes if route.line in written.models]


def _expected(route: str, model: TypeAdapter[Any], sent: str, way: Way) -> dict[str, Any]:
    """Return the fields that were sent as the model has them, by the names of what is shown.

    In a change null leaves a field as it is, but for a deal, whose field it empties.
    """
    if not way.shows:
        return {}
    read: BaseModel = model.validate_json(sent)
    if route == _LEADS:
        return _of_lead(read)
    whole = read.model_dump(mode="json", exclude={"google_key"})  # which is not shown again
    said = (
        whole
        if route.startswith("POST")
        else {n: whole[n] for n in read.model_fields_set & whole.keys()}
    )
    kept = said if route.endswith("/deals/{deal_id}") else _without_null(said)
    if kept.get("occurred_at", "") > utc_now().isoformat():
        del kept["occurred_at"]  # nothing occurs later than it is told
    return {way.names.get(name, name): value for name, value in kept.items()}


def _without_null(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _of_lead(read: Any) -> dict[str, Any]:
    """Return what a new lead shows of its fields: trimmed, and without control characters."""
    names = {"company": 200, "job_title": 200}
    return {name: clean(getattr(read, name), limit=limit) or None for name, limit in names.items()
            if getattr(read, name)}  # fmt: skip


ANY_FIELDS = st.dictionaries(
    st.sampled_from(["email", "E-Mail", "phone", "name", "message", "utm_source", "_next", "x.y"])
    | st.text(min_size=1, max_size=30),
    st.text(max_size=60) | st.sampled_from(["a@form.example", "+49301234567", "\x00", "0"]),
    min_size=1,
    max_size=6,
)
FIELDS = ANY_FIELDS | ANY_FIELDS.map(lambda fields: {**fields, "email": "ada@form.example"})
"""What a form may hold: any names, any text; every other one says who it is."""


@pytest.fixture(scope="module")
async def intake(stack: Stack) -> AsyncGenerator[Before]:
    async with serving(stack, "marketing-intake") as served, resolving(served.name, served.engine):
        yield Before(served, await served.key())


@pytest.mark.parametrize("kind", ["form", "google_ads"])
def test_what_a_form_or_an_ad_holds_is_stored_and_resolves(intake: Before, kind: str) -> None:
    loop = asyncio.get_event_loop()
    wanted = {"name": "Any", "kind": kind, "channel": "seo"}
    source = loop.run_until_complete(intake.post("/v1/sources", wanted))

    async def post(fields: dict[str, str]) -> None:
        columns = [{"column_id": name, "string_value": text} for name, text in fields.items()]
        lead = {"google_key": source.get("google_key"), "user_column_data": columns}
        options: dict[str, Any] = {"json": lead} if kind == "google_ads" else {"data": fields}
        answer = await intake.served.http.post(source["path"], **options)
        assert answer.status_code < WRONG, f"{answer.text}: {fields}"

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(fields=FIELDS)
    def check(fields: dict[str, str]) -> None:
        loop.run_until_complete(post(fields))

    check()
    states = loop.run_until_complete(_settled(intake, source["id"]))

    assert states.keys() <= {"created", "updated", "duplicate", "rejected", "quarantined"}
    assert states["created"] + states["updated"] > 0


@pytest.mark.parametrize("depth", [7, 30, 31, 190, 240, 300, 1_000, 5_000])
@pytest.mark.parametrize("kind", ["form", "google_ads", "api"])
async def test_what_is_nested_deeply_is_refused_or_resolves(
    intake: Before, kind: str, depth: int
) -> None:
    source = await intake.post("/v1/sources", {"name": "Any", "kind": kind, "channel": "seo"})
    nested = "[" * depth + "1" + "]" * depth
    known = f'"email": "a@deep.example", "google_key": "{source.get("google_key")}"'
    lead = f'{{{known}, "source_id": "{source["id"]}", "budget": {nested}}}'
    paths = [source["path"]] if source["path"] else ["/v1/leads", "/v1/leads/batch"]
    for path in paths:
        in_batch = path.endswith("batch")
        body, levels = (f'{{"items": [{lead}]}}', depth + 3) if in_batch else (lead, depth + 1)
        answer = await intake.served.http.post(
            path, content=body, headers={**_HEADERS, **bearer(intake.key)}
        )
        assert _worst(answer) < WRONG, answer.text
        assert (answer.status_code == MALFORMED) is (levels > 32)
    states = await _settled(intake, source["id"])

    assert states["parked"] == 0


async def _settled(intake: Before, source_id: str) -> Counter[str]:
    """Return how many submissions of a source are in which state, once all have an outcome."""
    while True:
        states = Counter[str]()
        cursor: dict[str, str] = {}
        while cursor is not None:
            page = await intake.served.http.get(
                "/v1/submissions", params={"source_id": source_id, "limit": 200, **cursor},
                headers=bearer(intake.key),
            )  # fmt: skip
            states.update(item["state"] for item in page.json()["items"])
            cursor = {"cursor": page.json()["next"]} if page.json()["next"] else None
        if not states["received"]:
            return states
        await asyncio.sleep(0.05)
