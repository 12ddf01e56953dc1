"""`python -m sales_pipeline.worker`: hears, opens deals and says so.

Wired by hand; nothing is built at import.
"""

import sys
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from sales_pipeline.config import Settings
from sales_pipeline.entrypoints.recalling import recall
from sales_pipeline.entrypoints.worker import PipelineHearer
from sales_pipeline.service import SERVICE
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
        hearer=PipelineHearer(),
        recall=recall,
    )
    return worker.loops()


if __name__ == "__main__":
    sys.exit(working.main(SERVICE, Settings, make_loops))
