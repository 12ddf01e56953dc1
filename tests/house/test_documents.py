"""The documents lead to where they say."""

import re
from pathlib import Path

import pytest
from tests.house import code

_LINK = re.compile(r"\[[^\]]+\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")
DOCUMENTS = [
    *code.ROOT.glob("*.md"),
    *(code.ROOT / "docs").rglob("*.md"),
    *(code.ROOT / "services").glob("*/README.md"),
    *(code.ROOT / "deploy").rglob("*.md"),
]


@pytest.mark.parametrize("document", sorted(DOCUMENTS), ids=code.name)
def test_every_link_of_a_document_leads_to_a_file(document: Path) -> None:
    links = _LINK.findall(document.read_text())

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_readme_fits_on_two_screens_and_shows_both_commands() -> None:
    text = (code.ROOT / "README.md").read_text()

    assert len(text.splitlines()) < 100
    assert all(command in text for command in ("make run", "make test"))


def test_no_two_decisions_have_the_same_number() -> None:
    numbers = [path.name[:4] for path in (code.ROOT / "docs/decisions").glob("[0-9]*.md")]

    assert len(numbers) == len(set(numbers)) > 0
