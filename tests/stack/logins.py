"""A login role of a test's own, whose address a file holds: so its password may be changed.

Those of the services are shared by all tests of a run. It may do what the role may that it is in.
"""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from tests.stack.running import Stack


@dataclass
class Login:
    """A role that enters a database with a password, and the file that says so."""

    role: str
    file: Path
    address: str
    administrator: asyncpg.Connection

    def write(self, password: str) -> None:
        """Put a password into the file, in one step as a kubelet does."""
        parts = urlsplit(self.address)
        where = f"{self.role}:{password}@{parts.hostname}:{parts.port}"
        unfinished = self.file.with_name(f"{self.file.name}.new")
        unfinished.write_text(urlunsplit(parts._replace(netloc=where)) + "\n")
        unfinished.replace(self.file)

    async def alter(self, password: str) -> None:
        """Have Postgres ask for another password from now on."""
        await self.administrator.execute(f"ALTER ROLE \"{self.role}\" PASSWORD '{password}'")

    async def sessions(self) -> set[int]:
        """Return the process ids of its sessions."""
        rows = await self.administrator.fetch(
            "SELECT pid FROM pg_stat_activity WHERE usename = $1", self.role
        )
        return {row["pid"] for row in rows}

    async def end_sessions(self) -> None:
        """End them all, so that whoever goes on has to come in anew."""
        await self.administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", self.role
        )


@asynccontextmanager
async def own_login(
    stack: Stack, address: str, file: Path, *, of: str | None = None
) -> AsyncGenerator[Login]:
    """Make a role for the block, to enter the database of an address; `of`: as a member of it."""
    administrator = await asyncpg.connect(stack.postgres_url, ssl=False)
    login = Login(f"login_{secrets.token_hex(4)}", file, address, administrator)
    password = secrets.token_hex(8)
    try:
        await administrator.execute(f"CREATE ROLE \"{login.role}\" LOGIN PASSWORD '{password}'")
        if of is not None:  # and acts as it, so that it owns nothing that outlives it
            await administrator.execute(f'GRANT "{of}" TO "{login.role}"')
            await administrator.execute(f'ALTER ROLE "{login.role}" SET role = "{of}"')
        login.write(password)
        yield login
    finally:
        await login.end_sessions()
        await administrator.execute(f'DROP ROLE IF EXISTS "{login.role}"')
        await administrator.close()
