"""Versions stand in one file, and everything else says the same."""

import subprocess
import tomllib
from pathlib import Path

import pytest
from tests.deploy.images import DOCKERFILE, TARGETS
from tests.deploy.rendering import INSTALLATIONS, ROOT, objects_of
from tests.deploy.versions import CORE, api_versions, official, versions
from tests.stack.engine import KAFKA_IMAGE, POSTGRES_IMAGE

_PACKAGES = [ROOT / "shared", ROOT / "deploy", *sorted((ROOT / "services").iterdir())]


@pytest.mark.parametrize("package", _PACKAGES, ids=lambda path: path.name)
def test_what_is_installed_is_the_version_of_the_code(package: Path) -> None:
    read = tomllib.loads((package / "pyproject.toml").read_text())

    assert read["project"]["version"] == versions()["handoff"]


def test_the_embedded_kafka_and_that_of_the_cluster_are_one_version() -> None:
    pom = (ROOT / "deploy" / "local" / "kafka" / "pom.xml").read_text()

    assert f">{versions()['kafka']['version']}<" in pom
    assert versions()["images"]["kafka"].endswith(f":{versions()['kafka']['version']}")


def test_both_postgres_images_are_one_version() -> None:
    images = versions()["images"]
    plain = images["postgres"].partition(":")[2]

    assert images["cloudnative-pg-postgres"].partition(":")[2].split("-")[0] == plain


def test_the_tests_run_on_the_same_postgres_and_kafka() -> None:
    assert official("postgres") == POSTGRES_IMAGE
    assert official("kafka") == KAFKA_IMAGE


def test_our_images_are_made_on_the_python_of_the_list() -> None:
    assert f"ARG PYTHON_IMAGE={official('python')}\n" in DOCKERFILE.read_text()


def test_make_builds_an_image_of_each_of_ours_in_the_version_of_the_code() -> None:
    told = subprocess.run(
        ["make", "--dry-run", "images"],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert f"for image in {' '.join(TARGETS)};" in told
    assert f"--build-arg VERSION={versions()['handoff']} " in told


def test_no_version_is_named_that_nothing_uses() -> None:
    used = {each["apiVersion"] for name in INSTALLATIONS for each in objects_of(name)}

    assert used >= api_versions() - CORE


def test_no_image_of_others_is_the_latest() -> None:
    tags = {image.rpartition(":")[2] for image in versions()["images"].values()}

    assert "latest" not in tags
    assert all(any(sign.isdigit() for sign in tag) for tag in tags)
