"""One topic has one publisher, one event has one topic, and nobody says what nobody hears.

What the catalogue promises is compared with the code of the services: who makes an event, and who
has it in its table of subscriptions.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module

import pytest
from tests.contract.artefacts.files import ROOT
from tests.contract.golden import EVENTS, name_of

from shared.contracts import catalogue, deal, task
from shared.contracts.catalogue import INTAKE, NOTIFIER, PIPELINE, SCORING, TOPICS, Topic
from shared.contracts.event import Event, LeadEvent

SERVICES = {INTAKE, SCORING, PIPELINE, NOTIFIER}
ABSTRACT = {Event, LeadEvent, deal.DealEvent, task.TaskEvent}
FOR_OUTSIDERS = {deal.OrderPlaced}
"""Said for what fulfils and bills orders: outside of Handoff, so no service of ours hears it."""


def package(service: str) -> str:
    return service.replace("-", "_")


class Values(ast.NodeVisitor):
    """Collects the names that code uses as values: what stands in annotations says nothing."""

    def __init__(self, tree: ast.AST) -> None:
        self.names: set[str] = set()
        self.visit(tree)

    def visit_Name(self, node: ast.Name) -> None:
        self.names.add(node.id)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for statement in node.body:
            self.visit(statement)


def speakers(event: type[Event]) -> set[str]:
    """Return the services whose use cases make the event: they return what they say."""
    return {service for service in SERVICES if event.__name__ in made_by_use_cases(service)}


@cache
def made_by_use_cases(service: str) -> set[str]:
    usecases = ROOT / "services" / service / "src" / package(service) / "usecases"
    return {
        name
        for path in usecases.rglob("*.py")
        for name in Values(ast.parse(path.read_text())).names
    }


def hearers(event: type[Event]) -> set[str]:
    """Return who has the event in its table; an erasure is heard by every consumer of its topic."""
    topic = topic_with(event)
    if event.erases:
        return set(topic.hearers)
    return {service for service in topic.hearers if event in subscriptions(service)}


def subscriptions(service: str) -> set[type[Event]]:
    return set(import_module(f"{package(service)}.entrypoints.worker").SUBSCRIPTIONS)


def topic_with(event: type[Event]) -> Topic:
    return next(topic for topic in TOPICS if event in topic.events)


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
    assert {topic.publisher for topic in TOPICS} | {
        h for t in TOPICS for h in t.hearers
    } == SERVICES


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_an_event_is_said_by_its_publisher_alone(event: type[Event]) -> None:
    assert speakers(event) == {topic_with(event).publisher}


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_an_event_is_heard_by_somebody_or_is_for_outsiders(event: type[Event]) -> None:
    assert bool(hearers(event)) is (event not in FOR_OUTSIDERS)


@pytest.mark.parametrize("service", sorted(SERVICES - {INTAKE}))
def test_a_service_listens_to_topics_only_of_which_it_is_a_hearer(service: str) -> None:
    heard = {catalogue.topic_of(event) for event in subscriptions(service)}

    assert heard <= set(catalogue.heard_by(service))
