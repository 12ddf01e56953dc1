"""Cursors: they lead on exactly, and what was changed on the way is refused by name."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.ids import new_id
from shared.web import pages
from shared.web.problems import Problem

MOMENT = datetime(2026, 11, 23, 9, 30, 0, 123456, tzinfo=UTC)
Position = tuple[datetime, UUID]


def test_a_cursor_gives_back_the_position_it_was_made_of() -> None:
    lead_id = new_id()
    cursor = pages.encode((MOMENT, lead_id))

    assert pages.decode(cursor, Position) == (MOMENT, lead_id)


def test_a_cursor_can_stand_in_a_url_as_it_is() -> None:
    for number in range(200):
        assert pages.encode((number, "é>?")).replace("-", "").replace("_", "").isalnum()


def test_no_cursor_is_the_beginning() -> None:
    assert pages.decode(None, Position) is None


def test_every_changed_letter_is_seen() -> None:
    cursor = pages.encode((MOMENT, new_id()))

    for place in range(len(cursor) - 1):
        other = "A" if cursor[place] != "A" else "B"
        with pytest.raises(Problem):
            pages.decode(cursor[:place] + other + cursor[place + 1 :], Position)


@pytest.mark.parametrize("cursor", ["", "x", "é", "a" * 900, "=", "%00", pages.encode(("a", "b"))])
def test_what_is_no_cursor_of_this_list_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(Problem) as problem:
        pages.decode(cursor, Position)

    assert problem.value.status_code == 422
    assert problem.value.document()["errors"][0]["parameter"] == "cursor"


def test_a_page_is_cut_and_says_where_the_next_begins() -> None:
    items, following = pages.cut([1, 2, 3], 2, lambda row: (row,))

    assert items == [1, 2]
    assert pages.decode(following, tuple[int]) == (2,)


def test_the_last_page_says_that_it_is_the_last() -> None:
    assert pages.cut([1, 2], 2, lambda row: (row,)) == ([1, 2], None)
