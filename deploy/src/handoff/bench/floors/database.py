"""How a floor that keeps something is told where: by the environment."""

import os

DATABASE = "HANDOFF_FLOOR_DATABASE_URL"


def driver_url() -> str:
    """Return the floor's database, with asyncpg as SQLAlchemy's driver."""
    return os.environ[DATABASE].replace("postgresql://", "postgresql+asyncpg://", 1)
