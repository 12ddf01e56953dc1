"""What is installed is what was locked: these versions, these files, from wherever they come."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from tests.house import code
from tests.house.locked import LOCKS, RUN, entries, unlocked, versions

OLDEST = {
    "python-multipart": ("0.0.27", "CVE-2026-42561: a form that never ends to be read"),
    "starlette": ("1.3.1", "limits on the fields of a form"),
    "orjson": ("3.9.15", "CVE-2024-27454: deep JSON ends the process"),
    "h11": ("0.16", "CVE-2025-43859: chunks by which requests are smuggled"),
}
"""Packages of which an older version would undo what we promise of hostile input."""
_HASHED = f"a==1.0 --hash=sha256:{'0' * 64}"
MEMBERS = [*code.ROOT.glob("*/pyproject.toml"), *code.ROOT.glob("services/*/pyproject.toml")]


def asked_for(project: Path) -> Iterator[Requirement]:
    """Yield what a package of ours asks for, but for another one of ours."""
    named = tomllib.loads(project.read_text())["project"]["dependencies"]
    yield from (each for each in map(Requirement, named) if each.name != "shared")


def test_there_is_a_lock_for_the_tools_for_what_runs_and_for_tests() -> None:
    assert [lock.name for lock in LOCKS] == ["dev.txt", "run.txt", "setup.txt"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_all_that_is_locked_is_one_version_with_its_hashes(lock: Path) -> None:
    assert len(entries(lock)) > 1
    assert unlocked(entries(lock)) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_names_no_address(lock: Path) -> None:
    assert [line for line in lock.read_text().splitlines() if "://" in line] == []


@pytest.mark.parametrize(
    "entry",
    [
        "a==1.0",
        "a>=1.0 " + _HASHED.split(" ")[1],
        "a @ https://example.com/a.whl",
        "--index-url https://example.com/simple",
        "-i https://example.com/simple",
        "-e ./a",
        "a==1.0 --hash=md5:" + "0" * 32,
        "a==1.0 --hash=sha256:" + "0" * 63,
    ],
)
def test_what_is_not_locked_is_seen(entry: str) -> None:
    assert unlocked([_HASHED, entry]) == [entry]


@pytest.mark.parametrize("package", OLDEST)
def test_a_version_with_a_known_hole_is_nowhere_locked(package: str) -> None:
    oldest, _ = OLDEST[package]
    locked = [versions(lock)[package] for lock in LOCKS if package in versions(lock)]

    assert len(locked) > 0
    assert min(locked) >= Version(oldest)


def test_no_two_locks_have_different_versions_of_a_package() -> None:
    found = {(name, version) for lock in LOCKS for name, version in versions(lock).items()}

    assert [name for name, times in Counter(name for name, _ in found).items() if times > 1] == []


@pytest.mark.parametrize("project", MEMBERS, ids=lambda project: project.parent.name)
def test_what_a_package_of_ours_asks_for_is_what_is_locked(project: Path) -> None:
    locked = versions(RUN)

    assert [
        str(each)
        for each in asked_for(project)
        if not each.specifier.contains(locked[canonicalize_name(each.name)])
    ] == []


def test_all_packages_of_ours_are_one_version() -> None:
    found = {tomllib.loads(each.read_text())["project"]["version"] for each in MEMBERS}

    assert len(MEMBERS) == 6
    assert len(found) == 1
