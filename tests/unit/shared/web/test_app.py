"""What every route of every service answers, whatever happens in it."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Literal
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query
from openapi_spec_validator import validate
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.requests import ClientDisconnect
from structlog.testing import capture_logs

from shared.telemetry import metrics, tracing
from shared.web.app import create_app
from shared.web.body import Body, json_body
from shared.web.gate import Gate
from shared.web.keys import Caller, Keyring
from shared.web.pages import DEFAULT_LIMIT, Limit, Page
from shared.web.problems import Problem, ProblemType
from shared.web.values import Money, Name

NOWHERE = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
JSON = {"content-type": "application/json"}


class IllegalMove(Exception):
    pass


Stage = Literal["new", "won"]


class LeadIn(Body):
    name: Name
    worth: Money | None = None


class LeadOut(Body):
    name: str
    worth: Money | None = None


def routes() -> APIRouter:
    inner = APIRouter(prefix="/leads")
    keyring = Keyring(NOWHERE)

    @inner.post("", status_code=201)
    async def make_lead(lead: Annotated[LeadIn, Depends(json_body(LeadIn))]) -> LeadOut:
        return LeadOut(name=lead.name, worth=lead.worth)

    @inner.get("")
    async def list_leads(
        limit: Limit = DEFAULT_LIMIT, stage: Annotated[list[Stage] | None, Query()] = None
    ) -> Page[LeadOut]:
        return Page(items=[LeadOut(name=f"{limit} {stage}")], next=None)

    @inner.get("/{lead_id}")
    async def read_lead(
        lead_id: UUID, caller: Annotated[Caller, Depends(keyring.require("leads:read"))]
    ) -> LeadOut:
        return LeadOut(name=f"{lead_id} {caller}")

    @inner.get("/fails/{how}")
    async def fail(how: str, email: str | None = None) -> None:
        del email
        if how == "trace":
            raise Problem(418, "teapot", "A teapot", tracing.current())
        raise FAILURES[how]

    @inner.get("/database/away")
    async def ask_database() -> None:
        async with NOWHERE.connect() as connection:
            await connection.execute(text("SELECT 1"))

    @inner.get("/slow/sleep")
    async def sleep(seconds: Annotated[float, Query(le=60)]) -> None:
        await asyncio.sleep(seconds)

    outer = APIRouter(prefix="/v1")
    outer.include_router(inner)
    return outer


FAILURES = {
    "rule": IllegalMove("A won deal stays won: open a new one."),
    "bug": ZeroDivisionError("anna@example.com"),
    "timeout": TimeoutError("anna@example.com"),
    "network": ConnectionResetError("anna@example.com"),
    "gone": ClientDisconnect(),
    "http": HTTPException(404, "No lead has this id: look it up under /v1/leads."),
}


def build() -> FastAPI:
    return create_app(
        service="tiny",
        version="1",
        routers=[routes()],
        errors={IllegalMove: ProblemType(409, "illegal-move", "The rules forbid this move")},
    )


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return build()


@pytest.fixture
async def client(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://tiny") as client:
        yield client


async def test_a_good_request_is_answered(client: httpx.AsyncClient) -> None:
    body = b'{"name": " Anna ", "worth": {"amount_minor": 1999, "currency": "eur"}}'
    answer = await client.post("/v1/leads", content=body, headers=JSON)

    assert answer.status_code == 201
    assert answer.json() == {"name": "Anna", "worth": {"amount_minor": 1999, "currency": "EUR"}}


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/v1/leads/fails/rule", 409, "illegal-move"),
        ("/v1/leads/fails/bug", 500, "internal"),
        ("/v1/leads/fails/timeout", 503, "unavailable"),
        ("/v1/leads/fails/network", 503, "unavailable"),
        ("/v1/leads/fails/gone", 400, "sender-gone"),
        ("/v1/leads/fails/http", 404, "not-found"),
        ("/v1/leads/database/away", 503, "unavailable"),
        ("/v1/leads?limit=0", 422, "invalid-input"),
        ("/v1/leads/not-an-id", 401, "unauthenticated"),
        ("/v1/leads/", 404, "not-found"),
        ("/nothing", 404, "not-found"),
    ],
)
async def test_every_error_is_a_problem_document(
    client: httpx.AsyncClient, path: str, status: int, slug: str
) -> None:
    answer = await client.get(path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:handoff:problem:{slug}"
    assert answer.json()["status"] == status
    assert answer.json()["detail"]
    assert "anna" not in answer.text


async def test_the_text_of_a_broken_rule_is_told(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/leads/fails/rule")

    assert answer.json()["detail"] == "A won deal stays won: open a new one."


async def test_what_passes_by_itself_says_when_to_come_again(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/leads/database/away")

    assert answer.headers["retry-after"] == "2"


async def test_a_wrong_parameter_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/leads", params={"limit": "201"})

    assert answer.json()["errors"] == [
        {"parameter": "limit", "code": "less_than_equal", "detail": "limit must be at most 200"}
    ]


async def test_of_a_list_of_values_the_parameter_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/leads?stage=won&stage=lost")

    (error,) = answer.json()["errors"]
    assert (error["parameter"], error["code"]) == ("stage", "literal_error")


@pytest.mark.parametrize(
    ("query", "parameter"), [("limit=1&limit=2", "limit"), ("limit=1&nmae=2", "nmae")]
)
async def test_a_parameter_that_would_be_passed_over_is_named(
    client: httpx.AsyncClient, query: str, parameter: str
) -> None:
    answer = await client.get(f"/v1/leads?{query}")

    assert answer.status_code == 422
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


async def test_a_parameter_that_takes_more_than_one_value_may_repeat(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/v1/leads?stage=won&stage=new")

    assert answer.json()["items"][0]["name"] == "50 ['won', 'new']"


async def test_a_wrong_method_is_told_all_right_ones(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/v1/leads")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {"content-type": "é".encode("latin-1")},
    ],
)
async def test_another_content_type_is_told_the_right_one(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.post("/v1/leads", content=b'{"name": "a"}', headers=headers)

    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


async def test_a_charset_that_is_true_is_taken(client: httpx.AsyncClient) -> None:
    headers = {"content-type": 'Application/JSON; Charset="UTF-8"'}
    answer = await client.post("/v1/leads", content=b'{"name": "a"}', headers=headers)

    assert answer.status_code == 201


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * 65_536


async def test_a_body_that_says_it_is_too_large_is_not_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/leads", content=b" " * 1_048_577, headers=JSON)

    assert answer.status_code == 413
    assert "1048576 bytes" in answer.json()["detail"]


async def test_a_body_that_turns_out_too_large_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/leads", content=pieces(17), headers=JSON)

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/leads", "/nothing", "/v1/leads/fails/bug", "/docs"])
async def test_every_answer_has_the_headers_of_safety(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "max-age" in headers["strict-transport-security"]


async def test_the_log_has_the_routes_template_and_nothing_of_a_person(
    client: httpx.AsyncClient,
) -> None:
    with capture_logs() as logs:
        await client.get("/v1/leads/fails/bug", params={"email": "anna@example.com"})

    assert logs[-1]["route"] == "/v1/leads/fails/{how}"
    assert logs[-1]["status"] == 500
    assert "ZeroDivisionError" in logs[0]["error"]
    assert "anna" not in json.dumps(logs)


async def test_an_unknown_path_is_not_in_the_log(client: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        await client.get("/v1/hooks/s3cret-token")

    assert logs[-1]["route"] == "unmatched"
    assert "s3cret" not in json.dumps(logs)


async def test_a_request_is_counted_by_its_template(client: httpx.AsyncClient) -> None:
    labels = {"method": "GET", "route": "/v1/leads/fails/{how}", "status": "409"}

    def count() -> float:
        found = [
            sample.value
            for metric in metrics.REQUEST_SECONDS.collect()
            for sample in metric.samples
            if sample.name.endswith("_count") and sample.labels == labels
        ]
        return sum(found)

    before = count()
    await client.get("/v1/leads/fails/rule")

    assert count() == before + 1


async def test_a_request_goes_on_in_the_trace_of_its_sender(client: httpx.AsyncClient) -> None:
    trace = "ab" * 16
    headers = {"traceparent": f"00-{trace}-{'cd' * 8}-01"}
    answer = await client.get("/v1/leads/fails/trace", headers=headers)

    assert trace in answer.json()["detail"]


async def test_a_handler_that_takes_too_long_is_ended_with_503() -> None:
    gate = Gate(build(), handler_seconds=0.05)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(gate), base_url="http://tiny"
    ) as client:
        answer = await client.get("/v1/leads/slow/sleep", params={"seconds": 5})

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"


async def test_a_key_that_is_junk_is_told_so(client: httpx.AsyncClient) -> None:
    headers = {"authorization": "Bearer sécret".encode()}
    answer = await client.get(f"/v1/leads/{UUID(int=0)}", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_the_openapi_document_is_valid_and_knows_raw_bodies(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    post = document["paths"]["/v1/leads"]["post"]
    content = post["requestBody"]["content"]["application/json"]

    validate(document)
    assert content["schema"]["$ref"] == "#/components/schemas/LeadIn"
    assert {"400", "413", "415", "422", "503"} <= set(post["responses"])
    assert sorted(document["components"]["schemas"]) == [
        "FieldErrorDocument",
        "LeadIn",
        "LeadOut",
        "Money",
        "Page_LeadOut_",
        "ProblemDocument",
    ]


async def test_the_openapi_document_tells_limits_to_the_last_digit(
    client: httpx.AsyncClient,
) -> None:
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]

    assert schemas["Money"]["properties"]["amount_minor"]["maximum"] == 2**63 - 1


async def test_the_openapi_document_tells_which_scope_a_route_needs(
    client: httpx.AsyncClient,
) -> None:
    get = (await client.get("/openapi.json")).json()["paths"]["/v1/leads/{lead_id}"]["get"]

    assert get["security"] == [{"key": []}]
    assert "Needs the scope leads:read." in get["description"]
    assert {"401", "403", "404", "422"} <= set(get["responses"])


async def test_a_parameter_that_a_list_does_not_know_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/leads", params={"limit": 5, "emial": "anna@example.com"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "emial"
    assert "limit" in answer.json()["errors"][0]["detail"]
    assert "anna@" not in answer.text
