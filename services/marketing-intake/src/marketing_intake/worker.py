"""`python -m marketing_intake.worker`: resolves submissions, and says so.

Wired by hand; nothing is built at import.
"""

import sys
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from marketing_intake.adapters.submissions import submissions_by_day
from marketing_intake.config import Settings
from marketing_intake.entrypoints.recalling import Recalling
from marketing_intake.entrypoints.resolver import Resolver
from marketing_intake.service import SERVICE
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
        recall=Recalling(settings.erasure_key).recall,
        tables_by_day=(submissions_by_day(settings.submission_days),),
    )
    resolver = Resolver(
        engine=engine,
        lease=worker.lease("resolve"),
        heartbeat=heartbeats.loop("resolve"),
        secret=settings.erasure_key,
        said=worker.said,
    )
    return {"resolve": resolver.run, **worker.loops()}


if __name__ == "__main__":
    sys.exit(working.main(SERVICE, Settings, make_loops))
