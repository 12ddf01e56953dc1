"""Routes about many parked leads: their causes, the release of one cause, what was ordered."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import Response

from shared.messaging.releases import Cause, NoSuchCause, UnderWay
from shared.operations import parked, parking_orders, parking_releases
from shared.operations.parked import ParkedCause, Reason
from shared.operations.parking_orders import ParkingOrder
from shared.operations.parking_releases import ParkingRelease
from shared.web import pages
from shared.web.body import Body, json_body
from shared.web.keys import Caller, Keyring
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page, Word
from shared.web.problems import Problem, responses
from shared.web.values import Instant, Text

OneLead = Annotated[UUID | None, Query(description="only those of this lead (or rep)")]


class Releasing(Body):
    """Which leads: those that are parked for this cause."""

    cause: Annotated[str, Text(200)] = Field(
        description="as `GET /v1/parked/causes` names it", examples=["KeyError"]
    )
    type: Annotated[str, Text(100)] | None = Field(
        None, description="only where this kind of event failed", examples=["lead.captured.v1"]
    )
    reason: Reason | None = Field(None, description="only those that are parked for this reason")


def add(router: APIRouter, engine: AsyncEngine, keyring: Keyring, *, scope: str) -> None:
    """Add `/v1/parked/causes`, `/v1/parked/release`, `/v1/parking-orders`, `/v1/parking-releases`.

    Before the routes that read `/v1/parked/{subject}`.
    """
    _add_reading(router, engine, keyring, scope)
    _add_releasing(router, engine, keyring, scope)


def _add_reading(router: APIRouter, engine: AsyncEngine, keyring: Keyring, scope: str) -> None:
    allowed = Depends(keyring.require(scope))

    @router.get("/parked/causes", dependencies=[allowed])
    async def list_parked_causes(
        limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[ParkedCause]:
        """List what leads are parked for, each cause with how many leads it holds."""
        after = pages.decode(cursor, tuple[Word, Word, Word])
        async with engine.connect() as connection:
            found = await parked.causes(connection, after=after or ("", "", ""), limit=limit + 1)
        items, following = pages.cut(found, limit, lambda c: (c.cause, c.type, c.reason))
        return Page(items=list(items), next=following)

    @router.get("/parking-orders", dependencies=[allowed])
    async def list_parking_orders(
        subject: OneLead = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[ParkingOrder]:
        """List who released or discarded what, why, and what came of it; the latest first."""
        after = pages.decode(cursor, tuple[Instant, UUID])
        found = await parking_orders.history(engine, subject, after=after, limit=limit + 1)
        items, following = pages.cut(found, limit, lambda order: (order.created_at, order.id))
        return Page(items=list(items), next=following)


def _add_releasing(router: APIRouter, engine: AsyncEngine, keyring: Keyring, scope: str) -> None:
    operator = keyring.require(scope)
    answers = {**responses(404, 409), 202: {"model": ParkingRelease, "description": "Not done yet"}}

    @router.post("/parked/release", responses=answers, response_model=ParkingRelease)
    async def release_cause(
        caller: Annotated[Caller, Depends(operator)],
        wanted: Annotated[Releasing, Depends(json_body(Releasing))],
    ) -> Response:
        """Release all leads that are parked for one cause, each for itself.

        One that fails again stays parked, and stops no other.
        """
        cause = Cause(wanted.cause, wanted.type, wanted.reason)
        try:
            release = await parking_releases.give(engine, cause, actor=caller.name)
        except NoSuchCause:
            raise _no_such_cause() from None
        except UnderWay as under_way:
            raise _under_way(under_way.release_id) from None
        status = HTTPStatus.ACCEPTED if release.state == "open" else HTTPStatus.OK
        headers = {"Location": f"/v1/parking-releases/{release.id}"}
        return Response(release.model_dump_json(), status, headers, "application/json")

    @router.get("/parking-releases/{release_id}", dependencies=[Depends(operator)])
    async def show_parking_release(release_id: UUID) -> ParkingRelease:
        """Show how far a release of one cause is."""
        release = await parking_releases.look(engine, release_id)
        if release is None:
            detail = f"There is no release {release_id}: compare it with the id that was answered."
            raise Problem(404, "not-found", "There is no such release", detail)
        return release


def _no_such_cause() -> Problem:
    detail = "No lead is parked here for this cause, or none any more: see GET /v1/parked/causes."
    return Problem(404, "nothing-parked", "Nothing is parked for this cause", detail)


def _under_way(release_id: UUID | None) -> Problem:
    where = f"GET /v1/parking-releases/{release_id} tells how far it is." if release_id else ""
    detail = f"Somebody else is releasing all that is parked for this cause. {where}".rstrip()
    return Problem(409, "release-under-way", "It is being released already", detail)
