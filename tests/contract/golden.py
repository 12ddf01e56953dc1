"""The committed samples and schemas, found by event."""

import json
from pathlib import Path
from typing import Any

from tests.contract.artefacts.files import CONTRACTS

from shared.contracts.catalogue import KINDS, TOPIC_OF
from shared.contracts.event import Event

EVENTS = list(TOPIC_OF)
SAMPLES = sorted((CONTRACTS / "samples").rglob("*.json"))
FULL_SAMPLES = [sample for sample in SAMPLES if sample.name.endswith(".full.json")]


def event_of(sample: Path) -> type[Event]:
    version = int(sample.name.split(".")[0])
    return KINDS[sample.parent.name][version]


def schema_of(event: type[Event]) -> Any:
    return json.loads((CONTRACTS / "schemas" / event.kind / f"{event.version}.json").read_text())


def name_of(thing: Any) -> str:
    return f"{thing.parent.name}.{thing.stem}" if isinstance(thing, Path) else thing.__name__
