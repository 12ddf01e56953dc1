"""No route is left out when hostile input is tried: what is new in a document is attacked."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.routing import iter_route_contexts
from tests.contract.artefacts import openapi
from tests.hostile.attacks import addresses, values
from tests.hostile.attacks.attack import ENCODERS, Aim
from tests.hostile.attacks.samples import NoSample, Samples
from tests.hostile.documents import SERVICES, Operation, operations

FOR_PEOPLE = {"/docs", "/docs/oauth2-redirect", "/openapi.json"}
"""Pages without input; the document does not name itself."""


def left_out(operation: Operation) -> Iterator[str]:
    """Say what of a route no attack is made of."""
    yield from (media for media in operation.bodies if media not in ENCODERS)
    headers = operation.parameters("header")
    yield from (each.name for each in headers if each.name not in values.IN_HEAD)
    yield from (each["in"] for each in operation.content.get("parameters", ())
                if each["in"] not in {"path", "query", "header"})  # fmt: skip


def named(operation: Operation) -> set[str]:
    """Return the parameters that attacks on a route name."""
    aim = Aim(Samples(operation.service, {}))
    return {attack.named for attack in addresses.attacks(operation, aim)}


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_stands_in_the_document_by_which_it_is_attacked(service: str) -> None:
    routes = {
        (context.path, method)
        for context in iter_route_contexts(openapi.app_of(service).routes)
        for method in context.methods or ()
        if context.path not in FOR_PEOPLE
    }

    assert routes == {(each.path, each.method) for each in operations() if each.service == service}


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_every_part_of_a_route_is_attacked(operation: Operation) -> None:
    assert list(left_out(operation)) == []

    wanted = {each.name for place in ("path", "query") for each in operation.parameters(place)}

    assert wanted <= named(operation)

    samples = Samples(operation.service, {})

    assert all(samples.of(schema, whole=True) for schema in operation.bodies.values())


def test_a_part_for_which_there_is_no_attack_is_found() -> None:
    (operation, *_) = operations()
    new = {"parameters": [{"name": "X-New", "in": "header", "schema": {}}, {"in": "cookie"}],
           "requestBody": {"content": {"text/csv": {"schema": {}}}}}  # fmt: skip

    assert list(left_out(replace(operation, content=new))) == ["text/csv", "X-New", "cookie"]


def test_a_field_of_which_no_sample_can_be_made_is_found() -> None:
    with pytest.raises(NoSample):
        Samples("notifier", {}).of({"type": "string", "pattern": "^[0-9]+$"})
