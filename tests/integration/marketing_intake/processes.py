"""Runs processes of the service, as they run in earnest."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
from tests.integration.marketing_intake.conftest import SECRET


@asynccontextmanager
async def running(database_url: str, role: str, *more: str, **settings: str) -> AsyncGenerator[str]:
    """Run one process; yield the address it answers at."""
    port, operations = free_port(), free_port()
    environment = {
        **os.environ,
        "HANDOFF_DATABASE_URL": database_url,
        "HANDOFF_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "HANDOFF_ERASURE_SECRET": SECRET,
        "HANDOFF_HTTP_PORT": str(port),
        "HANDOFF_OPERATIONS_PORT": str(operations),
        "HANDOFF_INSTANCE": f"{role}-{port}",
        "HANDOFF_LOG_LEVEL": "error",
        **{f"HANDOFF_{name.upper()}": value for name, value in settings.items()},
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "marketing_intake", role, *more, env=environment
    )
    try:
        await _live(f"http://127.0.0.1:{operations}/livez")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert await process.wait() == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def _live(url: str) -> None:
    async with httpx.AsyncClient() as http:
        for _ in range(300):
            try:
                if (await http.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    raise AssertionError(f"{url} never answers")
