"""Since the newest release, contracts changed only by additions that old code can ignore."""

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.contract.artefacts import released
from tests.contract.artefacts.additive import breaks
from tests.contract.artefacts.files import CONTRACTS

from shared.contracts.catalogue import KINDS

SCHEMA: dict[str, Any] = {
    "$id": "urn:handoff:lead.captured:1",
    "type": "object",
    "title": "LeadCaptured",
    "$defs": {
        "Card": {
            "type": "object",
            "properties": {"email": {"type": "string", "maxLength": 254}},
            "required": ["email"],
        }
    },
    "properties": {
        "lead_id": {"type": "string", "format": "uuid"},
        "lead": {"$ref": "#/$defs/Card"},
        "grade": {"enum": ["A", "B"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "utm": {"type": "object", "additionalProperties": {"type": "string"}},
        "reopened": {"type": "boolean", "default": False},
        "value": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    },
    "required": ["lead_id", "lead"],
}
TAG = released.newest_tag()
since_release = pytest.mark.skipif(TAG is None, reason=released.why_none())


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the schema with another value at a path; None takes away what is there."""
    schema = copy.deepcopy(SCHEMA)
    *steps, last = path.split("/")
    part = schema
    for step in steps:
        part = part[step]
    part[last] = value
    if value is None:
        del part[last]
    return schema


def test_nothing_breaks_where_nothing_changed() -> None:
    assert breaks(SCHEMA, copy.deepcopy(SCHEMA)) == []


@pytest.mark.parametrize(
    "new",
    [
        changed("properties/score", {"type": "integer"}),
        changed("$defs/Card/properties/phone", {"type": "string"}),
        changed("$defs/Unused", {"type": "string"}),
        changed("description", "Says more than before."),
        changed("properties/lead/description", "The lead's card."),
    ],
)
def test_a_field_that_may_be_absent_and_mere_words_may_be_added(new: dict[str, Any]) -> None:
    assert breaks(SCHEMA, new) == []


@pytest.mark.parametrize(
    ("new", "complaint"),
    [
        (changed("properties/grade", None), "#/grade: was removed"),
        (changed("required", ["lead_id", "lead", "grade"]), "#/grade: is required, and was not"),
        (changed("required", ["lead"]), "#/lead_id: was required, and may now be absent"),
        (changed("properties/lead_id/type", "integer"), "#/lead_id: type was 'string'"),
        (changed("properties/lead_id/format", None), "#/lead_id: format was 'uuid', is None"),
        (changed("properties/grade/enum", ["A", "B", "C"]), "#/grade: enum was"),
        (changed("properties/grade/enum", ["A"]), "#/grade: enum was"),
        (changed("$defs/Card/properties/email/maxLength", 80), "#/lead/email: maxLength was 254"),
        (changed("$defs/Card/properties/email/maxLength", 900), "#/lead/email: maxLength was 254"),
        (changed("$defs/Card/required", []), "#/lead/email: was required"),
        (changed("properties/tags/items/type", "integer"), "#/tags/items: type was 'string'"),
        (
            changed("properties/utm/additionalProperties/type", "integer"),
            "#/utm/additionalProperties: type was 'string'",
        ),
        (changed("properties/utm/additionalProperties", None), "#/utm/additionalProperties: was"),
        (changed("properties/reopened/default", True), "#/reopened: default was False, is True"),
        (changed("properties/value/anyOf", [{"type": "string"}]), "#/value: has 1 alternatives"),
        (changed("properties/lead", {"type": "object"}), "#/lead/email: was removed"),
    ],
)
def test_every_other_change_is_refused_with_its_place(new: dict[str, Any], complaint: str) -> None:
    found = breaks(SCHEMA, new)

    assert [broken for broken in found if broken.startswith(complaint)]


@since_release
def test_the_schemas_changed_only_by_additions_since_the_release() -> None:
    assert TAG
    broken = {
        str(path): breaks(old, json.loads((CONTRACTS / "schemas" / path).read_text()))
        for path, old in released.documents(TAG, "schemas").items()
    }

    assert {path: found for path, found in broken.items() if found} == {}


@since_release
def test_every_sample_that_was_released_is_still_read_and_still_valid() -> None:
    assert TAG
    for path, sample in released.documents(TAG, "samples").items():
        kind, version = path.parts[0], int(path.name.split(".")[0])
        KINDS[kind][version].from_wire(json.dumps(sample).encode())
        schema = json.loads((CONTRACTS / "schemas" / kind / f"{version}.json").read_text())
        Draft202012Validator(schema).validate(sample)


@since_release
def test_the_samples_of_today_are_what_the_release_would_have_taken() -> None:
    assert TAG
    for path, schema in released.documents(TAG, "schemas").items():
        for sample in (CONTRACTS / "samples" / path.parent).glob(f"{path.stem}.*.json"):
            Draft202012Validator(schema).validate(json.loads(sample.read_text()))
