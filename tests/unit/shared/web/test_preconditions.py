"""If-Match: who edits says which version they saw."""

import pytest

from shared.web import preconditions
from shared.web.problems import Problem


@pytest.mark.parametrize("given", ['"7"', ' "7" ', '"6", "7"', "*"])
def test_the_version_that_was_seen_may_be_changed(given: str) -> None:
    preconditions.check(given, 7)

    assert preconditions.etag(7) == '"7"'


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ('"6"', 412),
        ('W/"7"', 412),
        ('"77"', 412),
        (None, 428),
        ("7", 422),
        ('"7', 422),
        ("", 422),
        ("é", 422),
    ],
)
def test_anything_else_is_refused(given: str | None, status: int) -> None:
    with pytest.raises(Problem) as problem:
        preconditions.check(given, 7)

    assert problem.value.status_code == status


def test_a_lost_race_tells_the_present_version() -> None:
    with pytest.raises(Problem) as problem:
        preconditions.check('"6"', 7)

    assert problem.value.response().headers["etag"] == '"7"'


def test_where_it_is_not_demanded_it_may_be_left_out() -> None:
    preconditions.check(None, 7, demanded=False)

    with pytest.raises(Problem):
        preconditions.check('"6"', 7, demanded=False)
