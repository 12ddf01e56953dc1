"""The server and what watches its connections live and end together."""

import asyncio
import socket
from typing import Any

import pytest
from fastapi import FastAPI

from shared.web import server
from shared.web.server import Server


async def test_a_server_ends_when_nobody_cuts_slow_senders_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(_state: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(server, "sweep_for_ever", fail)
    monkeypatch.setattr(server, "_settle_memory", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(60):
            await Server("public", FastAPI(), listener).serve()
