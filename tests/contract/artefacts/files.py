"""Which generated files there are, in `docs/` and `deploy/`, and what has to stand in them."""

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.contract.artefacts import asyncapi, index, metrics, openapi, rules, settings
from tests.contract.artefacts.dashboards.boards import BOARDS
from tests.contract.artefacts.samples import SAMPLES, full, minimal
from tests.contract.artefacts.schemas import schema_of

from shared.contracts.catalogue import TOPIC_OF

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = ROOT / "docs" / "contracts"
OPENAPI = ROOT / "docs" / "openapi"
OBSERVABILITY = ROOT / "deploy" / "observability"
DASHBOARDS = OBSERVABILITY / "dashboards"


def wanted() -> dict[Path, str]:
    """Return every generated file with its text."""
    pages = {
        CONTRACTS / "README.md": index.document(),
        ROOT / "docs" / "settings.md": settings.document(),
        ROOT / "docs" / "metrics.md": metrics.document(),
        OBSERVABILITY / "prometheusrule.yaml": rules.document(),
    }
    return pages | {path: _text(content) for path, content in _contents()}


def present() -> set[Path]:
    """Return the generated files that are there."""
    places = (CONTRACTS / "schemas", CONTRACTS / "samples", OPENAPI, DASHBOARDS)
    found = {path for place in places for path in place.rglob("*.json")}
    return found | set(CONTRACTS.glob("*.json"))


def _contents() -> Iterator[tuple[Path, dict[str, Any]]]:
    for event in TOPIC_OF:
        yield CONTRACTS / "schemas" / event.kind / f"{event.version}.json", schema_of(event)
    for sample in SAMPLES:
        place = CONTRACTS / "samples" / sample.kind
        yield place / f"{sample.version}.full.json", full(sample)
        yield place / f"{sample.version}.minimal.json", minimal(sample)
    yield CONTRACTS / "asyncapi.json", asyncapi.document(version("shared"))
    for name, board in BOARDS.items():
        yield DASHBOARDS / f"{name}.json", board.content()
    for service in openapi.SERVICES:
        yield OPENAPI / f"{service}.json", openapi.document(service)


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
