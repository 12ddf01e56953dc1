"""A release says what the changelog says, in one version, with its images pinned and scanned."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.house import code

from handoff.services import SERVICES

SCRIPT, PINS, SCAN = ".ci/release-notes", ".ci/pinned-images", ".ci/scan"
IMAGES = [
    f"ghcr.io/owner/repository/{name}@sha256:{'ab' * 32}"
    for name in (*(service.name for service in SERVICES), "operations")
]
_GO = """#!/bin/sh
[ "$1" = env ] && pwd || echo "$@" > built
"""
_GRYPE = """#!/bin/sh
echo "$@" >> asked
case "$*" in *"$BROKEN") exit 2 ;; esac
"""
CHANGELOG = """\
# Changelog

## [Unreleased]

### Added

- What is to come.

## [1.2.0] - 2026-01-02

### Added

- A new thing.

### Fixed

- An old one.

## [1.1.9] - 2026-01-01

- What was before.
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for package in ("shared", "services/one", "services/two", "deploy"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / ".ci").mkdir()
    shutil.copy(code.ROOT / SCRIPT, tmp_path / SCRIPT)
    return tmp_path


def notes(tree: Path, version: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own script
        [tree / SCRIPT, version], cwd="/", capture_output=True, text=True, check=False
    )


def test_the_notes_are_the_section_of_the_version_and_no_more(tree: Path) -> None:
    said = notes(tree, "1.2.0")

    assert said.returncode == 0, said.stderr
    assert said.stdout.split("\n") == [
        "", "### Added", "", "- A new thing.", "", "### Fixed", "", "- An old one.", "",
    ]  # fmt: skip


def test_a_version_of_which_nothing_is_said_is_no_release(tree: Path) -> None:
    (tree / "CHANGELOG.md").write_text(CHANGELOG.replace("[1.2.0]", "[1.2.1]"))
    said = notes(tree, "1.2.0")

    assert (said.returncode, said.stderr) == (1, "CHANGELOG.md says nothing of 1.2.0\n")


@pytest.mark.parametrize("package", ["shared", "services/two", "deploy"])
def test_a_package_of_another_version_is_named(tree: Path, package: str) -> None:
    (tree / package / "pyproject.toml").write_text('[project]\nversion = "1.1.9"\n')
    said = notes(tree, "1.2.0")

    assert said.returncode == 1
    assert said.stderr == f"{package}/pyproject.toml has another version than 1.2.0\n"


@pytest.mark.parametrize("version", ["1.2.*", "1.2", "1x2.0", "[Unreleased]", ""])
def test_what_is_no_version_of_ours_is_refused(tree: Path, version: str) -> None:
    said = notes(tree, version)

    assert (said.returncode, said.stdout) == (1, "")


@pytest.mark.parametrize("wrong", IMAGES)
@pytest.mark.parametrize("instead", [[], ["notifier:1.2.0"]])
def test_an_image_without_a_digest_is_named_and_nothing_is_released(
    wrong: str, instead: list[str]
) -> None:
    given = [each for each in IMAGES if each != wrong] + instead
    said = subprocess.run(  # noqa: S603  our own script
        [code.ROOT / PINS, "1.2.0", *given], capture_output=True, text=True, check=False
    )
    name = wrong.partition("@")[0].rpartition("/")[2]

    assert (said.returncode, said.stderr) == (1, f"there is no digest of {name}\n")


@pytest.fixture
def scanned(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    for name, script in (("go", _GO), ("grype", _GRYPE)):
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def scan(place: Path, *images: str, broken: str = "none") -> subprocess.CompletedProcess[str]:
    path = f"{place / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(  # noqa: S603  our own script
        [code.ROOT / SCAN, *images],
        env={"PATH": path, "GRYPE": "v1.2.3", "BROKEN": broken},
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_image_is_scanned_for_what_is_grave_and_mended(scanned: Path) -> None:
    said = scan(scanned, *IMAGES)
    asked = (scanned / "asked").read_text().splitlines()

    assert (said.returncode, said.stderr) == (0, "")
    assert (scanned / "built").read_text() == "install github.com/anchore/grype/cmd/grype@v1.2.3\n"
    assert [line.split()[-1] for line in asked] == IMAGES
    assert all("--only-fixed --fail-on high" in line for line in asked)


def test_a_vulnerable_image_stops_a_release_and_the_others_are_scanned_too(scanned: Path) -> None:
    said = scan(scanned, *IMAGES, broken=IMAGES[0])

    assert said.returncode == 1
    assert IMAGES[0] in said.stderr
    assert len((scanned / "asked").read_text().splitlines()) == len(IMAGES)


def test_a_scan_of_nothing_is_none(scanned: Path) -> None:
    assert scan(scanned).returncode == 1
