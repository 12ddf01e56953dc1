"""What Renovate is told to keep up to date is there, and what is there it is told of."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.house import code
from tests.house.locked import LOCKS, versions

SETTINGS: Mapping[str, Any] = json.loads((code.ROOT / "renovate.json").read_text())
(READER,) = SETTINGS["customManagers"]
TOLD = "# renovate: "
ANNOTATED = [
    path
    for path in (*code.ROOT.glob(".github/workflows/*.yml"), *code.ROOT.glob("deploy/*.yaml"))
    if TOLD in path.read_text()
]


def patterns(words: list[str]) -> list[re.Pattern[str]]:
    """Return Renovate's patterns: of files between slashes, with groups named as in JavaScript."""
    return [re.compile(word.strip("/").replace("(?<", "(?P<")) for word in words]


def found_in(text: str) -> list[dict[str, str]]:
    """Return the versions that Renovate reads out of a file of ours."""
    (pattern,) = patterns(READER["matchStrings"])
    return [
        {name: value for name, value in match.groupdict().items() if value}
        for match in pattern.finditer(text)
    ]


def test_every_lock_is_kept_up_to_date() -> None:
    (pattern,) = patterns(SETTINGS["pip_requirements"]["managerFilePatterns"])

    assert [lock for lock in LOCKS if not pattern.search(code.name(lock))] == []


@pytest.mark.parametrize("path", ANNOTATED, ids=code.name)
def test_a_version_that_is_said_to_be_kept_up_to_date_is_read(path: Path) -> None:
    text = path.read_text()

    assert any(each.search(code.name(path)) for each in patterns(READER["managerFilePatterns"]))
    assert len(found_in(text)) == text.count(TOLD) > 0


def test_a_version_is_read_with_where_to_ask_for_it() -> None:
    text = (
        f"kafka:\n  {TOLD}datasource=docker depName=apache/kafka versioning=semver\n"
        f'  image_version: "4.3.1"\n'
        f"{TOLD}datasource=github-releases depName=kedacore/keda extractVersion=^v(?<version>.+)$\n"
        f"keda: 2.18.0 # and why\n"
    )

    assert found_in(text) == [
        {"datasource": "docker", "depName": "apache/kafka", "versioning": "semver",
         "currentValue": "4.3.1"},
        {"datasource": "github-releases", "depName": "kedacore/keda",
         "extractVersion": "^v(?<version>.+)$", "currentValue": "2.18.0"},
    ]  # fmt: skip


def test_what_is_left_out_is_there() -> None:
    named = {
        name for rule in SETTINGS["packageRules"] if rule.get("enabled") is False
        for name in rule["matchPackageNames"]
    }  # fmt: skip

    assert named <= set().union(*map(versions, LOCKS))
