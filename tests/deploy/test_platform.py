"""What deploy/platform.md tells people is so: versions, and what it has them put in overlays."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.checks.every import complaints
from tests.deploy.objects import Object, Objects, of_kind
from tests.deploy.readme import PLATFORM, README, examples
from tests.deploy.rendering import build, copied
from tests.deploy.versions import versions

HELD, MINOR, MAJOR, LOST, AT_A_MOMENT = examples(PLATFORM)
_, RESTORED = examples(README)


def put_upon(folder: Path, overlay: str, *changes: dict[str, Any]) -> Objects:
    """Build an overlay with what people are told to change in it."""
    patches = [patch for change in changes for patch in change["patches"]]
    built = build(copied(folder, {"resources": [f"../{overlay}"], "patches": patches}))
    return [each for each in yaml.safe_load_all(built) if each]


def distribution(cluster: Object) -> str:
    """Return what follows the version in a Postgres's image."""
    _, _, tag = cluster["spec"]["imageName"].rpartition(":")
    return tag.partition("-")[2]


def saved_under(cluster: Object) -> str:
    """Return the name under which a Postgres's backups and log are kept."""
    (plugin,) = cluster["spec"]["plugins"]
    name: str = plugin["parameters"].get("serverName", cluster["metadata"]["name"])
    return name


@pytest.mark.parametrize("overlay", ["small", "production"])
@pytest.mark.parametrize("change", [HELD, MINOR])
def test_what_is_put_in_before_an_upgrade_changes_nothing_yet(
    overlay: str, change: dict[str, Any], tmp_path: Path
) -> None:
    assert put_upon(tmp_path / "a", overlay, change) == put_upon(tmp_path / "b", overlay)


def test_another_major_version_is_saved_under_another_name(tmp_path: Path) -> None:
    before = of_kind(put_upon(tmp_path / "a", "production"), "Cluster")
    after = of_kind(put_upon(tmp_path / "b", "production", MAJOR), "Cluster")
    (changed,) = [each for each in after if each not in before]

    assert {distribution(each) for each in before} == {distribution(changed)}
    assert len({saved_under(each) for each in [*before, changed]}) == len(before) + 1


def test_what_is_restored_of_a_lost_cluster_is_not_written_over(tmp_path: Path) -> None:
    objects = put_upon(tmp_path, "small", LOST)
    (cluster,) = of_kind(objects, "Cluster")
    (saved,) = cluster["spec"]["externalClusters"]

    assert cluster["spec"]["bootstrap"] == {"recovery": {"source": saved["name"]}}
    assert saved["plugin"]["parameters"]["serverName"] == cluster["metadata"]["name"]
    assert saved_under(cluster) != cluster["metadata"]["name"]
    assert all(each.startswith("Cluster/postgres") for each in complaints(objects))


def test_a_moment_is_put_to_each_restore(tmp_path: Path) -> None:
    moment = {"patches": [{**each, "target": RESTORED["patches"][0]["target"]}
                          for each in AT_A_MOMENT["patches"]]}  # fmt: skip
    clusters = of_kind(put_upon(tmp_path, "production", RESTORED, moment), "Cluster")
    (restored,) = [each for each in clusters if "recovery" in each["spec"]["bootstrap"]]

    assert AT_A_MOMENT["patches"][0]["target"] == MINOR["patches"][0]["target"]
    assert restored["spec"]["bootstrap"]["recovery"]["recoveryTarget"]["targetTime"].endswith("Z")


def test_what_is_said_of_operators_is_said_of_those_of_the_versions() -> None:
    operators = {name: each["version"] for name, each in versions()["operators"].items()}
    of_strimzi = re.findall(r"Strimzi (\d+\.\d+)\b|\((\d+\.\d+\.\d+): 4\.", PLATFORM)
    of_postgres = re.findall(r"(?:CloudNativePG |\()(1\.\d+)\b(?!\.)", PLATFORM)

    assert len(of_strimzi) >= 2
    assert all(operators["strimzi"].startswith("".join(each)) for each in of_strimzi)
    assert len(of_postgres) >= 2
    assert {*of_postgres} == {operators["cloudnative-pg"].rpartition(".")[0]}


def test_the_kafka_that_runs_is_one_that_its_operator_is_said_to_take() -> None:
    (told,) = re.findall(r"\(\d+\.\d+\.\d+: (4\.[^)]+)\)", PLATFORM)

    assert versions()["kafka"]["version"] in re.findall(r"[\d.]+\d", told)
