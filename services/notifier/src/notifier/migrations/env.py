"""Runs the migrations on the connection that `shared.database.migrate` opened."""

from notifier.adapters.tables import metadata
from shared.database import migrate

migrate.run_env(metadata)
