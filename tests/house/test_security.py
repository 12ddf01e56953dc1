"""What the security checklist says is held, a test of this repository holds."""

from collections import Counter

import pytest
from tests.house.checklist import DOCUMENT, STATES, Check, checks, complaints, counted, is_there

TEXT = DOCUMENT.read_text()
CHECKS = checks(TEXT)
HERE = "tests/house/test_security.py::test_every_check_is_answered_once"


def test_every_check_is_answered_once() -> None:
    assert [check.number for check in CHECKS] == list(range(1, 61))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.number))
def test_a_check_names_the_tests_that_hold_it_or_says_why_none_does(check: Check) -> None:
    assert list(complaints(check)) == []


def test_the_table_counts_right() -> None:
    found = Counter(check.state for check in CHECKS)

    assert counted(TEXT) == {state: found[state] for state in STATES}


@pytest.mark.parametrize(
    "check",
    [
        Check(1, "Held", "Held."),
        Check(1, "Held", f"Held. `{HERE}_and_more`"),
        Check(1, "Held", f"Held. `{HERE}` `tests/house/test_nothing.py::test_nothing`"),
        Check(1, "Held in part", f"Held in part. `{HERE}`"),
        Check(1, "Not yet", f"Not yet, because it is hard. `{HERE}`"),
        Check(1, "Not applicable", "Not applicable."),
    ],
    ids=["no test", "no such test", "no such file", "no reason", "a test for nothing", "no why"],
)
def test_an_answer_that_is_none_is_seen(check: Check) -> None:
    assert len(list(complaints(check))) == 1


@pytest.mark.parametrize(
    ("test", "there"),
    [
        (HERE, True),
        ("tests/house/test_security.py::counted", False),
        ("tests/house/checklist.py::Check::tests", False),
        ("tests/unit/notifier/test_titles.py::TestCheck::test_accepts_places_that_there_are", True),
        ("tests/unit/notifier/test_titles.py::TestFillIn::test_accepts_places_that_there_are",
         False),
        ("tests/unit/notifier/test_titles.py::test_accepts_places_that_there_are", False),
    ],
)  # fmt: skip
def test_a_test_is_found_by_its_file_its_class_and_its_name(test: str, *, there: bool) -> None:
    assert is_there(test) is there
