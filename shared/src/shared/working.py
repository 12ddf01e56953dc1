"""The role that runs a service's loops side by side: `python -m <package>.worker`.

What answers HTTP is not imported here: a worker has no routes but those of its health.
"""

import argparse
import asyncio
from collections.abc import Callable, Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from shared import limits
from shared.beginning import wait_for_database
from shared.database.engine import open_engine
from shared.database.schema import Tables
from shared.fitness import Unfit
from shared.messaging import loops
from shared.process import S, introduce, noting, package_of, read_settings, refuse
from shared.settings import WebSettings
from shared.telemetry.heartbeat import Heartbeats
from shared.web import server
from shared.web.health import build_operations

MakeLoops = Callable[[S, AsyncEngine, Heartbeats], Mapping[str, loops.Loop]]
"""Makes a service's loops, by name, on an engine whose plans and limits are the worker's."""


def main(service: str, settings: type[S], make_loops: MakeLoops[S]) -> int:
    """Run the loops of a service, or those of them that are named; return the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {package_of(service)}.worker")
    parser.add_argument(
        "--only", action="append", default=[], metavar="LOOP", help="only this loop"
    )
    only = parser.parse_args().only
    told = read_settings(settings, parser)
    introduce(told, service=service, role="worker")
    heartbeats = Heartbeats(told.silence_seconds)
    engine = open_engine(told, limits.WORKER, hot=True)
    known = make_loops(told, engine, heartbeats)
    if strangers := set(only) - set(known):
        parser.error(f"no loop {', '.join(strangers)}; there are {', '.join(known)}")
    wanted = {name: loop for name, loop in known.items() if not only or name in only}
    return run(told, Tables(engine, package_of(service)), heartbeats, wanted)


def run(
    settings: WebSettings,
    tables: Tables,
    heartbeats: Heartbeats,
    wanted: Mapping[str, loops.Loop],
) -> int:
    """Run the loops until told to stop, until only a new process will do, or refuse to begin."""
    asked: list[loops.StartAgain] = []
    refused: list[Unfit] = []
    begun = asyncio.Event()

    async def begin_fault() -> str | None:
        return None if begun.is_set() else "has not begun"

    async def work(stop: asyncio.Event) -> None:
        try:
            with noting(refused, stop):
                await wait_for_database(tables, "worker", stop)
                asyncio.get_running_loop().call_soon(begun.set)  # with the first step of each
                await loops.run(wanted, heartbeats, stop)
        except loops.StartAgain as start_again:
            asked.append(start_again)
        finally:
            await tables.engine.dispose()

    operations = build_operations(heartbeats, {"database": tables.fault, "worker": begin_fault})
    code = server.run(None, settings, operations, background=[work])
    if asked:
        loops.replace_process()
    return refuse(refused) or code
