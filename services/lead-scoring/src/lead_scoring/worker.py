"""`python -m lead_scoring.worker`: hears, scores and says so.

Wired by hand; nothing is built at import.
"""

import sys
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_scoring.adapters.desks import Desks
from lead_scoring.config import Settings
from lead_scoring.entrypoints.worker import ScoringHearer
from lead_scoring.service import SERVICE
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
        hearer=ScoringHearer(Desks()),
    )
    return worker.loops()


if __name__ == "__main__":
    sys.exit(working.main(SERVICE, Settings, make_loops))
