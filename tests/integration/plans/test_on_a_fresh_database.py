"""On a database that was just made, without statistics, everything is looked up by key.

There is nobody who runs ANALYZE after the migrations, and plans made in the first minutes stay.
"""

from tests.integration.plans.conftest import Day

SMALL = {
    "breaker": "a row for each version of the code",
    "lease": "a row for each loop of which there must be one",
    "playbook": "the rules of one site, of which a batch needs all that are enabled",
    "rep": "those who sell: whose turn it is takes all of them",
    "scorecard": "a row for each version of the rules",
    "source": "a few forms, ads and importers",
    "subscription": "a row for each topic",
    "team": "one row",
}
"""Tables that stay small whatever comes in, and may be read from end to end."""

NOT_TOUCHED = {
    "alembic_version": "is for migrations alone",
    "parking_release": "nothing is parked on a good day",
    "unreadable_record": "nothing comes that is no event",
}
"""Tables of which the day has no statement."""


def test_no_statement_reads_a_table_from_end_to_end(day: Day) -> None:
    walks = {place for place in day.plans.walks() if place[0] not in SMALL}

    assert walks == set()


def test_the_day_has_statements_of_every_table(day: Day) -> None:
    touched = {table for told in day.plans.told for table in told.tables}

    assert day.tables - touched == set(NOT_TOUCHED)
    assert set(SMALL) <= day.tables
