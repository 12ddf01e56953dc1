"""Reads one lead's story from all databases, asks Kafka for the records, says what is awaited."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel, Field

from handoff.audit import positions
from handoff.audit.behind import State
from handoff.audit.comparison import Comparison
from handoff.audit.judging import judge
from handoff.audit.marks import Groups, open_groups
from handoff.audit.report import Behind
from handoff.site import Site
from handoff.trace import records
from handoff.trace.story import Positions, Step, heard, in_order, to_come
from handoff.views import Connection, Views, open_views
from shared.contracts.catalogue import INTAKE, TOPICS

_STORY = "SELECT * FROM story WHERE subject = ANY($1::uuid[])"
_NAMES = """
    WITH lead AS (
        SELECT $1::uuid AS id UNION SELECT alias_of FROM alias WHERE subject = $1
    )
    SELECT id FROM lead UNION SELECT a.subject FROM alias a JOIN lead ON a.alias_of = lead.id
"""
_HEARERS = {topic.name: topic.hearers for topic in TOPICS}


class Trace(BaseModel):
    """A lead's story, under all the names that it has or had."""

    lead_id: UUID = Field(description="what the lead is called now")
    aliases: list[UUID] = Field(description="the leads that were merged into it")
    steps: list[Step]
    waiting: list[str] = Field(description="what it waits for, in words; empty: for nothing")
    kafka_answered: bool


async def trace(site: Site, lead_id: UUID) -> Trace | None:
    """Return the story of a lead, by any of its names; None if no database knows it.

    Raises:
        OSError, asyncpg.PostgresError: a database does not answer.
    """
    async with open_views(site) as views, open_groups(site.kafka) as groups:
        names = await _names(views, lead_id)
        behind = await _behind(views, groups, names)
        steps = [step for name, view in views.items() for step in await _steps(view, name, names)]
        if not steps:
            return None
        reached = await _positions(views, names)
    past = [heard(step, reached, _HEARERS.get(step.topic or "", ())) for step in in_order(steps)]
    found = await records.look(site.kafka, past)
    return Trace(
        lead_id=names[0],
        aliases=names[1:],
        steps=[_with_record(step, found) for step in past],
        waiting=[_sentence(each) for each in behind] + [_timer(step) for step in to_come(steps)],
        kafka_answered=found is not None,
    )


async def _names(views: Views, lead_id: UUID) -> list[UUID]:
    """Return what the lead is called now, by its own service's word, then its aliases."""
    view = views[INTAKE]
    called = await view.fetchval("SELECT alias_of FROM alias WHERE subject = $1", lead_id)
    names = {row["id"] for row in await view.fetch(_NAMES, lead_id)}
    return [called or lead_id, *sorted(names - {called or lead_id})]


async def _steps(view: Connection, service: str, names: Sequence[UUID]) -> list[Step]:
    rows = await view.fetch(_STORY, list(names))
    return [Step(service=service, **row) for row in rows if row["at"] is not None]


async def _positions(views: Views, names: Sequence[UUID]) -> Positions:
    reached: dict[tuple[str, UUID, str], int] = {}
    for topic in TOPICS:
        for hearer in topic.hearers:
            found = await positions.heard(views[hearer], topic.name, names)
            reached |= {(topic.name, name, hearer): each.last for name, each in found.items()}
    return reached


async def _behind(views: Views, groups: Groups, names: Sequence[UUID]) -> list[Behind]:
    found: list[Behind] = []
    for topic in TOPICS:
        for hearer in topic.hearers:
            comparison = Comparison(topic, hearer, views[topic.publisher], views[hearer])
            comparison.suspects = names
            await judge(comparison, groups)
            found += comparison.behind
    return found


def _with_record(step: Step, found: records.Found | None) -> Step:
    known = found.get(step.id) if found and step.id else None
    return step.model_copy(update={"in_kafka": known}) if known else step


def _sentence(each: Behind) -> str:
    what = f"{each.topic} number {each.heard + 1}"
    words = {
        State.OUTBOX: f"{each.publisher} has not sent {what} yet",
        State.IN_FLIGHT: f"{each.hearer} has not read {what} yet",
        State.PARKED: f"{each.hearer} has parked {what}: see `handoff parked show {each.subject}`",
        State.WAITING: f"{each.hearer} keeps {what} until its rows are free: it releases itself",
        State.MISSING: f"{each.hearer} never heard {what}, and has passed it: it is missing",
        State.AHEAD: f"{each.hearer} heard more of {each.topic} than {each.publisher} knows of",
    }
    return words[each.state] + (f" ({each.detail})" if each.detail else "")


def _timer(step: Step) -> str:
    note = f", {step.note}" if step.note else ""
    return f"{step.service}: {step.name} waits until {step.at:%Y-%m-%d %H:%M:%S}Z{note}"
