"""A lease: of some loops there must be one per database, whoever runs them.

Goes by the database's clock. It keeps work from being done twice for nothing; it is not what makes
the work safe: a holder that sleeps through its lease and wakes up finds every effect checked again.
"""

import time

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import limits
from shared.database.errors import Kind, kind_of
from shared.telemetry import metrics

_TAKE = text("""
    INSERT INTO lease AS l (name, owner, epoch, expires_at)
    VALUES (:name, :owner, 1, clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (name) DO UPDATE
    SET owner = excluded.owner, epoch = l.epoch + 1, expires_at = excluded.expires_at
    WHERE l.expires_at < clock_timestamp() OR (l.owner = excluded.owner AND :first)
    RETURNING epoch
""")
_RENEW = text("""
    UPDATE lease SET expires_at = clock_timestamp() + make_interval(secs => :seconds)
    WHERE name = :name AND owner = :owner AND epoch = :epoch
    RETURNING epoch
""")
_GIVE_BACK = text("""
    UPDATE lease SET expires_at = clock_timestamp()
    WHERE name = :name AND owner = :owner AND epoch = :epoch
""")


class Lease:
    """One process's claim to one loop.

    A process that starts takes back at once what its own name holds (it was killed and is here
    again); once it lost the lease it waits for the end like everybody else, so that a process
    that was stopped and continued does not fight with the one that replaced it.
    """

    def __init__(
        self, engine: AsyncEngine, *, name: str, owner: str, seconds: float = limits.LEASE
    ) -> None:
        """Claim nothing yet; once held, the lease ends `seconds` after its last renewal."""
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._name = name
        self._owner = owner
        self._seconds = seconds
        self._epoch: int | None = None
        self._first = True
        self._asked_at = 0.0

    @property
    def epoch(self) -> int | None:
        """The number of this holding; None while somebody else holds it."""
        return self._epoch

    async def hold(self) -> bool:
        """Take or renew the lease where that is due; tell whether this process holds it."""
        fresh = time.monotonic() - self._asked_at < self._seconds * limits.LEASE_RENEWAL
        if fresh and self._epoch is not None:
            return True
        self._asked_at = time.monotonic()
        self._epoch = await (self._renew() if self._epoch is not None else self._take())
        metrics.LEASE_EPOCH.labels(lease=self._name).set(self._epoch or 0)
        return self._epoch is not None

    async def give_back(self) -> None:
        """End the lease now, so that nobody need wait for it; with the database away, time does."""
        if self._epoch is None:
            return
        epoch, self._epoch = self._epoch, None
        metrics.LEASE_EPOCH.labels(lease=self._name).set(0)
        try:
            await self._ask(_GIVE_BACK, name=self._name, owner=self._owner, epoch=epoch)
        except Exception as error:
            if kind_of(error) is not Kind.INFRASTRUCTURE:
                raise

    async def _take(self) -> int | None:
        epoch = await self._ask(
            _TAKE, name=self._name, owner=self._owner, seconds=self._seconds, first=self._first
        )
        self._first = False
        return epoch

    async def _renew(self) -> int | None:
        return await self._ask(
            _RENEW, name=self._name, owner=self._owner, seconds=self._seconds, epoch=self._epoch
        )

    async def _ask(self, statement: TextClause, **values: object) -> int | None:
        async with self._engine.connect() as connection:
            result = await connection.execute(statement, values)
            row = result.first() if result.returns_rows else None
            return row[0] if row else None
