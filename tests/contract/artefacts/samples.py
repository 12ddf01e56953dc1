"""The golden samples: one lead's whole story, an event of each kind, full and at its smallest.

What was once released is never edited here: a sample that no longer parses is a broken promise.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from shared.contracts.deal import (
    DealAccepted,
    DealLost,
    DealMerged,
    DealOpened,
    DealReassigned,
    DealRecycled,
    DealStageChanged,
    DealWon,
    Money,
    OrderPlaced,
    RepChanged,
)
from shared.contracts.event import Event
from shared.contracts.lead import (
    Consent,
    ConsentChanged,
    LeadCaptured,
    LeadCard,
    LeadErased,
    LeadMerged,
    LeadUpdated,
    Touchpoint,
    TouchpointRecorded,
)
from shared.contracts.score import Entry, LeadDisqualified, LeadQualified, LeadScored, Score
from shared.contracts.task import TaskCompleted, TaskCreated, TaskDue, TaskOverdue

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def _id(number: int) -> UUID:
    return UUID(f"01956c3e-0000-7000-8000-{number:012d}")


def _at(minutes: int) -> datetime:
    return NINE + timedelta(minutes=minutes)


LEAD, DEAL, ORDER, CUSTOMER, TASK = (_id(number) for number in (1, 2, 3, 4, 5))
GRACE, LINUS = _id(11), _id(12)
FIRST_EVENT = _id(21)

CARD = LeadCard(
    email="ada@lovelace.example",
    phone="+442079460018",
    first_name="Ada",
    last_name="Lovelace",
    company="Analytical Engines",
    job_title="Director of Research",
    country="GB",
    consents=(
        Consent(
            purpose="email_marketing",
            granted=True,
            occurred_at=_at(0),
            text="Yes, write to me.",
        ),
    ),
)
TOUCHPOINT = Touchpoint(
    touchpoint_id=_id(31),
    kind="form",
    channel="advertising",
    source_id=_id(32),
    source_name="Demo request",
    occurred_at=_at(0),
    received_at=_at(0),
    campaign_id="spring-2026",
    form_id="demo-request",
    page_url="https://engines.example/demo",
    referrer="https://search.example/",
    message="May we see it compute?",
    utm={"source": "search", "medium": "cpc", "campaign": "spring-2026"},
    click_ids={"gclid": "EAIaIQobChMI"},
    answers={"team_size": "50"},
)
SCORE = Score(
    score=65,
    grade="A2",
    fit=45,
    engagement=20,
    scorecard_id=_id(41),
    scorecard_version=1,
    threshold=50,
    entries=(
        Entry(
            code="title_senior",
            text="Decides: senior job title",
            points=45,
            group="fit",
            event_id=FIRST_EVENT,
        ),
        Entry(
            code="asked_for_demo",
            text="Asked for a demo",
            points=20,
            group="engagement",
            event_id=FIRST_EVENT,
        ),
    ),
)
PRICE = Money(amount_minor=1_250_000, currency="EUR")

_LEAD: dict[str, Any] = {"lead_id": LEAD, "lead_version": 1}
_DEAL: dict[str, Any] = {**_LEAD, "deal_id": DEAL, "owner_id": GRACE}
_TASK: dict[str, Any] = {
    **_LEAD,
    "task_id": TASK,
    "deal_id": DEAL,
    "owner_id": GRACE,
    "task_kind": "first_contact",
    "title": "First contact with Ada Lovelace",
}

SAMPLES: tuple[Event, ...] = (
    LeadCaptured(**_LEAD, lead=CARD, touchpoint=TOUCHPOINT),
    LeadUpdated(**_LEAD, lead=CARD, touchpoint=TOUCHPOINT),
    ConsentChanged(**_LEAD, lead=CARD),
    LeadMerged(
        **_LEAD | {"lead_version": 2},
        merged_id=_id(6),
        surviving_id=LEAD,
        lead=CARD,
        merged_at=_at(85),
    ),
    LeadErased(**_LEAD, erased_at=_at(90)),
    TouchpointRecorded(**_LEAD, touchpoint=TOUCHPOINT),
    LeadScored(**_LEAD, score=SCORE),
    LeadQualified(**_LEAD, lead=CARD, score=SCORE, qualified_at=_at(1)),
    LeadDisqualified(**_LEAD, reason="consent_withdrawn", disqualified_at=_at(80)),
    DealOpened(
        **_DEAL,
        occurred_at=_at(2),
        lead=CARD,
        stage="new",
        score=65,
        grade="A2",
        reopened=False,
    ),
    DealAccepted(**_DEAL, occurred_at=_at(10)),
    DealRecycled(**_DEAL, occurred_at=_at(20), reason="no_budget_this_year", stage="contacted"),
    DealStageChanged(**_DEAL, occurred_at=_at(30), from_stage="contacted", to_stage="demo"),
    DealReassigned(**_DEAL, occurred_at=_at(40), previous_owner_id=LINUS),
    DealWon(**_DEAL, occurred_at=_at(60), amount=PRICE),
    DealLost(**_DEAL, occurred_at=_at(60), reason="chose_a_competitor", stage="negotiation"),
    DealMerged(**_DEAL, occurred_at=_at(85), into_deal_id=_id(7), stage="contacted"),
    OrderPlaced(
        **_LEAD,
        order_id=ORDER,
        deal_id=DEAL,
        customer_id=CUSTOMER,
        amount=PRICE,
        placed_at=_at(60),
    ),
    RepChanged(
        rep_id=GRACE,
        rep_version=1,
        name="Grace Hopper",
        email="grace@engines.example",
        state="active",
        changed_at=_at(-60),
    ),
    TaskCreated(**_TASK, occurred_at=_at(2), playbook="first-contact", due_at=_at(62)),
    TaskDue(**_TASK, occurred_at=_at(62), due_at=_at(62)),
    TaskOverdue(**_TASK, occurred_at=_at(122), due_at=_at(62)),
    TaskCompleted(**_TASK, occurred_at=_at(45)),
)


def full(event: Event) -> dict[str, Any]:
    """Return what stands on the wire when all that can be known is known."""
    return event.model_dump(mode="json", exclude_none=True)


def minimal(event: Event) -> dict[str, Any]:
    """Return the least that is this event: only what is required, all the way down."""
    return _required(event)


def _required(record: BaseModel) -> dict[str, Any]:
    written = record.model_dump(mode="json")
    return {
        name: _required(value)
        if isinstance(value := getattr(record, name), BaseModel)
        else written[name]
        for name, field in type(record).model_fields.items()
        if field.is_required()
    }
