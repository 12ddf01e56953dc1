"""The way back after one service's database was restored, from the first step to the last.

The service's worker takes back what it had said (an order, as of a replay), the audit tells what it
had heard and lacks, a heal brings that. What can be brought back by neither is listed for a person.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from pydantic import BaseModel, Field

from handoff import replay
from handoff.audit.behind import State
from handoff.audit.reconcile import reconcile
from handoff.audit.report import Report
from handoff.door import Refused
from handoff.replay import Order
from handoff.site import Site
from handoff.views import open_database

Tell = Callable[[Order], None]
"""Is told how far an order is."""

_PATIENCE_LOOKS = 20  # a second each: held for so long, somebody has to look
_AGAIN_SECONDS = 1.0
_SETTLING_SECONDS = 5.0
_CLOCKS_DIFFER = timedelta(minutes=5)
_LISTED = """
    SELECT subject, topic, sequence, type, event_id, said_at, heard, taken_at FROM restored
    ORDER BY heard, said_at, event_id
"""


class Stands(Exception):
    """An order does not get on, or failed; the text says why and what to do."""


class TakenBack(BaseModel):
    """An event that the database did not know of: whom a person is to look at, and why."""

    subject: UUID = Field(description="the lead's id, or a rep's")
    topic: str
    sequence: int
    type: str
    event_id: UUID
    said_at: datetime
    heard: bool = Field(description="it was said of what was heard, which a heal brings again")
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """Which service's database was restored, and who asks."""

    site: Site
    service: str
    actor: str
    tell: Tell


async def take_back(asked: Asked, *, dry_run: bool) -> Order:
    """Have the worker take back what the service said; return the order, done.

    Raises:
        Stands: it does not get on, or failed.
    """
    return await _see_through(asked, {"verb": "restore", "dry_run": dry_run})


async def audited(asked: Asked) -> Report:
    """Return what all databases lack of each other.

    Raises:
        Stands: Kafka does not say what was read, so what is lost looks as if it were on its way.
    """
    report = await reconcile(asked.site, wait=_SETTLING_SECONDS)
    if not report.kafka_answered:
        raise Stands(
            "Kafka does not say how far the hearers have read, so what is to be healed is not "
            "known. What was taken back stays: ask again when the brokers answer."
        )
    return report


def lacks(report: Report, service: str) -> list[datetime]:
    """Return when the first event was said that each stream lacks at this hearer."""
    return [
        each.said_at
        for each in report.behind
        if each.hearer == service and each.state is State.MISSING and each.said_at
    ]


async def heal(asked: Asked, report: Report) -> tuple[list[Order], Report]:
    """Let the service hear what it lacks; return the orders, and how it is then.

    So many streams may lack something that one look does not name the earliest: it looks again.

    Raises:
        Stands: an order does not get on, or failed.
    """
    orders: list[Order] = []
    since: datetime | None = None
    while times := lacks(report, asked.service):
        if since is not None and min(times) >= since:
            break
        since = min(times)
        wanted = {"verb": "heal", "since": (since - _CLOCKS_DIFFER).isoformat()}
        orders.append(await _see_through(asked, wanted))
        report = await audited(asked)
    return orders, report


async def listed(site: Site, service: str) -> list[TakenBack]:
    """Return the events that were ever taken back, first those that nothing brings again."""
    async with open_database(site, service) as connection:
        return [TakenBack(**row) for row in await connection.fetch(_LISTED)]


async def _see_through(asked: Asked, wanted: Mapping[str, object]) -> Order:
    service, actor = asked.service, asked.actor
    order = await _begin(asked, wanted)
    looks = 0
    async for each in replay.watch(asked.site, service, order, actor=actor):
        order = each
        asked.tell(order)
        looks = looks + 1 if order["state"] in {"held", "waiting"} else 0
        if looks == _PATIENCE_LOOKS:
            raise Stands(_why(service, order))
    if order["state"] != "done":
        raise Stands(order["error"] or f"somebody cancelled the order {order['id']}")
    return order


async def _begin(asked: Asked, wanted: Mapping[str, object]) -> Order:
    """Give an order; an API whose connections went with the former database finds new ones."""
    for tries_left in range(_PATIENCE_LOOKS, -1, -1):
        try:
            return await replay.begin(asked.site, asked.service, wanted, actor=asked.actor)
        except Refused as refused:
            if refused.status != HTTPStatus.SERVICE_UNAVAILABLE or not tries_left:
                raise
            await asyncio.sleep(_AGAIN_SECONDS)
    raise AssertionError("the last try returns or raises")


def _why(service: str, order: Order) -> str:
    look = f"`handoff replay show {order['id']} --service {service}`"
    if order["held"] is None:
        return f"No worker of {service} takes the order: start one, and ask again. {look} shows it."
    return (
        f"The worker of {service} cannot go on ({order['held']}): Kafka or its database does not "
        f"answer, or its breaker is open. It goes on by itself when that is over: {look} shows how "
        "far; then ask again."
    )
