"""Gives every table a column more, and `subject` an index and a column to fill: additions alone.

An upgrade is tried with this behind the migrations of the checkout. So the two versions of the code
meet tables of two versions also where none was changed since the release.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

from shared.database import online

revision = "planted"
down_revision = sorted(Path(__file__).parent.glob("*_*.py"))[-2].name.split("_")[3]

TABLES = text("""
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'alembic_version'
      AND relnamespace = 'public'::regnamespace
    ORDER BY relname
""")
COLUMN = """ALTER TABLE "{}" ADD COLUMN IF NOT EXISTS planted text DEFAULT 'by newer code'"""
TO_FILL = "ALTER TABLE subject ADD COLUMN IF NOT EXISTS known_since timestamptz"
FILL = """
    UPDATE subject SET known_since = created_at WHERE id IN (
        SELECT id FROM subject WHERE known_since IS NULL ORDER BY id LIMIT 100
    )
"""


def upgrade() -> None:
    tables = op.get_bind().scalars(TABLES).all()
    for change in (*(COLUMN.format(table) for table in tables), TO_FILL):
        with op.get_context().autocommit_block():  # one table at a time: no lock is held for two
            op.execute(change)
    online.make_index("subject_planted", "subject (known_since)")
    online.fill(FILL)
