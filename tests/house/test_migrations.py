"""A migration keeps no traffic out, lets the code before it go on, and never changes once released.

What the linter says is planted here, fault by fault: who upgrades finds out too late.
"""

from pathlib import Path

import pytest
from tests.contract.artefacts import released
from tests.house import code, migrations
from tests.house.migrations import complaints, rendered

TAG = released.newest_tag()
BAD = {
    "ALTER TABLE lead ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()":
        "adding-field-with-default",
    "ALTER TABLE lead ADD COLUMN token uuid NOT NULL": "adding-required-field",
    "ALTER TABLE lead ADD COLUMN twice int GENERATED ALWAYS AS (2 * version) STORED":
        "adding-field-with-default",
    "CREATE INDEX lead_email ON lead (email)": "require-concurrent-index-creation",
    "CREATE INDEX CONCURRENTLY lead_email ON lead (email)":
        "ban-concurrent-index-creation-in-transaction",
    "DROP INDEX lead_email": "require-concurrent-index-deletion",
    "REINDEX TABLE lead": "require-concurrent-reindex",
    "ALTER TABLE lead DROP COLUMN email": "ban-drop-column",
    "DROP TABLE lead": "ban-drop-table",
    "DROP VIEW said": "ban-drop-view",
    "DROP FUNCTION kept(text)": "ban-drop-function",
    "ALTER TABLE lead RENAME COLUMN email TO mail": "renaming-column",
    "ALTER TABLE lead RENAME TO person": "renaming-table",
    "ALTER TABLE lead ALTER COLUMN version TYPE bigint": "changing-column-type",
    "ALTER TABLE lead ALTER COLUMN email SET NOT NULL": "adding-not-nullable-field",
    "ALTER TABLE lead ALTER COLUMN email DROP DEFAULT": "ban-drop-default",
    "ALTER TABLE lead ADD CONSTRAINT some CHECK (version > 0)": "constraint-missing-not-valid",
    "ALTER TABLE lead ADD CONSTRAINT one UNIQUE (email)": "disallowed-unique-constraint",
    "ALTER TABLE lead ADD CONSTRAINT of FOREIGN KEY (rep_id) REFERENCES rep (id)":
        "adding-foreign-key-constraint",
    "TRUNCATE lead CASCADE": "ban-truncate-cascade",
    "UPDATE lead SET version = 1": "all-rows-at-once",
    "DELETE FROM lead WHERE version = 1": "all-rows-at-once",
    "LOCK TABLE lead": "all-rows-at-once",
    "-- squawk-ignore ban-drop-column\nALTER TABLE lead DROP COLUMN email":
        "exception-without-reason",
}  # fmt: skip
GOOD = [
    "CREATE TABLE place (id uuid PRIMARY KEY, name text); CREATE INDEX place_name ON place (name)",
    "ALTER TABLE lead ADD COLUMN nickname text",
    "ALTER TABLE lead ADD COLUMN rank int NOT NULL DEFAULT 0",
    "ALTER TABLE lead ADD CONSTRAINT some CHECK (version > 0) NOT VALID",
    "COMMIT; DROP INDEX CONCURRENTLY lead_email; BEGIN",
    "UPDATE lead SET rank = 1 WHERE id IN (SELECT id FROM lead WHERE rank = 0 ORDER BY id LIMIT 9)",
    (
        "-- Contract: nothing names it since 1.4.0, and 1.3 runs nowhere any more.\n"
        "-- squawk-ignore ban-drop-column\nALTER TABLE lead DROP COLUMN email"
    ),
]
A_MIGRATION = """
from alembic import op
from shared.database import migrate, online

def upgrade():
    migrate.execute_many(op.get_bind(), "CREATE TABLE place (id uuid PRIMARY KEY)")
    online.make_index("lead_email", "lead (email)")
    online.drop_index("lead_mail")
    online.fill("UPDATE lead SET version = 1 WHERE version = 0")
    op.execute("ALTER TABLE lead DROP COLUMN nickname")
"""


def in_transaction(sql: str) -> str:
    return f"BEGIN;\n{sql};\nCOMMIT;\n"


@pytest.mark.parametrize("path", migrations.ALL, ids=code.name)
def test_a_migration_keeps_no_traffic_out_and_lets_the_code_before_it_go_on(path: Path) -> None:
    assert complaints(rendered(path)) == []


@pytest.mark.parametrize("sql", BAD)
def test_a_statement_that_does_is_refused(sql: str) -> None:
    assert BAD[sql] in [said.partition(":")[0] for said in complaints(in_transaction(sql))]


@pytest.mark.parametrize("sql", GOOD)
def test_what_only_adds_or_says_why_it_takes_away_is_let_through(sql: str) -> None:
    assert complaints(in_transaction(sql)) == []


def test_all_that_a_migration_sends_is_judged(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text(A_MIGRATION)

    sql = rendered(tmp_path / "some.py")

    assert [said.partition(" (")[2] for said in complaints(sql)] == [
        "ALTER TABLE lead DROP COLUMN nickname;)",
        "UPDATE lead SET version = 1 WHERE version = 0)",
    ]
    assert "CREATE TABLE place" in sql
    assert "CREATE INDEX CONCURRENTLY IF NOT EXISTS lead_email" in sql


@pytest.mark.skipif(TAG is None, reason=released.why_none())
def test_a_migration_that_was_released_never_changes() -> None:
    assert TAG
    places = {code.name(path.parent) for path in (*migrations.ALL, *migrations.DDL)}

    assert released.changed(TAG, *places) == []
