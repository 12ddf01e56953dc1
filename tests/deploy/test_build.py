"""The manifests build by `kubectl kustomize` alone, to the same bytes, and fit their nodes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.deploy.apiserver.building import tool
from tests.deploy.objects import Object, Objects, at, of_kind, our_pods, pods
from tests.deploy.rendering import (
    INSTALLATIONS,
    KUBERNETES,
    OVERLAYS,
    PLAIN,
    Installation,
    build,
    copied,
    objects_of,
)

from handoff.embedded.machine import Missing
from handoff.embedded.tool import run_tool

_UNITS = {"": 1.0, "m": 0.001, "Mi": 1 / 1024, "Gi": 1.0}
_NODES, _CORES, _GIBIBYTES = 3, 4, 16
_FREE = 0.85
"""What is left of a node beside the kubelet, the network and the operators."""


@pytest.fixture(params=INSTALLATIONS, ids=str)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return where an installation is built: in the folder that ships, or in one of somebody's."""
    installation: Installation = request.param
    if installation in PLAIN:
        return KUBERNETES / "overlays" / installation.resource
    return copied(tmp_path, installation.kustomization())


def test_an_installation_builds_to_the_same_bytes_again(folder: Path) -> None:
    assert build(folder) == build(folder)


@pytest.mark.timeout(1200)  # the first one waits until it is built
async def test_another_kustomize_builds_the_same(folder: Path) -> None:
    try:
        program = await tool("kustomize", "sigs.k8s.io/kustomize/kustomize/v5")
    except Missing as reason:
        pytest.skip(f"NOT TESTED: {reason}")
    answer = run_tool(str(program), "build", str(folder))

    assert answer == build(folder)


def test_every_file_is_part_of_an_installation_that_is_checked() -> None:
    tops = [KUBERNETES / "overlays" / each for each in OVERLAYS]
    tops += [KUBERNETES / "components" / name for each in INSTALLATIONS for name in each.components]
    used = {path for top in tops for path in files_of(top)}

    assert sorted(set(KUBERNETES.rglob("*.yaml")) - used) == []


def test_nothing_is_fetched_from_elsewhere() -> None:
    wanted = [name for path in KUBERNETES.rglob("kustomization.yaml") for name in parts_of(path)]

    assert [name for name in wanted if "://" in name or "github.com" in name] == []


def test_a_laptop_asks_no_registry_for_what_is_ours() -> None:
    ours = our_pods(objects_of(next(each for each in INSTALLATIONS if each.name == "local")))
    policies = {each.get("imagePullPolicy") for pod in ours for each in pod.containers}

    assert policies == {"Never"}


def test_the_small_overlay_fits_three_nodes_of_four_cores_with_all_that_is_optional() -> None:
    objects = objects_of(next(each for each in INSTALLATIONS if each.name == "small, all"))

    assert requested(objects, "cpu") <= _NODES * _CORES * _FREE
    assert requested(objects, "memory") <= _NODES * _GIBIBYTES * _FREE


def parts_of(kustomization: Path) -> list[str]:
    """Return what a kustomization is made of: folders and files."""
    read = yaml.safe_load(kustomization.read_text())
    named = [name for key in ("resources", "components", "configurations")
             for name in read.get(key, [])]  # fmt: skip
    return named + [each["path"] for each in read.get("patches", []) if "path" in each]


def files_of(folder: Path) -> Iterator[Path]:
    """Give every file that a folder's kustomization leads to."""
    yield folder / "kustomization.yaml"
    for name in parts_of(folder / "kustomization.yaml"):
        place = (folder / name).resolve()
        yield from files_of(place) if place.is_dir() else [place]


def requested(objects: Objects, what: str) -> float:
    """Return how many cores, or gibibytes, all pods ask for; Jobs are over soon."""
    return sum(copies * amount(asked[what]) for copies, asked in requests(objects))


def requests(objects: Objects) -> Iterator[tuple[int, Object]]:
    """Give what each kind of pod asks for, and how many there are of it."""
    for pod in pods(objects):
        if pod.owner["kind"] != "Job":
            copies = pod.owner["spec"].get("replicas", 2)  # as KEDA begins
            yield copies, pod.containers[0]["resources"]["requests"]
    for each in of_kind(objects, "Cluster", "KafkaNodePool"):
        copies = each["spec"].get("instances") or each["spec"]["replicas"]
        yield copies, each["spec"]["resources"]["requests"]
    for kafka in of_kind(objects, "Kafka"):
        for part in ("topicOperator", "userOperator"):
            yield 1, at(kafka, f"spec.entityOperator.{part}.resources.requests")


def amount(text: str) -> float:
    """Return cores, or gibibytes."""
    match = re.fullmatch(r"([\d.]+)([A-Za-z]*)", text)
    assert match is not None
    return float(match[1]) * _UNITS[match[2]]
