"""A small scorecard, a desk, and the smallest things to put on it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from lead_scoring.domain.person import Person
from lead_scoring.domain.predicate import Operator, Predicate
from lead_scoring.domain.rating import Touchpoint
from lead_scoring.domain.scorecard import Cuts, Group, Repeat, Rule, Rulebook, Scorecard, State
from lead_scoring.usecases.desk import Desk
from lead_scoring.usecases.score_lead import ScoreLead
from shared.ids import new_id

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOON


@pytest.fixture
def a_rule() -> Callable[..., Rule]:
    def build(code: str = "given", *when: Predicate, **parts: Any) -> Rule:
        fields: dict[str, Any] = {"text": code, "group": Group.FIT, "points": 10, **parts}
        return Rule(code=code, when=when or (Predicate("company", Operator.PRESENT),), **fields)

    return build


@pytest.fixture
def book() -> Rulebook:
    """Company 30, student -200; form 30, each visit 10 up to three times, order 200."""
    return Rulebook(
        name="small",
        threshold=50,
        fit_cuts=Cuts(30, 20, 10),
        engagement_cuts=Cuts(30, 20, 10),
        rules=(
            _rule("company", Group.FIT, 30, Predicate("company", Operator.PRESENT)),
            _rule(
                "student", Group.FIT, -200, Predicate("job_title", Operator.HAS_WORD, ("student",))
            ),
            _rule("form", Group.ENGAGEMENT, 30, Predicate("kind", Operator.IN, ("form",))),
            _rule(
                "visit",
                Group.ENGAGEMENT,
                10,
                Predicate("kind", Operator.IN, ("page_view",)),
                each=3,
            ),
            _rule("order", Group.ENGAGEMENT, 200, Predicate("kind", Operator.IN, ("order",))),
        ),
    )


@pytest.fixture
def scorecard(book: Rulebook) -> Scorecard:
    return Scorecard(
        id=new_id(),
        book=book,
        state=State.ACTIVE,
        version=1,
        created_at=NOON,
        updated_at=NOON,
        published_at=NOON,
    )


@pytest.fixture
def desk(scorecard: Scorecard) -> Desk:
    return Desk(scorecard=scorecard)


@pytest.fixture
def a_touchpoint() -> Callable[..., Touchpoint]:
    def build(
        kind: str = "form", at: datetime = NOON, *, submitted: bool | None = None
    ) -> Touchpoint:
        return Touchpoint(
            event_id=new_id(),
            occurred_at=at,
            submitted=kind == "form" if submitted is None else submitted,
            facts={"kind": kind},
        )

    return build


@pytest.fixture
def heard(a_touchpoint: Callable[..., Touchpoint]) -> Callable[..., ScoreLead]:
    """What is heard of a lead: by itself a person of a company who sent a form (60 points)."""

    def build(
        lead_id: UUID,
        person: Person | None = Person(email="ada@acme.example", company="Acme"),  # noqa: B008  frozen
        touchpoint: Touchpoint | None = None,
        *,
        version: int = 1,
        quiet: bool = False,
    ) -> ScoreLead:
        came = None if quiet else touchpoint or a_touchpoint()
        event_id = came.event_id if came else new_id()
        return ScoreLead(lead_id, event_id, version, person, came)

    return build


def _rule(code: str, group: Group, points: int, when: Predicate, *, each: int = 1) -> Rule:
    repeat = Repeat.EACH if each > 1 else Repeat.ONCE
    return Rule(
        code=code,
        text=code,
        group=group,
        points=points,
        when=(when,),
        repeat=repeat,
        max_times=each,
    )
