"""Where an event is in the code: made by a use case, listened to by a worker, named by a test."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

from shared.contracts.catalogue import INTAKE, NOTIFIER, PIPELINE, SCORING, TOPICS, Topic
from shared.contracts.event import Event

ROOT = Path(__file__).resolve().parents[3]
SERVICES = (INTAKE, SCORING, PIPELINE, NOTIFIER)


class _Values(ast.NodeVisitor):
    """Collects the names that code uses as values: what stands in annotations makes nothing."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        self.names.add(node.id)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for statement in node.body:
            self.visit(statement)


def topic_with(event: type[Event]) -> Topic:
    """Return the topic on which the catalogue has the event."""
    return next(topic for topic in TOPICS if event in topic.events)


def contract(event: type[Event]) -> Path:
    """Return the module that defines the event."""
    return ROOT.joinpath("shared", "src", *event.__module__.split(".")).with_suffix(".py")


def makers(event: type[Event], service: str) -> list[Path]:
    """Return the use cases of a service that make the event: they return what they say."""
    usecases = ROOT / "services" / service / "src" / package(service) / "usecases"
    return [path for path in sorted(usecases.rglob("*.py")) if event.__name__ in _names(path)]


def hearers(event: type[Event]) -> list[str]:
    """Return who has the event in its table; an erasure is heard by every consumer of its topic."""
    topic = topic_with(event)
    if event.erases:
        return list(topic.hearers)
    return [service for service in topic.hearers if event in subscriptions(service)]


def subscriptions(service: str) -> set[type[Event]]:
    """Return the events in the table of a service's worker."""
    return set(import_module(f"{package(service)}.entrypoints.worker").SUBSCRIPTIONS)


def its_tests(event: type[Event], service: str) -> list[Path]:
    """Return a service's tests that name the event, or its kind as a text; unit tests first."""
    trees = (ROOT / "tests" / kind / package(service) for kind in ("unit", "integration"))
    named = re.compile(rf"\b{event.__name__}\b|[\"']{re.escape(event.kind)}\b")
    found = (path for tree in trees for path in sorted(tree.rglob("test_*.py")))
    return [path for path in found if named.search(path.read_text())]


def package(service: str) -> str:
    """Return the import package of a service."""
    return service.replace("-", "_")


@cache
def _names(path: Path) -> set[str]:
    values = _Values()
    values.visit(ast.parse(path.read_text()))
    return values.names
