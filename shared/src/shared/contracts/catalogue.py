"""The one table of topics: who speaks on them, which events they carry, who hears them.

Kafka's topics, the AsyncAPI document, the audit and the access rules are all made from it.
"""

from dataclasses import dataclass

from pydantic import ValidationError

from shared.contracts import deal, lead, score, task
from shared.contracts.envelope import Envelope
from shared.contracts.event import Event

PARTITIONS = 12
RETENTION_DAYS = 14

INTAKE, SCORING = "marketing-intake", "lead-scoring"
PIPELINE, NOTIFIER = "sales-pipeline", "notifier"


@dataclass(frozen=True, slots=True)
class Topic:
    """A stream of events with one publisher; an event's key is its subject."""

    name: str
    publisher: str
    hearers: tuple[str, ...]
    events: tuple[type[Event], ...]


TOPICS = (
    Topic(
        "handoff.leads.v1",
        INTAKE,
        (SCORING, PIPELINE, NOTIFIER),
        (
            lead.LeadCaptured,
            lead.LeadUpdated,
            lead.ConsentChanged,
            lead.LeadMerged,
            lead.LeadErased,
        ),
    ),
    Topic("handoff.touchpoints.v1", INTAKE, (SCORING,), (lead.TouchpointRecorded,)),
    Topic(
        "handoff.scores.v1",
        SCORING,
        (PIPELINE, NOTIFIER),
        (score.LeadScored, score.LeadQualified, score.LeadDisqualified),
    ),
    Topic(
        "handoff.deals.v1",
        PIPELINE,
        (SCORING, NOTIFIER),
        (
            deal.DealOpened,
            deal.DealAccepted,
            deal.DealRecycled,
            deal.DealStageChanged,
            deal.DealReassigned,
            deal.DealWon,
            deal.DealLost,
            deal.DealMerged,
            deal.OrderPlaced,
        ),
    ),
    Topic("handoff.reps.v1", PIPELINE, (NOTIFIER,), (deal.RepChanged,)),
    Topic(
        "handoff.tasks.v1",
        NOTIFIER,
        (PIPELINE,),
        (task.TaskCreated, task.TaskDue, task.TaskOverdue, task.TaskCompleted),
    ),
)

TOPIC_OF: dict[type[Event], str] = {event: topic.name for topic in TOPICS for event in topic.events}
KINDS: dict[str, dict[int, type[Event]]] = {}
for _event in TOPIC_OF:
    KINDS.setdefault(_event.kind, {})[_event.version] = _event


class UnknownVersion(Exception):
    """A known kind of event in a version that this code does not know: newer code wrote it."""


class Unreadable(Exception):
    """The data is not what its wire type promises."""


def topic_of(event: type[Event]) -> str:
    """Return the topic on which an event is said."""
    return TOPIC_OF[event]


def heard_by(service: str) -> tuple[str, ...]:
    """Return the topics that a service hears."""
    return tuple(topic.name for topic in TOPICS if service in topic.hearers)


def said_by(service: str) -> tuple[str, ...]:
    """Return the topics that a service speaks on."""
    return tuple(topic.name for topic in TOPICS if topic.publisher == service)


def read(envelope: Envelope) -> Event | None:
    """Return the event inside an envelope; None where the kind is not known here.

    Raises:
        UnknownVersion: the kind is known, its version is not.
        Unreadable: the data does not fit the wire type.
    """
    versions = KINDS.get(envelope.kind)
    if versions is None:
        return None
    if envelope.version not in versions:
        raise UnknownVersion(f"{envelope.kind} version {envelope.version}")
    try:
        return versions[envelope.version].from_wire(envelope.data)
    except ValidationError as error:
        places = [".".join(str(part) for part in fault["loc"]) for fault in error.errors()]
        raise Unreadable(f"{envelope.kind}: {', '.join(places[:5])}") from None
