"""A desk with two active reps and a fallback owner, and the smallest things to put on it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.rep import Rep, RepState
from sales_pipeline.domain.routing import Team
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.known_lead import Word
from sales_pipeline.usecases.open_deal import OpenDeal, open_deal
from shared.contracts.lead import LeadCard
from shared.ids import DealId, LeadId, RepId, new_id

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOON


@pytest.fixture
def a_rep() -> Callable[..., Rep]:
    def build(name: str = "Ada", state: RepState = RepState.ACTIVE) -> Rep:
        return Rep(
            id=RepId(new_id()),
            name=name,
            email=f"{name.lower()}@sales.example",
            state=state,
            created_at=NOON,
            updated_at=NOON,
        )

    return build


@pytest.fixture
def fallback(a_rep: Callable[..., Rep]) -> Rep:
    return a_rep("Queue", RepState.AWAY)


@pytest.fixture
def reps(a_rep: Callable[..., Rep]) -> list[Rep]:
    """The active ones, in the order of their turns."""
    return [a_rep("Ada"), a_rep("Ben")]


@pytest.fixture
def desk(reps: list[Rep], fallback: Rep) -> Desk:
    team = Team(id=new_id(), fallback_id=fallback.id)
    return Desk(reps={rep.id: rep for rep in [fallback, *reps]}, teams={team.id: team})


@pytest.fixture
def a_qualified_lead() -> Callable[..., OpenDeal]:
    def build(lead_id: LeadId | None = None, version: int = 1, score: int = 70) -> OpenDeal:
        lead_id = lead_id or LeadId(new_id())
        return OpenDeal(
            deal_id=DealId(new_id()),
            lead_id=lead_id,
            word=Word(said_of=lead_id, lead_version=version),
            lead=LeadCard(email="grace@navy.example", first_name="Grace", last_name="Hopper"),
            score=score,
            grade="B2",
            asked_at=NOON,
        )

    return build


@pytest.fixture
def deal(desk: Desk, a_qualified_lead: Callable[..., OpenDeal]) -> Deal:
    """An open deal that Ada owns and nobody accepted; the desk looks as if it had just loaded."""
    open_deal(a_qualified_lead(), desk, now=NOON)
    desk.entries.clear()
    desk.changed.clear()
    return next(iter(desk.deals.values()))
