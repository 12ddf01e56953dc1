"""Waits for outcomes on behalf of all requests that asked for one (`Prefer: wait`).

One question for all of them every few milliseconds, not one per request; none while nobody waits.
"""

import asyncio
import contextlib
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from marketing_intake.adapters.capture_statement import Receipt
from shared.loggers import get_logger
from shared.messaging import backoff
from shared.web import turnstile

log = get_logger(__name__)

_EVERY_SECONDS = 0.015
_ASK = text("""
    SELECT id, state, outcome, lead_id, reason FROM submission
    WHERE id = ANY(:ids) AND state <> 'received'
""")


class Waiting:
    """Who waits for which submission."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Wait for nothing yet."""
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._waiting: dict[UUID, list[asyncio.Future[Receipt]]] = {}
        self._somebody = asyncio.Event()

    async def outcome(self, receipt: Receipt, *, seconds: float) -> Receipt:
        """Return the receipt as soon as there is more to say; as it was, when the time is up."""
        if receipt.state != "received":
            return receipt
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(receipt.receipt_id, []).append(future)
        self._somebody.set()
        turnstile.step_aside()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await future
        return receipt

    async def run(self) -> None:
        """Ask for ever; cancel to stop."""
        failures = 0
        while True:
            await self._somebody.wait()
            try:
                await self._ask()
                failures = 0
            except Exception as error:  # noqa: BLE001  they wait until their time is up
                failures += 1
                log.warning("waiting_failed", error=type(error).__name__)
                await asyncio.sleep(backoff.delay(failures))
            await asyncio.sleep(_EVERY_SECONDS)

    async def _ask(self) -> None:
        self._forget_those_who_left()
        if not self._waiting:
            self._somebody.clear()
            return
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_ASK, {"ids": list(self._waiting)})).all()
        for row in rows:
            known = Receipt(row.id, row.state, row.outcome, row.lead_id, row.reason)
            for future in self._waiting.pop(row.id, []):
                if not future.done():
                    future.set_result(known)

    def _forget_those_who_left(self) -> None:
        for receipt_id in list(self._waiting):
            staying = [future for future in self._waiting[receipt_id] if not future.done()]
            if staying:
                self._waiting[receipt_id] = staying
            else:
                del self._waiting[receipt_id]
