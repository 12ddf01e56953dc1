"""What deploy/README.md tells people is so: its versions, names, paths, commands and examples."""

import re
import shlex
import subprocess
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import pytest
import typer
import yaml
from tests.contract.artefacts.rules import alerts
from tests.deploy import product
from tests.deploy.checks.backups import DAYS_KEPT, NIGHTLY
from tests.deploy.checks.every import complaints
from tests.deploy.objects import names_of, our_pods, title
from tests.deploy.readme import README, TOLD, commands, examples
from tests.deploy.rendering import (
    INSTALLATIONS,
    KUBERNETES,
    OVERLAYS,
    ROOT,
    build,
    copied,
    objects_of,
)
from tests.deploy.test_build import requested
from tests.deploy.versions import versions

from handoff.__main__ import app
from handoff.services import SERVICES

OPERATING = (ROOT / "docs" / "operating.md").read_text()
COMMANDS = commands()
EXAMPLES = examples()
OURS = "deploy/kubernetes/overlays/ours"
_YOURS_TO_SAY = re.compile(
    r"[\w.-]+\.example\.com$|your-[a-z]+|s3://handoff-backups|image: your-registry\.invalid/.*",
    re.MULTILINE,
)


def told_of_observability() -> list[dict[str, Any]]:
    """Return the settings that people are told to give Prometheus and Alertmanager."""
    told = (ROOT / "deploy" / "observability" / "README.md").read_text()
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", told, re.DOTALL)]


class NotReady(BaseHTTPRequestHandler):
    """Answers as a process does whose loop is held."""

    def do_GET(self) -> None:
        """Answer 503, with the reason."""
        self.send_response(HTTPStatus.SERVICE_UNAVAILABLE)
        self.end_headers()
        self.wfile.write(f"{self.path}: held".encode())


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the table that begins with a heading."""
    table = README[README.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in table]


def handoff_commands() -> list[list[str]]:
    """Return the `handoff` commands that people are told to type."""
    return [shlex.split(found) for found in re.findall(r"-- handoff ([a-z][^\n)]*)", COMMANDS)]


def build_ours(kustomization: dict[str, Any]) -> list[dict[str, Any]]:
    """Build an overlay as somebody would write it."""
    with TemporaryDirectory() as folder:
        place = copied(Path(folder), kustomization)
        return [each for each in yaml.safe_load_all(build(place)) if each]


def unsaid(kustomization: dict[str, Any]) -> set[str]:
    """Return what in an overlay is still as it stands in ours, for an example."""
    return set(_YOURS_TO_SAY.findall(yaml.safe_dump_all(build_ours(kustomization))))


def test_the_table_of_operators_is_that_of_the_versions() -> None:
    told = {name: version for name, version, *_ in rows("Operator")}

    assert told == {name: each["version"] for name, each in versions()["operators"].items()}
    oldest, newest = versions()["kubernetes"].values()
    assert f"Kubernetes {oldest} to {newest}" in README
    assert f"Both run {newest} alone" in README


def test_every_image_of_ours_is_named_in_the_version_of_the_code() -> None:
    named = re.findall(r"handoff/[^\s:]+:(\d[\w.]*)", COMMANDS)

    assert len(named) >= 3
    assert {*named} == {versions()["handoff"]}


def test_what_a_worker_does_is_the_figure_of_the_manual() -> None:
    figure = re.compile(r"full at (?:some|about) ([\d,]+) leads a second")

    assert figure.findall(README) == figure.findall(OPERATING) != []


def test_the_manual_names_the_connections_that_processes_have() -> None:
    of_apis = {name: product.connections(name, "api") for name in product.NAMES}
    intake = of_apis.pop("marketing-intake")
    others = {*of_apis.values(), *(product.connections(name, "worker") for name in product.NAMES)}
    told = re.findall(r"up to (\d+) connections .*, an API of marketing-intake (\d+):", OPERATING)

    assert told == [(str(most), str(intake)) for most in others]


def test_what_is_saved_is_what_is_promised() -> None:
    assert NIGHTLY == "0 0 3 * * *"
    assert "Base backups are made at three each night" in README
    assert re.search(rf"at any moment of the last {DAYS_KEPT} days", README)


def test_the_manual_names_apis_at_their_ports() -> None:
    named = {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)/v1", OPERATING)}

    assert named
    assert named <= {service.port for service in SERVICES}


def test_a_process_that_is_not_ready_says_why_to_who_asks_as_the_manual_says() -> None:
    (question,) = re.findall(r'^ask="(.*)"$', OPERATING, re.MULTILINE)
    ports = {
        port["containerPort"]
        for pod in our_pods(objects_of(INSTALLATIONS[0]))
        for port in pod.containers[0].get("ports", ())
        if port["name"] == "operations"
    }
    (asked_at,) = re.findall(r"\d{4,}", question)
    assert ports == {int(asked_at)}
    assert ' -- python -c "$ask"\n' in OPERATING

    with HTTPServer(("127.0.0.1", 0), NotReady) as server:
        Thread(target=server.handle_request).start()
        asked = question.replace(asked_at, str(server.server_port))
        told = subprocess.run(  # noqa: S603  our own words
            [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=30
        )

    assert told.stdout == "/readyz: held\n"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_an_overlay_asks_for_is_told(overlay: str) -> None:
    objects = objects_of(next(each for each in INSTALLATIONS if each.name == overlay))
    told = next(row[-1] for row in rows("Overlay") if row[0] == overlay)

    assert told == f"{requested(objects, 'cpu'):.1f} cores, {requested(objects, 'memory'):.1f} GiB"


def test_what_targets_are_to_be_called_is_what_the_component_calls_them() -> None:
    objects = objects_of(next(each for each in INSTALLATIONS if "monitoring" in each.components))
    monitor = next(each for each in objects if title(each) == "PodMonitor/handoff")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]

    assert told_of_observability()[0]["relabelings"] == endpoint["relabelings"]


def test_every_alert_has_somebody_who_is_told() -> None:
    (settings,) = [each for each in told_of_observability() if "receivers" in each]
    receivers = {each["name"] for each in settings["receivers"]}
    routes = [settings["route"], *settings["route"]["routes"]]
    severities = {rule["labels"]["severity"] for rule in alerts()}
    matched = set(re.findall(r'severity="(\w+)"', str(settings)))

    assert {each["receiver"] for each in routes} == receivers
    assert matched == severities


def test_every_component_is_told_of() -> None:
    folders = {path.name for path in (KUBERNETES / "components").iterdir()}

    assert [name for name in folders if f"`{name}`" not in README] == []


def test_every_path_that_is_named_is_there() -> None:
    named = set(re.findall(r"deploy/kubernetes/[a-z./-]+", TOLD))

    assert [name for name in sorted(named) if name.rstrip("/.") != OURS
            and not name.startswith(f"{OURS}/") and not (ROOT / name).exists()] == []  # fmt: skip


def test_every_workload_and_cluster_that_is_named_is_there() -> None:
    there = {title(each).lower() for each in objects_of(INSTALLATIONS[2])}
    kinds = "deployment|statefulset|service|kafka|cluster"
    ours = "".join(line for line in COMMANDS.splitlines(keepends=True) if " -n handoff " in line)
    named = re.findall(rf"\b({kinds})(?:\.postgresql\.cnpg\.io)?/([a-z-]+)", ours)

    assert named
    assert [f"{kind}/{name}" for kind, name in named if f"{kind}/{name}" not in there] == []


def test_every_label_that_is_selected_by_selects_something() -> None:
    components = {each["metadata"]["labels"].get("app.kubernetes.io/component")
                  for each in INSTALLATIONS for each in objects_of(each)}  # fmt: skip
    lists = re.findall(r"component (?:not)?in \(([a-z, ]+)\)", COMMANDS)
    named = {name for each in lists for name in each.split(", ")}
    named |= set(re.findall(r"component=([a-z]+)", COMMANDS))

    assert named - components == set()


def test_every_handoff_command_is_one() -> None:
    assert len(handoff_commands()) >= 4
    for words in handoff_commands():
        found: Any = typer.main.get_command(app)
        while commands := getattr(found, "commands", None):
            found = commands[words.pop(0)]
        known = {option for each in found.params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_the_example_of_an_overlay_builds_and_nothing_is_to_be_said_of_it() -> None:
    first, _ = EXAMPLES
    objects = build_ours({**first, "images": []})

    assert names_of(objects, "HTTPRoute")
    assert complaints(objects) == []


def test_the_example_of_an_overlay_leaves_nothing_unsaid_that_is_yours_to_say() -> None:
    first, _ = EXAMPLES

    assert len(unsaid({**first, "images": [], "patches": []})) == 12
    assert unsaid(first) == set()


def test_the_example_of_a_restore_begins_from_what_was_saved() -> None:
    first, restore = EXAMPLES
    whole = {**first, "resources": ["../production"], "images": [], "components": [], **restore}
    objects = build_ours(whole)
    cluster = next(each for each in objects if title(each) == "Cluster/notifier-postgres")

    assert "initdb" not in cluster["spec"]["bootstrap"]
    (plugin,) = cluster["spec"]["plugins"]
    saved = cluster["spec"]["externalClusters"][0]["plugin"]["parameters"]["serverName"]
    assert saved == "notifier-postgres" != plugin["parameters"]["serverName"]
    said = complaints(objects)
    assert all(each.startswith(("Cluster/notifier-postgres", "the databases")) for each in said)
