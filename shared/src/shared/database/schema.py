"""Whether a database's tables are of a version that this code can work on; it changes nothing.

Migrations are a job of their own (`migrate`). A newer version is fine: it only adds, until no code
of the one before runs any more, so that code can go back without the tables.
"""

import re
from dataclasses import dataclass
from importlib import resources

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database.server import SETTING
from shared.loggers import get_logger

log = get_logger(__name__)

_VERSION = text("SELECT version_num FROM alembic_version")
_NAME = re.compile(r"^\d{4}_\d\d_\d\d_([0-9a-z]+)_.*\.py$")


@dataclass(slots=True)
class Tables:
    """The tables of one service, as this process meets them."""

    engine: AsyncEngine
    package: str
    told: bool = False

    async def fault(self) -> str | None:
        """Return why this code cannot work on them, and what to do, in a sentence.

        Raises:
            OSError, SQLAlchemyError: the database does not answer.
        """
        has = await self.version()
        if has is not None and is_newer(self.package, has) and not self.told:
            log.warning("newer_tables", said=said_of_newer(self.package, has))
            self.told = True
        return fault_of(self.package, has)

    async def version(self) -> str | None:
        """Return the version that they have; None where there are none."""
        async with self.engine.connect() as connection:
            try:
                return await connection.scalar(_VERSION)
            except ProgrammingError:  # there is no such table
                return None


def fault_of(package: str, has: str | None, setting: str = SETTING) -> str | None:
    """Return why code cannot work on tables of that version, and what to do, in a sentence."""
    known, migrate = known_versions(package), f"run `python -m {package}.migrate`"
    if has is None:
        return f"The database of {setting} has no tables yet: {migrate}."
    if has in known[:-1]:
        return f"The tables of {setting} are of version {has}, this code of {known[-1]}: {migrate}."
    return None


def said_of_newer(package: str, has: str, setting: str = SETTING) -> str:
    """Return, in a sentence, that code works on newer tables, and what to do if it should not."""
    return (
        f"The tables of {setting} are of version {has}, newer than this code of"
        f" {known_versions(package)[-1]}, which works on them: unless it was put back on purpose,"
        " run the newer code."
    )


def is_newer(package: str, has: str) -> bool:
    """Tell whether newer code made tables of that version."""
    return has not in known_versions(package)


def known_versions(package: str) -> list[str]:
    """Return the versions that this code's migrations lead to, the newest last.

    They stand in the migrations' file names: Alembic would take eleven megabytes to say the same.
    """
    names = (file.name for file in resources.files(f"{package}.migrations.versions").iterdir())
    return [found[1] for name in sorted(names) if (found := _NAME.match(name))]
