"""Kubernetes' own kinds are what its schemas allow, of the oldest version promised and the newest.

A real API server (`make kubernetes-check`) is of one version only, and knows the operators' kinds.
"""

import re
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.kept import tool
from tests.deploy.objects import Object
from tests.deploy.rendering import INSTALLATIONS, PLAIN, Installation, objects_of
from tests.deploy.versions import versions

KUBERNETES = versions()["kubernetes"]
PROMISED = [KUBERNETES["oldest"], KUBERNETES["newest"]]
OF_OPERATORS = {api for each in versions()["operators"].values() for api in each["apiVersions"]}
_UNKNOWN = re.compile(r"Couldn't find schema for kind (\S+) with api version (\S+)")


@pytest.fixture(scope="module")
def validator() -> Path:
    return tool("kubernetes-validate==1.37.0", "kubernetes-validate")


def complaints(validator: Path, objects: list[Object], version: str, folder: Path) -> list[str]:
    """Return what a version of Kubernetes does not take, or does not know and should."""
    manifests = folder / "manifests.yaml"
    manifests.write_text(yaml.safe_dump_all(objects))
    answer = subprocess.run(  # noqa: S603  our own words
        [str(validator), "-k", version, "--strict", "--quiet", str(manifests)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    said = (answer.stdout + answer.stderr).splitlines()
    return [line for line in said if not _is_of_an_operator(line)]


def _is_of_an_operator(line: str) -> bool:
    unknown = _UNKNOWN.search(line)
    return unknown is not None and unknown[2] in OF_OPERATORS


@pytest.mark.parametrize("version", PROMISED)
@pytest.mark.parametrize("installation", INSTALLATIONS, ids=str)
def test_the_schemas_of_a_promised_version_take_an_installation(
    validator: Path, installation: Installation, version: str, tmp_path: Path
) -> None:
    assert complaints(validator, objects_of(installation), version, tmp_path) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"apiVersion": "apps/v1beta1"}, "apps/v1beta1"),
        ({"spec": {"replicas": "two"}}, "two"),
        ({"speck": {}}, "speck"),
    ],
    ids=["a version that is gone", "a word for a number", "a field that is not there"],
)
def test_what_no_schema_takes_is_told(
    validator: Path, change: dict[str, Any], told: str, tmp_path: Path
) -> None:
    deployment = next(each for each in objects_of(PLAIN[0]) if each["kind"] == "Deployment")
    planted = deepcopy(deployment)
    for key, value in change.items():
        planted[key] = {**planted[key], **value} if key == "spec" else value

    assert any(told in line for line in complaints(validator, [planted], PROMISED[0], tmp_path))
