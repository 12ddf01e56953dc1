"""The database ends at once, or ends every session, while leads come in (D1)."""

import time

import pytest
from tests.faults.figures import Figure, Within, sized
from tests.faults.ledger import Ledger
from tests.faults.rig.rig import rigged
from tests.faults.rig.servers import own_postgres
from tests.faults.scenarios import outages
from tests.stack.running import Stack

_ALL = ("marketing_intake", "lead_scoring", "sales_pipeline", "notifier")
_BACK = Within(2)
_NO_SESSION = 2.0
_RESTART = 0.2
"""Seconds that an answer takes at least where a session ends under it."""


@pytest.mark.timeout(400)
async def test_restarts_of_postgres_and_the_end_of_all_sessions_lose_nothing(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory, figure: Figure
) -> None:
    times, seconds = sized(3, 10), sized(3, 10)
    async with own_postgres(stack) as server:
        logs = tmp_path_factory.mktemp("rig")
        async with rigged(server.stack, logs, _ALL) as rig:
            door = await outages.start(rig, *_ALL)

            after: list[float] = []

            async def restart(ledger: Ledger) -> None:
                for _ in range(times):
                    await server.restart_at_once()
                    back = time.monotonic()
                    await outages.stored(ledger, 30)
                    after.append(ledger.stored_after(back))

            ledger = Ledger()
            assert await outages.through(rig, door, restart, ledger, felt=_RESTART) == {}
            restarting = ledger.gap

            ended: list[int] = []

            async def terminate(_ledger: Ledger) -> None:
                ended.append(await outages.terminate_all(rig, seconds=seconds))

            assert await outages.through(rig, door, terminate, ledger, felt=_RESTART) == {}

    assert sum(ended) > 0
    figure("All sessions ended each 100 ms: how many", sum(ended), goal="printed")
    figure("Postgres ended at once under load: longest without a 2xx, its own start too, seconds",
           restarting, goal="printed")  # fmt: skip
    figure("Postgres ended at once under load: from when it is back to the next 2xx, seconds",
           max(after), goal=_BACK)  # fmt: skip
    figure("All sessions ended each 100 ms: longest without a 2xx, seconds",
           ledger.gap, goal=f"≤ {_NO_SESSION:.0f}")  # fmt: skip
    assert max(after) <= _BACK.here
    assert ledger.gap <= _NO_SESSION
