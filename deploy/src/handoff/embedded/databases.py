"""The roles and databases of the services inside a PostgreSQL server; tables are migrations' work.

Every database belongs to a login role of its own name. The role `operations` may connect to all of
them and sees what the services' migrations grant it. Nobody else may connect.
"""

from collections.abc import Iterable, Mapping

import asyncpg

OPERATIONS = "operations"


async def make_databases(
    admin_url: str, databases: Iterable[str], passwords: Mapping[str, str]
) -> None:
    """Make what is missing of roles and databases, and set the passwords; may be repeated."""
    connection = await asyncpg.connect(admin_url, ssl=False)
    try:
        await _make_role(connection, OPERATIONS, passwords[OPERATIONS])
        for name in databases:
            await _make_role(connection, name, passwords[name])
            await make_database(connection, name, owner=name)
    finally:
        await connection.close()


async def make_database(
    connection: asyncpg.Connection, name: str, *, owner: str, template: str = "template1"
) -> None:
    """Make one database that only its owner and the operations role may enter."""
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
        await connection.execute(f'CREATE DATABASE "{name}" OWNER "{owner}" TEMPLATE "{template}"')
    await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO {OPERATIONS}')


async def _make_role(connection: asyncpg.Connection, name: str, password: str) -> None:
    known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
    verb = "ALTER" if known else "CREATE"
    quoted = await connection.fetchval("SELECT quote_literal($1::text)", password)
    await connection.execute(f'{verb} ROLE "{name}" LOGIN PASSWORD {quoted}')
