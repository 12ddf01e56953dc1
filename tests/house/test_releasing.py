"""A release says what the changelog says, and is of the version that every package bears."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.house import code

SCRIPT = ".ci/release-notes"
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
