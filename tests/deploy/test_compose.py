"""`make compose-up`: the file is sound, and what it starts is the whole system."""

import json
from itertools import chain
from typing import Any

import pytest
from tests.deploy.composed import Composed, compose
from tests.deploy.engine import Engine
from tests.e2e.walk import a_rep, a_source, capture, doors, eventually, items, somebody

from handoff.services import ROLES, SERVICES

pytestmark = pytest.mark.timeout(900)
_OURS = [f"{service.name}-{role}" for service in SERVICES for role in ROLES]


@pytest.fixture(scope="module")
def described(engine: Engine) -> dict[str, Any]:
    """Return what the file describes, all profiles, as Compose reads it."""
    told = compose(engine, "--profile", "*", "config", "--format", "json")
    return json.loads(told)["services"]


def test_compose_finds_nothing_wrong_with_its_file(engine: Engine) -> None:
    assert compose(engine, "--profile", "*", "config", "--quiet") == ""


def test_what_is_published_can_be_reached_from_this_machine_only(
    described: dict[str, Any],
) -> None:
    published = list(chain.from_iterable(each.get("ports", []) for each in described.values()))

    assert {port["host_ip"] for port in published} == {"127.0.0.1"}


def test_of_the_services_only_the_apis_are_published(described: dict[str, Any]) -> None:
    plain = {name for name, each in described.items() if "profiles" not in each}
    published = {name for name in plain if described[name].get("ports")}

    assert published == {f"{service.name}-api" for service in SERVICES}


def test_every_image_is_pinned_by_a_version(described: dict[str, Any]) -> None:
    versions = {each["image"]: each["image"].partition(":")[2] for each in described.values()}

    assert [image for image, version in versions.items() if version in {"", "latest"}] == []


@pytest.mark.parametrize("name", [*_OURS, "operations"])
def test_every_process_runs_with_as_few_rights_as_it_needs(
    name: str, described: dict[str, Any]
) -> None:
    each = described[name]

    assert each["read_only"]
    assert each["cap_drop"] == ["ALL"]
    assert each["security_opt"] == ["no-new-privileges:true"]
    assert each["healthcheck"]["test"][:2] == ["CMD", "python"]


def test_no_secret_stands_in_an_environment(described: dict[str, Any]) -> None:
    words = ("PASSWORD", "SECRET", "DATABASE_URL")
    variables = chain.from_iterable(each.get("environment") or {} for each in described.values())

    assert [
        name for name in variables if any(w in name for w in words) and not name.endswith("_FILE")
    ] == []


async def test_one_lead_walks_to_its_task_through_the_published_apis(composed: Composed) -> None:
    async with doors(composed) as door:
        await a_rep(door.pipeline)
        source = await a_source(door.intake)
        lead_id = await capture(door.intake, somebody(source_id=source["id"]))

        async def first_contact() -> dict[str, Any] | None:
            found = await items(door.notifier, "/v1/tasks", lead_id=lead_id)
            return next((task for task in found if task["kind"] == "first_contact"), None)

        task = await eventually(first_contact)
    story = composed.handoff("trace", lead_id)

    assert task["state"] == "open"
    assert "submission received" in story
    assert composed.handoff("audit", "--json")
