"""How far the clock of a database is off ours: a slow answer alone is no fault of a clock."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.database.server import seconds_off

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("there", "off"), [(-2, -2.0), (0, 0.0), (1, 0.0), (3, 0.0), (8, 5.0), (-600, -600.0)]
)
def test_what_was_read_within_the_answer_may_be_right(there: int, off: float) -> None:
    after = BEFORE + timedelta(seconds=3)

    assert seconds_off(BEFORE + timedelta(seconds=there), BEFORE, after) == off
