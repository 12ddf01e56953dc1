"""Runs the migrations on the connection that `shared.database.migrate` opened."""

from sales_pipeline.adapters.tables import metadata
from shared.database import migrate

migrate.run_env(metadata)
