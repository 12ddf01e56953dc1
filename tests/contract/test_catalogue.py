"""One topic has one publisher, one event has one topic, and nobody says what nobody hears.

What the catalogue promises is compared with the code of the services: who makes an event, and who
has it in its table of subscriptions.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from tests.contract.artefacts.usage import (
    SERVICES,
    hearers,
    its_tests,
    makers,
    subscriptions,
    topic_with,
)
from tests.contract.golden import EVENTS, name_of

from shared.contracts import catalogue, deal, task
from shared.contracts.catalogue import INTAKE, TOPICS
from shared.contracts.event import Event, LeadEvent
from shared.contracts.lead import LeadMerged

ABSTRACT = {Event, LeadEvent, deal.DealEvent, task.TaskEvent}
FOR_OUTSIDERS = {deal.OrderPlaced}
"""Said for what fulfils and bills orders: outside of Handoff, so no service of ours hears it."""


def concrete(event: type[Event]) -> Iterator[type[Event]]:
    for below in event.__subclasses__():
        yield from concrete(below)
    if event not in ABSTRACT:
        yield event


def test_every_event_of_the_contracts_is_on_exactly_one_topic() -> None:
    events = set(concrete(Event))
    on_topics = Counter(event for topic in TOPICS for event in topic.events)

    assert events == set(on_topics)
    assert set(on_topics.values()) == {1}


def test_no_two_events_have_the_same_wire_type() -> None:
    types = Counter(event.wire_type() for event in EVENTS)

    assert set(types.values()) == {1}


def test_a_topic_is_defined_once_and_nobody_hears_itself() -> None:
    names = Counter(topic.name for topic in TOPICS)

    assert set(names.values()) == {1}
    assert [topic.name for topic in TOPICS if topic.publisher in topic.hearers] == []
    assert {topic.publisher for topic in TOPICS} == set(SERVICES)
    assert {hearer for topic in TOPICS for hearer in topic.hearers} <= set(SERVICES)


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_an_event_is_said_by_its_publisher_alone(event: type[Event]) -> None:
    speakers = [service for service in SERVICES if makers(event, service)]

    assert speakers == [topic_with(event).publisher]


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_an_event_is_heard_by_somebody_or_is_for_outsiders(event: type[Event]) -> None:
    assert bool(hearers(event)) is (event not in FOR_OUTSIDERS)


@pytest.mark.parametrize("service", [service for service in SERVICES if service != INTAKE])
def test_a_service_listens_to_topics_only_of_which_it_is_a_hearer(service: str) -> None:
    heard = {catalogue.topic_of(event) for event in subscriptions(service)}

    assert heard <= set(catalogue.heard_by(service))


@pytest.mark.parametrize("service", [service for service in SERVICES if service != INTAKE])
def test_a_service_that_knows_leads_hears_when_two_of_them_merge(service: str) -> None:
    assert LeadMerged in subscriptions(service)


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_an_event_is_in_a_test_of_the_service_that_says_it(event: type[Event]) -> None:
    assert its_tests(event, topic_with(event).publisher) != []
