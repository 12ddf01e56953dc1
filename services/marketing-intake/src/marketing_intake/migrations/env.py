"""Alembic's entry: the shared runner does all of it."""

from marketing_intake.adapters.tables import metadata
from shared.database import migrate

migrate.run_env(metadata)
