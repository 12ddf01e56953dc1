"""What the code says of itself, with which manifests are compared."""

import inspect
import json
import re
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings

from handoff import site
from handoff.operations import OperationsSettings
from handoff.services import ROLES, SERVICES
from handoff.site import DATABASE, variable
from shared.contracts.catalogue import TOPICS, heard_by
from shared.database.engine import open_engine
from shared.settings import KafkaSettings
from shared.telemetry.heartbeat import Heartbeats
from shared.web.health import build_operations

_PREFIX, _API = "HANDOFF_", "HANDOFF_API_URL"
NAMES = tuple(service.name for service in SERVICES)
PACKAGES = {service.name: service.package for service in SERVICES}
HEARERS = tuple(name for name in NAMES if heard_by(name))
TOPIC_NAMES = tuple(topic.name for topic in TOPICS)


def commands() -> list[list[str]]:
    """Return every command that a container may run."""
    programs = [
        f"{package}.{role}" for package in PACKAGES.values() for role in (*ROLES, "migrate")
    ]
    return [
        *(["python", "-m", program] for program in programs if find_spec(program)),
        ["handoff", "operations"],
        ["handoff", "topics", "apply"],
    ]


@cache
def probe_paths() -> frozenset[str]:
    """Return the paths at which a process answers for itself."""
    app = build_operations(Heartbeats(), {})
    return frozenset(route.path for route in app._app.routes)  # noqa: SLF001  told nowhere else


@cache
def public_paths(service: str) -> tuple[str, ...]:
    """Return the paths of a service's API, by the document that is made from its code."""
    document = Path(__file__).parents[2] / "docs" / "openapi" / f"{service}.json"
    return tuple(json.loads(document.read_text())["paths"])


@cache
def settings(service: str) -> dict[str, Any]:
    """Return the fields of a service's settings."""
    module = import_module(f"{PACKAGES[service]}.config")
    return dict(module.Settings.model_fields)


def known(command: list[str]) -> set[str]:
    """Return the variables that a process reads."""
    if command[0] == "python":
        return {_variable(name) for name in settings(_service(command))}
    kafka = _variables(KafkaSettings)
    if command[1] == "topics":
        return kafka
    places = {variable(prefix, each) for prefix in (DATABASE, _API) for each in SERVICES}
    places |= set(re.findall(r"HANDOFF_[A-Z_]+(?=[ ,\n])", str(site.__doc__)))
    return kafka | _variables(OperationsSettings) | places


def required(command: list[str]) -> set[str]:
    """Return the variables without which a process does not start, or cannot do its work."""
    if command[0] == "python":
        fields = settings(_service(command)).items()
        return {_variable(name) for name, field in fields if field.is_required()}
    needed = {"HANDOFF_KAFKA_BOOTSTRAP"}
    if command[1] == "operations":
        needed |= {variable(DATABASE, each) for each in SERVICES}
        needed |= {variable(_API, each) for each in SERVICES}
    return needed


def connections(service: str, role: str) -> int:
    """Return how many connections one process has to its database at most."""
    pool: int = inspect.signature(open_engine).parameters["pool_size"].default
    hot = getattr(import_module(f"{PACKAGES[service]}.api"), "_HOT_CONNECTIONS", 0)
    return {"api": pool + hot, "worker": pool, "migrate": 2}[role]


def _service(command: list[str]) -> str:
    package = command[2].partition(".")[0]
    return next(name for name in NAMES if PACKAGES[name] == package)


def _variable(field: str) -> str:
    return f"{_PREFIX}{field.upper()}"


def _variables(model: type[BaseSettings]) -> set[str]:
    return {_variable(name) for name in model.model_fields}
