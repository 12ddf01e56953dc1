"""${message}."""

from alembic import op

from shared.database import migrate

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    migrate.execute_many(op.get_bind(), "")
