"""Reads one lead's story from all databases, asks Kafka for the records, says what is awaited."""

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
from shared.contracts.catalogue import TOPICS

_STORY = "SELECT * FROM story WHERE subject = $1"
_HEARERS = {topic.name: topic.hearers for topic in TOPICS}


class Trace(BaseModel):
    """A lead's story."""

    lead_id: UUID
    steps: list[Step]
    waiting: list[str] = Field(description="what it waits for, in words; empty: for nothing")
    kafka_answered: bool


async def trace(site: Site, lead_id: UUID) -> Trace | None:
    """Return the story of a lead; None if no database knows it.

    Raises:
        OSError, asyncpg.PostgresError: a database does not answer.
    """
    async with open_views(site) as views, open_groups(site.kafka) as groups:
        behind = await _behind(views, groups, lead_id)
        steps = [step for name, view in views.items() for step in await _steps(view, name, lead_id)]
        if not steps:
            return None
        reached = await _positions(views, lead_id)
    past = [heard(step, reached, _HEARERS.get(step.topic or "", ())) for step in in_order(steps)]
    found = await records.look(site.kafka, past)
    return Trace(
        lead_id=lead_id,
        steps=[_with_record(step, found) for step in past],
        waiting=[_sentence(each) for each in behind] + [_timer(step) for step in to_come(steps)],
        kafka_answered=found is not None,
    )


async def _steps(view: Connection, service: str, lead_id: UUID) -> list[Step]:
    rows = await view.fetch(_STORY, lead_id)
    return [Step(service=service, **row) for row in rows if row["at"] is not None]


async def _positions(views: Views, lead_id: UUID) -> Positions:
    reached: dict[tuple[str, str], int] = {}
    for topic in TOPICS:
        for hearer in topic.hearers:
            found = await positions.heard(views[hearer], topic.name, [lead_id])
            if lead_id in found:
                reached[topic.name, hearer] = found[lead_id].last
    return reached


async def _behind(views: Views, groups: Groups, lead_id: UUID) -> list[Behind]:
    found: list[Behind] = []
    for topic in TOPICS:
        for hearer in topic.hearers:
            comparison = Comparison(topic, hearer, views[topic.publisher], views[hearer])
            comparison.suspects = [lead_id]
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
