"""How old an event is when its effect commits."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from tests.stack.voices import envelope

from shared.contracts.lead import LeadErased
from shared.ids import first_id_of, new_id
from shared.messaging import ages

BEGAN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SAID = BEGAN + timedelta(seconds=7)
NOW = SAID + timedelta(seconds=2)
STORY = UUID(int=first_id_of(BEGAN).int | 7 << 76 | 2 << 62)  # version and variant
LEADS = {"topic": "handoff.leads.v1"}


def ages_of(kind: str) -> float:
    return REGISTRY.get_sample_value(f"handoff_{kind}_age_seconds_sum", LEADS) or 0.0


def measured(story: UUID, *, now: datetime = NOW, listened: bool = True) -> tuple[float, float]:
    """Return by how much the sums of the two ages grew."""
    event = LeadErased(lead_id=new_id(), lead_version=1, erased_at=SAID)
    before = ages_of("event"), ages_of("story")
    said = envelope(event, 1, said_at=SAID, correlation_id=story)
    ages.measure(said, now, listened=listened)
    return ages_of("event") - before[0], ages_of("story") - before[1]


def test_an_event_has_the_age_of_its_hop_and_of_its_story() -> None:
    assert measured(STORY) == (2, 9)


def test_what_nobody_listens_to_ends_no_story() -> None:
    assert measured(STORY, listened=False) == (2, 0)


def test_a_story_that_does_not_tell_its_beginning_has_no_age() -> None:
    assert measured(UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")) == (2, 0)


@pytest.mark.parametrize("seconds", [1, 60])
def test_a_clock_that_is_behind_makes_nothing_younger_than_new(seconds: int) -> None:
    assert measured(STORY, now=BEGAN - timedelta(seconds=seconds)) == (0, 0)
