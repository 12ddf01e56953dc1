"""A stand-in for the roles of a service, with nothing behind it, to be run and killed.

Which role it is says the name of its copy.
"""

import asyncio
import json
import os
import socket
from importlib import resources
from pathlib import Path

import asyncpg

from shared.telemetry.heartbeat import BREAKER

VERSION = "0001"
HELD = Path(__file__).with_name("held")
"""While it is there, the worker that stands beside it waits for a person."""
_LOOKED_AT = f"""
    CREATE TABLE alembic_version AS SELECT '{VERSION}' AS version_num;
    CREATE VIEW story AS SELECT * FROM said_story;
    CREATE VIEW broken AS SELECT * FROM messaging_broken;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO operations;
"""  # noqa: S608  our own text


async def main() -> None:
    """Serve what the role must serve."""
    role = Path(__file__).stem
    if role == "migrate":
        await _migrate()
        return
    servers = [await _serve_operations()]
    if role == "api":
        listener = socket.socket(fileno=int(os.environ["HANDOFF_HTTP_FD"]))
        servers.append(await asyncio.start_server(_answer, sock=listener))
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _migrate() -> None:
    """Make the tables of the messages, which the audit looks into; nothing is ever in them."""
    connection = await asyncpg.connect(os.environ["HANDOFF_DATABASE_URL"], ssl=False)
    if await connection.fetchval("SELECT to_regclass('said') IS NULL"):
        script = resources.files("shared.database").joinpath("ddl", "0001_messaging.sql")
        await connection.execute(script.read_text() + _LOOKED_AT)
    await connection.close()


async def _serve_operations() -> asyncio.Server:
    port = int(os.environ["HANDOFF_OPERATIONS_PORT"])
    return await asyncio.start_server(_answer, "127.0.0.1", port)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    asked = await reader.readuntil(b"\r\n\r\n")
    given = {name: value for name, value in os.environ.items() if name.startswith("HANDOFF_")}
    service = given["HANDOFF_INSTANCE"].rsplit("-", 2)[0]  # doctor asks an API whose it is
    answer = {"pid": os.getpid(), "environment": given, "info": {"title": service}}
    status = "200 OK"
    if asked.startswith(b"GET /readyz") and HELD.exists():
        status, answer = "503 Held", {"troubles": {"loop consume": BREAKER}}
    body = json.dumps(answer).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(main())
