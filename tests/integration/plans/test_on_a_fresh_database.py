"""On a database that was just made, without statistics, everything is looked up by key.

There is nobody who runs ANALYZE after the migrations, and plans made in the first minutes stay.
"""

from tests.integration.plans.conftest import Day
from tests.stack.plans import SMALL

NOT_TOUCHED = {
    "alembic_version": "is for migrations alone",
    "parking_release": "nothing is parked on a good day",
    "unreadable_record": "nothing comes that is no event",
}
"""Tables of which the day has no statement."""


def test_no_statement_reads_a_table_from_end_to_end(day: Day) -> None:
    assert day.plans.walks() == {}


def test_the_day_has_statements_of_every_table(day: Day) -> None:
    touched = {table for told in day.plans.told for table in told.tables}

    assert day.tables - touched == set(NOT_TOUCHED)
    assert set(SMALL) <= day.tables
