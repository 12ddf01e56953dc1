"""Every event keeps its promise on the wire: its schema, its golden samples, its one topic."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from tests.contract.artefacts.files import CONTRACTS
from tests.contract.artefacts.samples import SAMPLES

from shared.contracts.catalogue import KINDS, TOPIC_OF, TOPICS, heard_by, said_by
from shared.contracts.event import Event

EVENTS = list(TOPIC_OF)
GOLDEN = sorted((CONTRACTS / "samples").rglob("*.json"))


def schema_file(event: type[Event]) -> Path:
    return CONTRACTS / "schemas" / event.kind / f"{event.version}.json"


def closed(schema: Any) -> Any:  # noqa: ANN401  any JSON
    """Return the schema as its speaker must keep it: no field that it does not name."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: closed(part) for key, part in schema.items()}
    if isinstance(strict.get("properties"), dict):
        strict.setdefault("additionalProperties", False)
    return strict


def event_of(golden: Path) -> type[Event]:
    version = int(golden.name.split(".")[0])
    return KINDS[golden.parent.name][version]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_the_schema_of_an_event_is_itself_valid(event: type[Event]) -> None:
    schema = json.loads(schema_file(event).read_text())

    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: f"{golden.parent.name}-{golden.stem}")
def test_a_golden_sample_is_what_the_schema_allows_and_no_more(golden: Path) -> None:
    schema = json.loads(schema_file(event_of(golden)).read_text())
    validator = Draft202012Validator(closed(schema), format_checker=FormatChecker())

    validator.validate(json.loads(golden.read_text()))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: f"{golden.parent.name}-{golden.stem}")
def test_a_golden_sample_is_read_and_written_again_without_loss(golden: Path) -> None:
    event = event_of(golden).from_wire(golden.read_bytes())
    again = event_of(golden).from_wire(event.to_wire())

    written = json.loads(event.to_wire())
    assert again == event
    assert {key: written[key] for key in json.loads(golden.read_text())} == without_defaults(
        json.loads(golden.read_text()), written
    )


def without_defaults(sample: Any, written: Any) -> Any:  # noqa: ANN401  any JSON
    """Return what the sample says where it says something, and what was written elsewhere."""
    if isinstance(sample, dict) and isinstance(written, dict):
        return {key: without_defaults(sample.get(key, written[key]), written[key]) for key in written} if sample.keys() <= written.keys() else sample
    return sample


def test_every_event_has_a_golden_sample_at_its_fullest_and_at_its_smallest() -> None:
    names = {(golden.parent.name, golden.name) for golden in GOLDEN}

    assert names == {
        (event.kind, f"{event.version}.{size}.json")
        for event in EVENTS
        for size in ("full", "minimal")
    }
    assert {type(sample) for sample in SAMPLES} == set(EVENTS)
