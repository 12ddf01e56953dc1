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
RULES = SETTINGS["packageRules"]
TOLD = "# renovate: "
ANNOTATED = [path for path in code.ROOT.glob(".github/workflows/*.yml") if TOLD in path.read_text()]
VERSIONS = "deploy/versions.yaml"
_A_LIST = """\
handoff: 1.2.3

images: # other people's
  kafka: docker.io/apache/kafka:4.3.1
  postgres: ghcr.io/cloudnative-pg/postgresql:18.6-standard-trixie

kafka: # in pairs
  version: 4.3.1
  metadata: 4.3-IV0

operators: # tried with
  keda: {version: 2.21.0, apiVersions: [keda.sh/v1alpha1]}
"""


def pattern(word: str) -> re.Pattern[str]:
    """Return a pattern of Renovate's, which names groups as JavaScript does."""
    return re.compile(word.replace("(?<", "(?P<"))


def reads(words: list[str], path: str) -> bool:
    """Tell whether patterns of files, which stand between slashes, mean this one."""
    return any(pattern(word.strip("/")).search(path) for word in words)


def found_in(path: str, text: str) -> list[dict[str, str]]:
    """Return the versions that Renovate reads out of a file of our own form."""
    return [
        {name: value for name, value in match.groupdict().items() if value}
        for manager in SETTINGS["customManagers"]
        if reads(manager["managerFilePatterns"], path)
        for word in manager["matchStrings"]
        for match in pattern(word).finditer(text)
    ]


def test_every_lock_is_kept_up_to_date() -> None:
    words = SETTINGS["pip_requirements"]["managerFilePatterns"]

    assert [lock for lock in LOCKS if not reads(words, code.name(lock))] == []


@pytest.mark.parametrize("path", ANNOTATED, ids=code.name)
def test_a_version_that_is_said_to_be_kept_up_to_date_is_read(path: Path) -> None:
    text = path.read_text()

    assert len(found_in(code.name(path), text)) == text.count(TOLD)


def test_a_version_is_read_with_where_to_ask_for_it() -> None:
    text = (
        f"    env:\n      {TOLD}datasource=pypi depName=zizmor\n"
        f'      ZIZMOR: "1.32.0"\n'
        f"      {TOLD}datasource=github-releases depName=a/b extractVersion=^v(?<version>.+)$\n"
        f"      A_B: 2.18.0 # and why\n"
    )

    assert found_in(".github/workflows/audit.yml", text) == [
        {"datasource": "pypi", "depName": "zizmor", "currentValue": "1.32.0"},
        {"datasource": "github-releases", "depName": "a/b",
         "extractVersion": "^v(?<version>.+)$", "currentValue": "2.18.0"},
    ]  # fmt: skip


def test_the_list_of_versions_is_read_but_for_our_own_and_for_what_goes_with_another() -> None:
    assert found_in(VERSIONS, _A_LIST) == [
        {"depName": "docker.io/apache/kafka", "currentValue": "4.3.1"},
        {"depName": "ghcr.io/cloudnative-pg/postgresql", "currentValue": "18.6-standard-trixie"},
        {"depName": "keda", "currentValue": "2.21.0"},
        {"currentValue": "4.3.1"},
    ]


def test_every_operator_of_the_list_is_known_by_its_repository() -> None:
    known = {name for rule in RULES if "overridePackageName" in rule
             for name in rule["matchDepNames"]}  # fmt: skip
    texts = [path.read_text() for path in code.ROOT.glob(VERSIONS)]
    named = {name for text in (_A_LIST, *texts) for name in re.findall(r"([\w-]+): \{ver", text)}

    assert named <= known


def test_what_is_left_out_is_there() -> None:
    left_out = {name for rule in RULES if rule.get("enabled") is False
                for name in rule["matchPackageNames"]}  # fmt: skip

    assert left_out <= set().union(*map(versions, LOCKS))
