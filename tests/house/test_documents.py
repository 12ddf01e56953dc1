"""The documents lead to where they say."""

import re
from pathlib import Path

import pytest
from tests.house import code
from tests.house.headings import anchors

_LINK = re.compile(r"\[[^\]]+\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
DOCUMENTS = [
    *code.ROOT.glob("*.md"),
    *(code.ROOT / "docs").rglob("*.md"),
    *(code.ROOT / "services").glob("*/README.md"),
    *(code.ROOT / "deploy").rglob("*.md"),
    *(code.ROOT / "tests").rglob("*.md"),
]


@pytest.mark.parametrize("document", sorted(DOCUMENTS), ids=code.name)
def test_every_link_of_a_document_leads_to_a_file_and_to_a_heading_in_it(document: Path) -> None:
    links = _LINK.findall(document.read_text())
    files = {path: document.parent / path if path else document for path, _ in links}

    assert [path for path, file in files.items() if not file.exists()] == []
    assert [f"{path}#{anchor}" for path, anchor in links
            if anchor and anchor not in anchors(files[path].read_text())] == []  # fmt: skip


def test_a_heading_has_the_anchor_that_github_gives_it() -> None:
    text = "# A\n## [What's](x.md) `new_here`, and not\n```sh\n# a comment\n```\n### A\n"

    assert anchors(text) == {"a", "whats-new_here-and-not", "a-1"}


def test_the_readme_fits_on_two_screens_and_shows_both_commands() -> None:
    text = (code.ROOT / "README.md").read_text()

    assert len(text.splitlines()) < 100
    assert all(command in text for command in ("make run", "make test"))


def test_no_two_decisions_have_the_same_number() -> None:
    numbers = [path.name[:4] for path in (code.ROOT / "docs/decisions").glob("[0-9]*.md")]

    assert len(numbers) == len(set(numbers)) > 0
