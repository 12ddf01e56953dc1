"""What deploy/ has people type does what it says: word for word, on a real API server."""

import re
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.deploy.apiserver.cluster import NAMESPACE, Cluster
from tests.deploy.apiserver.seen import APPLY
from tests.deploy.apiserver.stories import STORIES
from tests.deploy.apiserver.typist import (
    COMMANDS_LEFT_OUT,
    PUT_IN,
    SECTIONS_LEFT_OUT,
    THEIR_OWN,
    Typist,
)
from tests.deploy.readme import TOLD, blocks, commands, examples
from tests.deploy.rendering import copied

pytestmark = pytest.mark.timeout(1800)  # the first of them may have to build it


@pytest.fixture
def typist(cluster: Cluster, tmp_path: Path) -> Generator[Typist]:
    """Somebody with a checkout, in a cluster without anything of ours, before and after."""
    overlay = copied(tmp_path / "deploy", examples()[0])
    theirs = list(THEIR_OWN.values())
    remove = ("delete", "namespace", NAMESPACE, *theirs, "--ignore-not-found")
    cluster.do(*remove)
    for name in theirs:
        cluster.do("create", "namespace", name)
    yield Typist(cluster, tmp_path, overlay)
    cluster.do(*remove)


@pytest.mark.parametrize("story", STORIES)
def test_what_is_typed_does_what_it_says(story: str, typist: Typist) -> None:
    for step in STORIES[story]:
        step.given(typist)
        typist.types(step.heading)
        step.holds(typist)


def test_every_block_is_typed_or_it_is_said_why_not() -> None:
    typed = {step.heading for story in STORIES.values() for step in story}

    assert sorted(typed | set(SECTIONS_LEFT_OUT)) == sorted(blocks())
    assert typed & set(SECTIONS_LEFT_OUT) == set()
    assert sum(map(len, blocks().values())) == TOLD.count("```console\n")


def test_no_reason_stands_there_for_what_nobody_is_told() -> None:
    lines = commands().splitlines()

    for begins in COMMANDS_LEFT_OUT:
        assert any(line.startswith(begins) for line in lines), begins
    assert [each for each in (*PUT_IN, APPLY) if each not in commands()] == []


def test_whole_commands_stand_in_blocks() -> None:
    spans = re.findall(r"`([^`]+)`", re.sub(r"```[a-z]*\n.*?```", "", TOLD, flags=re.DOTALL))

    assert [each for each in spans if each.startswith("kubectl") and len(each.split()) > 2] == []
