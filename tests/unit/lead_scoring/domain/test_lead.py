"""A lead that another scorecard scored."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from lead_scoring.domain.lead import Lead
from lead_scoring.domain.rating import Touchpoint
from lead_scoring.domain.scorecard import Rulebook, Scorecard
from lead_scoring.usecases.wire import known
from shared.ids import new_id


@pytest.fixture
def lead(scorecard: Scorecard, now: datetime) -> Lead:
    return Lead(
        id=new_id(),
        scorecard_id=scorecard.id,
        scorecard_version=1,
        created_at=now,
        updated_at=now,
    )


def test_another_scorecard_gives_its_own_points_for_what_was_heard_before(
    lead: Lead, book: Rulebook, scorecard: Scorecard, a_touchpoint: Callable[..., Touchpoint]
) -> None:
    history = [a_touchpoint(kind) for kind in ("form", "page_view", "page_view")]
    for touchpoint in history:
        lead.touch(touchpoint=touchpoint, book=book)
    before = [entry.points for entry in lead.earned]
    dearer = tuple(replace(rule, points=rule.points + 1) for rule in book.rules)
    other = replace(scorecard, id=new_id(), version=2, book=replace(book, rules=dearer))
    lead.start_over(card=other, history=history)

    assert before == [30, 10, 10]
    assert [entry.points for entry in lead.earned] == [31, 11, 11]
    assert [entry.event_id for entry in lead.earned] == [each.event_id for each in history]
    assert (lead.scorecard_id, lead.scorecard_version, lead.touchpoints) == (other.id, 2, 3)


def test_nothing_can_be_said_of_a_lead_without_a_card(lead: Lead, book: Rulebook) -> None:
    assert not lead.rate(book=book, event_id=new_id())
    with pytest.raises(LookupError):
        known(lead)
