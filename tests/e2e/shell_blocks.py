"""The commands that the documents show, as the tests find them.

A block marked `sh` is run; one marked `console` is for people alone (it starts, stops or removes
things). The blocks of a document belong together: they are run as one script, in their order.
"""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def documents() -> Iterator[Path]:
    """Give every document that a person may read for commands."""
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted((ROOT / "docs").rglob("*.md"))
    yield from sorted((ROOT / "services").glob("*/README.md"))


def script(document: Path) -> str:
    """Return all commands of a document; empty where it shows none."""
    return "\n".join(_BLOCK.findall(document.read_text()))
