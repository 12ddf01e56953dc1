"""Routes for those who run a service: what is parked, and what is to be done with it.

Every service's API has them, for keys with the scope `operate`. Who is asked to do the work is
the worker; these routes only wait for it.
"""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import Response

from shared.operations import breaker_routes, parked, parking_orders, release_routes
from shared.operations.parked import ParkedDetail, ParkedLead, Reason
from shared.operations.parking_orders import ParkingOrder
from shared.web import pages
from shared.web.body import Body, json_body
from shared.web.keys import Caller, Keyring
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from shared.web.problems import Problem, responses
from shared.web.values import BigInt, Count, Text

SCOPE = "operate"

Subject = Annotated[UUID, Path(description="the id of the lead (or rep)")]
ReasonFilter = Annotated[Reason | None, Query(description="why the lead is parked")]


class Discarding(Body):
    """Why the events are given up; it is kept with the name of the key."""

    reason: Annotated[str, Text(1_000, lines=True)] = Field(
        examples=["The sender confirmed that these were tests."]
    )


def routes(engine: AsyncEngine, keyring: Keyring) -> APIRouter:
    """Return the routes under `/v1/parked` and `/v1/breaker`."""
    router = APIRouter(prefix="/v1", tags=["operations"])
    release_routes.add(router, engine, keyring, scope=SCOPE)
    _add_reading(router, engine, keyring)
    _add_orders(router, engine, keyring)
    breaker_routes.add(router, engine, keyring, scope=SCOPE)
    return router


def _add_reading(router: APIRouter, engine: AsyncEngine, keyring: Keyring) -> None:
    allowed = Depends(keyring.require(SCOPE))

    @router.get("/parked", dependencies=[allowed])
    async def list_parked(
        reason: ReasonFilter = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[ParkedLead]:
        """List leads of which events are parked, by their ids."""
        after = pages.decode(cursor, tuple[UUID])
        async with engine.connect() as connection:
            found = await parked.page(connection, reason, after=after and after[0], limit=limit + 1)
        items, following = pages.cut(found, limit, lambda lead: (lead.id,))
        return Page(items=list(items), next=following)

    @router.get("/parked/{subject}", dependencies=[allowed])
    async def show_parked(
        subject: Subject, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> ParkedDetail:
        """Show a lead's parked events raw, with what went wrong and what waits behind."""
        after = pages.decode(cursor, tuple[Count, BigInt])
        async with engine.connect() as connection:
            lead = await parked.one(connection, subject)
            if lead is None:
                raise _nothing(subject)
            rows = await parked.events(connection, subject, after=after or (0, 0), limit=limit + 1)
        items, following = pages.cut(rows, limit, lambda row: (row.place, row.id))
        events = Page(items=[parked.shown(row) for row in items], next=following)
        return ParkedDetail(**lead.model_dump(), events=events)


def _add_orders(router: APIRouter, engine: AsyncEngine, keyring: Keyring) -> None:
    operator = keyring.require(SCOPE)
    answers = {**responses(409), 202: {"model": ParkingOrder, "description": "Not done yet"}}

    @router.post("/parked/{subject}/release", responses=answers, response_model=ParkingOrder)
    async def release_parked(
        subject: Subject, caller: Annotated[Caller, Depends(operator)]
    ) -> Response:
        """Apply a lead's parked events in their order; at the first that fails, stop.

        What Kafka did not take (`held`) is tried again.
        """
        await _require_parked(engine, subject)
        order = await parking_orders.give(engine, "release", subject, actor=caller.name)
        return _answer(order)

    @router.post("/parked/{subject}/discard", responses=answers, response_model=ParkingOrder)
    async def discard_parked(
        subject: Subject,
        caller: Annotated[Caller, Depends(operator)],
        wanted: Annotated[Discarding, Depends(json_body(Discarding))],
    ) -> Response:
        """Give up a lead's parked events: they will never have an effect here.

        Of a conflict only the event that came second, and those behind it take effect. Of what
        Kafka does not take (`held`) the first event is given up: it goes out blank, and those
        behind it follow.
        """
        await _require_parked(engine, subject)
        order = await parking_orders.give(
            engine, "discard", subject, actor=caller.name, reason=wanted.reason
        )
        return _answer(order)

    @router.get("/parking-orders/{order_id}", dependencies=[Depends(operator)])
    async def show_parking_order(order_id: UUID) -> ParkingOrder:
        """Show what became of an order that was answered with 202."""
        order = await parking_orders.look(engine, order_id)
        if order is None:
            detail = f"There is no order {order_id}: compare it with the id that was answered."
            raise Problem(404, "not-found", "There is no such order", detail)
        return order


async def _require_parked(engine: AsyncEngine, subject: UUID) -> None:
    async with engine.connect() as connection:
        if await parked.one(connection, subject) is None:
            raise _nothing(subject)


def _answer(order: ParkingOrder) -> Response:
    """Return what came of it: 200; 202 while it is open; 409 where it failed; 404 for nothing."""
    if order.state == "done" and order.count == 0:
        raise _nothing(order.subject)
    if order.state == "failed":
        detail = order.error or "The worker did not say why."
        raise Problem(409, "still-failing", "A parked event cannot take effect", detail)
    status = HTTPStatus.ACCEPTED if order.state == "open" else HTTPStatus.OK
    headers = {"Location": f"/v1/parking-orders/{order.id}"}
    return Response(order.model_dump_json(), status, headers, "application/json")


def _nothing(subject: UUID) -> Problem:
    detail = f"Nothing is parked here of {subject}, or no longer: GET /v1/parked lists what is."
    return Problem(404, "nothing-parked", "Nothing is parked of this lead", detail)
