"""`make compose-up`: the file is sound, and what it starts is the whole system."""

import json
import subprocess
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import chain
from pathlib import Path
from shutil import copy, copytree
from threading import Thread
from typing import Any

import pytest
import yaml
from tests.deploy import images
from tests.deploy.composed import FILE, Composed, compose
from tests.deploy.engine import Engine
from tests.deploy.versions import official
from tests.e2e.walk import a_rep, a_source, capture, doors, eventually, items, somebody
from tests.stack.promtool import NotToBeHad, promtool

from handoff.services import ROLES, SERVICES

pytestmark = pytest.mark.timeout(1800)  # the first one waits until all is made
_OBSERVED = "observability"
_OBSERVABILITY = images.ROOT / "deploy/observability"
_PROVISIONING = "/etc/grafana/provisioning"
_IMAGES_OF_OTHERS = ("postgres", "kafka", "prometheus", "grafana", "collector", "mailpit")
_OURS = [f"{service.name}-{role}" for service in SERVICES for role in ROLES]
_HELD: dict[str, Callable[[Any], bool]] = {
    "mem_limit": bool,
    "pids_limit": bool,
    "logging": lambda kept: bool(kept) and {*kept["options"]} == {"max-size", "max-file"},
    "security_opt": lambda options: options == ["no-new-privileges:true"],
    "cap_drop": lambda capabilities: capabilities == ["ALL"],
    "read_only": bool,
}
"""By what a container is held, other people's too, and when it is."""


def as_written() -> dict[str, Any]:
    """Return the services as the file has them, which takes no engine."""
    return yaml.safe_load(FILE.read_text())["services"]


def unheld(services: dict[str, Any]) -> list[str]:
    """Return what containers may take without end, or do without need."""
    return [
        f"{name}: {key}"
        for name, each in services.items()
        for key, holds in _HELD.items()
        if not holds(each.get(key))
    ]


def megabytes(service: dict[str, Any]) -> int:
    """Return the most memory that a container may take."""
    number, unit = service["mem_limit"][:-1], service["mem_limit"][-1]
    return int(number) * {"m": 1, "g": 1024}[unit]


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


def test_every_image_is_the_one_that_the_list_of_versions_names(described: dict[str, Any]) -> None:
    ours = {images.tag(target) for target in images.TARGETS}
    used = {each["image"] for each in described.values()}

    assert used & ours == ours
    assert used - ours == {official(name) for name in _IMAGES_OF_OTHERS}


def test_what_can_be_set_is_at_first_what_it_is_without(engine: Engine) -> None:
    example = FILE.with_name(".env.example").read_text()
    settings = dict(line.split("=") for line in example.splitlines() if line[:1].isalpha())
    described = [
        json.loads(compose(engine, "--profile", "*", "config", "--format", "json", **given))
        for given in ({}, settings)
    ]

    assert described[0] == described[1]


def test_a_copy_of_the_example_does_not_hold_on_to_its_version() -> None:
    lines = FILE.with_name(".env.example").read_text().splitlines()

    assert [each for each in lines if "HANDOFF_VERSION" in each] == [
        f"# HANDOFF_VERSION={images.VERSION}"
    ]


def test_our_images_are_built_from_this_repository_and_never_pulled() -> None:
    ours = {
        name: each for name, each in as_written().items() if each["image"].startswith("handoff/")
    }
    told = subprocess.run(
        ["make", "--dry-run", "compose-up"],  # noqa: S607
        cwd=images.ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert {*_OURS, "operations", "topics"} < set(ours)
    assert {each["pull_policy"] for each in ours.values()} == {"never"}
    assert all("build" in each for each in ours.values())
    assert " up --build " in told


def test_no_container_may_take_or_do_more_than_it_is_given() -> None:
    assert unheld(as_written()) == []


@pytest.mark.parametrize("key", _HELD)
def test_what_a_container_is_held_by_is_missed_where_it_is_taken_out(key: str) -> None:
    for name in (services := as_written()):
        without = {what: value for what, value in services[name].items() if what != key}

        assert unheld({**services, name: without}) == [f"{name}: {key}"]


def test_the_readme_says_what_memory_all_of_it_may_take() -> None:
    stays = [each for each in as_written().values() if each["restart"] == "unless-stopped"]
    plain = sum(megabytes(each) for each in stays if "profiles" not in each) / 1024
    whole = sum(megabytes(each) for each in stays) / 1024
    told = FILE.with_name("README.md").read_text()

    assert f"{plain:g} GB together, and {whole:g} GB with `observability`" in told


@pytest.mark.parametrize(
    ("status", "code"), [(HTTPStatus.OK, 0), (HTTPStatus.SERVICE_UNAVAILABLE, 1)]
)
def test_who_is_not_ready_is_not_healthy_and_says_why(status: HTTPStatus, code: int) -> None:
    *options, check = as_written()["notifier-api"]["healthcheck"]["test"][2:]

    class Process(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status, self.path)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Process) as server:
        Thread(target=server.handle_request).start()
        asked = check.replace("9000", str(server.server_port))
        told = subprocess.run(  # noqa: S603  our own words
            [sys.executable, *options, asked],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    assert told.returncode == code
    assert ("503 /readyz" in told.stderr) == bool(code)


@pytest.mark.parametrize(("profile", "collector"), [("", ""), (_OBSERVED, "http://collector:4318")])
def test_traces_are_sent_where_somebody_takes_them_in(
    profile: str, collector: str, engine: Engine
) -> None:
    told = compose(engine, "config", "--format", "json", COMPOSE_PROFILES=profile)
    services = json.loads(told)["services"]

    assert ("collector" in services) == bool(collector)
    assert {services[name]["environment"]["HANDOFF_OTLP_ENDPOINT"] for name in _OURS} == {collector}


def test_grafana_is_given_every_dashboard(described: dict[str, Any]) -> None:
    mounted = {each["target"]: Path(each["source"]) for each in described["grafana"]["volumes"]}
    told = yaml.safe_load(mounted[f"{_PROVISIONING}/dashboards/handoff.yaml"].read_text())
    (provider,) = told["providers"]
    of_figures = yaml.safe_load(mounted[f"{_PROVISIONING}/datasources/handoff.yaml"].read_text())

    assert mounted[provider["options"]["path"]].samefile(_OBSERVABILITY / "dashboards")
    assert {each["type"] for each in of_figures["datasources"]} == {"prometheus"}


def test_prometheus_is_given_every_rule_and_asks_every_process(described: dict[str, Any]) -> None:
    mounted = {
        each["target"]: Path(each["source"]) for each in described["prometheus"]["volumes"][:2]
    }
    told = yaml.safe_load(mounted["/etc/prometheus/prometheus.yml"].read_text())
    asked = {target for job in told["scrape_configs"] for each in job["static_configs"]
             for target in each["targets"]}  # fmt: skip

    assert told["rule_files"] == ["rules/*.yaml"]
    assert mounted["/etc/prometheus/rules"].samefile(_OBSERVABILITY / "rules")
    assert asked == {f"{name}:9000" for name in (*_OURS, "operations")} | {"collector:8888"}


def test_no_secret_stands_in_an_environment(described: dict[str, Any]) -> None:
    words = ("PASSWORD", "SECRET", "DATABASE_URL")
    variables = chain.from_iterable(each.get("environment") or {} for each in described.values())

    assert [
        name for name in variables if any(w in name for w in words) and not name.endswith("_FILE")
    ] == []


def test_prometheus_finds_nothing_wrong_with_what_it_is_given(tmp_path: Path) -> None:
    place = copy(FILE.with_name("prometheus.yaml"), tmp_path)
    copytree(_OBSERVABILITY / "rules", tmp_path / "rules")
    try:
        command = [str(promtool()), "check", "config", place]
    except NotToBeHad as reason:
        pytest.skip(f"NOT TESTED: {reason}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("rules found") == len(list((_OBSERVABILITY / "rules").glob("*.yaml")))


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
    composed.handoff("doctor")  # ends with an error where it finds one

    assert task["state"] == "open"
    assert "submission received" in story
    assert composed.handoff("audit", "--json")
