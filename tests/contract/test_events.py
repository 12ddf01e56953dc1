"""Every event keeps its promise on the wire: its schema and its golden samples."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from tests.contract.golden import EVENTS, FULL_SAMPLES, SAMPLES, event_of, name_of, schema_of

from shared.contracts.envelope import dataschema
from shared.contracts.event import Event


def closed(schema: Any) -> Any:
    """Return the schema as its speaker must keep it: no field that it does not name."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: closed(part) for key, part in schema.items()}
    if isinstance(strict.get("properties"), dict):
        strict.setdefault("additionalProperties", False)
    return strict


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_a_schema_is_itself_valid_and_has_the_id_that_is_sent_with_the_event(
    event: type[Event],
) -> None:
    schema = schema_of(event)

    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == dataschema(event.kind, event.version)


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_a_golden_sample_holds_what_its_schema_allows_and_nothing_else(sample: Path) -> None:
    schema = closed(schema_of(event_of(sample)))

    Draft202012Validator(schema, format_checker=FormatChecker()).validate(
        json.loads(sample.read_text())
    )


@pytest.mark.parametrize("sample", FULL_SAMPLES, ids=name_of)
def test_a_full_sample_is_read_and_written_again_as_it_was(sample: Path) -> None:
    event = event_of(sample).from_wire(sample.read_bytes())

    assert json.loads(event.to_wire()) == json.loads(sample.read_text())


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_what_is_written_again_is_the_same_event_and_fits_the_schema(sample: Path) -> None:
    event = event_of(sample).from_wire(sample.read_bytes())

    Draft202012Validator(closed(schema_of(type(event)))).validate(json.loads(event.to_wire()))
    assert type(event).from_wire(event.to_wire()) == event


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_a_hearer_ignores_a_field_that_it_does_not_know(sample: Path) -> None:
    newer = json.dumps({**json.loads(sample.read_text()), "said_by_newer_code": {"deep": [1]}})

    assert event_of(sample).from_wire(newer.encode()) == event_of(sample).from_wire(
        sample.read_bytes()
    )


def test_every_event_has_a_sample_at_its_fullest_and_at_its_smallest() -> None:
    present = {(sample.parent.name, sample.name) for sample in SAMPLES}

    assert present == {
        (event.kind, f"{event.version}.{size}.json")
        for event in EVENTS
        for size in ("full", "minimal")
    }
