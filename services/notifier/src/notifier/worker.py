"""`python -m notifier.worker`: hears, makes tasks, rings them and says so.

Wired by hand; nothing is built at import.
"""

import sys
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from notifier.config import Settings
from notifier.entrypoints.recalling import recall
from notifier.entrypoints.timer import TaskTimer
from notifier.entrypoints.worker import NotifierHearer
from notifier.service import SERVICE
from shared import working
from shared.code import version_of
from shared.messaging.loops import Loop
from shared.messaging.worker import Worker
from shared.telemetry.heartbeat import Heartbeats


def make_loops(
    settings: Settings, engine: AsyncEngine, heartbeats: Heartbeats
) -> Mapping[str, Loop]:
    """Return the loops by name."""
    worker = Worker(
        engine=engine,
        settings=settings,
        service=SERVICE,
        version=version_of(SERVICE),
        heartbeats=heartbeats,
        hearer=NotifierHearer(),
        recall=recall,
        timers=[TaskTimer()],
    )
    return worker.loops()


if __name__ == "__main__":
    sys.exit(working.main(SERVICE, Settings, make_loops))
