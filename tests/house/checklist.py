"""The checklist of `docs/security.md`: sixty checks, and what is said to hold each of them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.house import code

DOCUMENT = code.ROOT / "docs/security.md"
STATES = ("Held", "Held in part", "Not yet", "Not applicable")
"""In the order of the table on top."""
_CHECK = re.compile(
    r"^(?P<number>\d+)\. \*\*(?P<title>.+?)\*\*(?: \(.+?\))?\. "
    r"(?P<said>(?P<state>Held in part|Held|Not yet|Not applicable)\b.*?)(?=\n\d+\. |\n## |\Z)",
    re.MULTILINE | re.DOTALL,
)
_TEST = re.compile(r"`(tests/[\w/]+\.py(?:::\w+){1,2})`")
_TABLE = re.compile(r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
_WHY = ("Not yet, because ", "Not applicable, because ")


@dataclass(frozen=True, slots=True)
class Check:
    """A check as it is written: its number, how it stands, and all that is said of it."""

    number: int
    state: str
    said: str

    @property
    def tests(self) -> list[str]:
        """Return the tests that are named: `file::test` or `file::Class::test`."""
        return _TEST.findall(self.said)


def checks(text: str) -> list[Check]:
    """Return all checks of the document."""
    return [
        Check(int(match["number"]), match["state"], " ".join(match["said"].split()))
        for match in _CHECK.finditer(text)
    ]


def counted(text: str) -> dict[str, int]:
    """Return how many checks of each state the table on top counts."""
    (numbers,) = _TABLE.findall(text)
    return dict(zip(STATES, map(int, numbers), strict=True))


def complaints(check: Check) -> Iterator[str]:
    """Say what is wrong with what is said of a check."""
    if check.state.startswith("Held") and not check.tests:
        yield "no test holds it"
    if check.state.startswith("Not") and check.tests:
        yield "a test holds what is said not to be held"
    if check.state != "Held" and not any(why in check.said for why in _WHY):
        yield "it is not said why not"
    yield from (f"{test} is not there" for test in check.tests if not is_there(test))


def is_there(test: str) -> bool:
    """Tell whether the file has this test."""
    name, *words = test.split("::")
    path = code.ROOT / name
    if not path.is_file():
        return False
    found: list[ast.stmt] = code.tree(path).body
    for word in words:
        named = [each for each in found if getattr(each, "name", None) == word]
        found = getattr(named[0], "body", []) if named else []
    return bool(found) and words[-1].startswith("test_")
