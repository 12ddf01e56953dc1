"""A package with migrations of a test's own, run as a service's are: by a process.

It needs the real runner on a real Postgres, and what it migrates is the test's to say.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = (
    "import asyncio; from shared.database import migrate; from shared.settings import *;"
    "asyncio.run(migrate.upgrade(DatabaseSettings(), '{package}'))"
)
_ENV = "from sqlalchemy import MetaData\nfrom shared.database.migrate import run_env\nrun_env({})\n"
_VERSION = """
from alembic import op
from shared.database import migrate, online

revision = "{number}"
down_revision = {before}

def upgrade():
    bind = op.get_bind()
    {body}
"""


@dataclass(frozen=True)
class OwnMigrations:
    """A package under a directory of its own, and the database that it is for."""

    root: Path
    package: str
    url: str

    @property
    def versions(self) -> Path:
        """Where the migrations are."""
        return self.root / self.package / "migrations" / "versions"

    def add(self, number: str, *steps: str) -> None:
        """Add a migration, by the lines of its function; `bind` is the connection."""
        before = max((path.name.split("_")[3] for path in self.versions.glob("*.py")), default=None)
        text = _VERSION.format(number=number, before=repr(before), body="\n    ".join(steps))
        (self.versions / f"2026_01_01_{number}_of_a_test.py").write_text(text)

    def forget(self, number: str) -> None:
        """Be code of the version before."""
        (self.versions / f"2026_01_01_{number}_of_a_test.py").unlink()

    async def start(self) -> asyncio.subprocess.Process:
        """Begin to migrate."""
        told = {"PYTHONPATH": str(self.root), "HANDOFF_DATABASE_URL": self.url}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PROGRAM.format(package=self.package)),
            env={**os.environ, **told},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def run(self) -> str:
        """Migrate to the end; return what was told on the way."""
        return await ended(await self.start())


def make(root: Path, package: str, url: str) -> OwnMigrations:
    """Make the package, without any migration yet."""
    made = OwnMigrations(root, package, url)
    made.versions.mkdir(parents=True)
    (made.versions.parent / "env.py").write_text(_ENV.format("MetaData()"))
    return made


async def ended(process: asyncio.subprocess.Process) -> str:
    """Wait for a run that has to end well; return what it told."""
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    return told.decode()
