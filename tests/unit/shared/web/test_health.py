"""Liveness asks the loops, readiness asks everything, and neither hangs."""

import asyncio

import httpx
import pytest

from shared import limits
from shared.telemetry.heartbeat import Heartbeats
from shared.web import health
from shared.web.health import Operations, build_operations


async def fine() -> str | None:
    return None


async def full() -> str | None:
    return "the disk is full"


async def away() -> str | None:
    raise ConnectionRefusedError("10.0.0.1")


async def hanging() -> str | None:
    await asyncio.sleep(60)


async def get(operations: Operations, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(operations)
    async with httpx.AsyncClient(transport=transport, base_url="http://tiny") as client:
        return await client.get(path)


async def test_a_process_whose_loops_turn_is_alive_and_ready() -> None:
    heartbeats = Heartbeats()
    heartbeats.loop("relay").beat()
    operations = build_operations(heartbeats, {"database": fine})

    assert (await get(operations, "/livez")).status_code == 200
    assert (await get(operations, "/readyz")).json() == {"ready": True, "troubles": {}}


async def test_a_held_loop_is_alive_but_not_ready() -> None:
    heartbeats = Heartbeats()
    heartbeats.loop("relay").hold("infrastructure")
    heartbeats.loop("relay").beaten_at -= 10 * limits.HEARTBEAT_SILENCE
    operations = build_operations(heartbeats, {})
    ready = await get(operations, "/readyz")

    assert (await get(operations, "/livez")).status_code == 200
    assert ready.status_code == 503
    assert ready.json()["troubles"] == {"loop relay": "infrastructure"}


async def test_a_loop_that_neither_turns_nor_is_held_is_dead() -> None:
    heartbeats = Heartbeats()
    heartbeats.loop("relay").beaten_at -= limits.HEARTBEAT_SILENCE + 1
    live = await get(build_operations(heartbeats, {}), "/livez")

    assert live.status_code == 503
    assert live.json()["dead_loops"] == ["relay"]


async def test_checks_say_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_CHECK_SECONDS", 0.05)
    checks = {"disk": full, "database": away, "broker": hanging, "clock": fine}
    ready = await get(build_operations(Heartbeats(), checks), "/readyz")

    assert ready.status_code == 503
    assert ready.json()["troubles"] == {
        "disk": "the disk is full",
        "database": "does not answer (ConnectionRefusedError)",
        "broker": "does not answer (TimeoutError)",
    }


async def test_a_check_that_fails_does_not_make_the_process_dead() -> None:
    operations = build_operations(Heartbeats(), {"database": away})

    assert (await get(operations, "/livez")).status_code == 200


async def test_a_stopping_process_is_not_ready() -> None:
    operations = build_operations(Heartbeats(), {})
    operations.stopping = True

    assert (await get(operations, "/readyz")).status_code == 503


async def test_metrics_are_there_in_prometheus_form() -> None:
    answer = await get(build_operations(Heartbeats(), {}), "/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE handoff_http_request_seconds histogram" in answer.text
