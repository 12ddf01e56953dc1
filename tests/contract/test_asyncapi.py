"""The AsyncAPI document is valid AsyncAPI 3, names everybody, and has no dead reference."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource
from tests.contract.artefacts.files import CONTRACTS
from tests.contract.golden import EVENTS, SAMPLES, event_of, name_of

from shared.contracts.catalogue import TOPICS

DOCUMENT = json.loads((CONTRACTS / "asyncapi.json").read_text())
ORACLE = Path(__file__).parent / "oracles" / "asyncapi-3.0.0.json.gz"


def references(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from references(each)
    elif isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from references(each)


def resolve(reference: str) -> Any:
    file, _, path = reference.partition("#")
    found = json.loads((CONTRACTS / file).read_text()) if file else DOCUMENT
    for step in path.strip("/").split("/") if path else ():
        found = found[step]
    return found


def test_the_document_is_what_the_official_schema_asks_for() -> None:
    official = json.loads(gzip.decompress(ORACLE.read_bytes()))

    Draft7Validator(official).validate(DOCUMENT)


def test_the_official_schema_would_refuse_an_operation_without_a_channel() -> None:
    official = json.loads(gzip.decompress(ORACLE.read_bytes()))
    broken = json.loads(json.dumps(DOCUMENT))
    del broken["operations"]["lead-scoring.says.scores"]["channel"]

    assert not Draft7Validator(official).is_valid(broken)


def test_every_reference_in_the_document_leads_to_something() -> None:
    found = [resolve(reference) for reference in references(DOCUMENT)]

    assert len(found) > len(EVENTS)
    assert all(found)


def test_one_service_sends_on_a_channel_and_the_hearers_receive() -> None:
    channels = {
        address["address"]: {
            (operation["action"], operation["tags"][0]["name"])
            for operation in DOCUMENT["operations"].values()
            if operation["channel"]["$ref"] == f"#/channels/{name}"
        }
        for name, address in DOCUMENT["channels"].items()
    }

    assert channels == {
        topic.name: {("send", topic.publisher)} | {("receive", hearer) for hearer in topic.hearers}
        for topic in TOPICS
    }


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_a_sample_is_a_payload_of_its_message(sample: Path) -> None:
    message = DOCUMENT["components"]["messages"][event_of(sample).__name__]
    payload = resolve(message["payload"]["$ref"])
    registry: Registry[Any] = Registry().with_resource(
        payload["$id"], Resource.from_contents(payload)
    )

    Draft202012Validator({"$ref": payload["$id"]}, registry=registry).validate(
        json.loads(sample.read_text())
    )
