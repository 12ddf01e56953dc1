"""The inside of the library's clients: how they connect, whether their tasks live, how they end.

The library makes the connections of a client one after the other, each attempt in full; shows the
password that it was given at the start; tells nobody that a task of its own ended. All that is
private to it and must be touched is touched here. Trust is `security`'s.
"""

# ruff: noqa: SLF001, ANN401  it is the library's inside, which has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import asyncio
import contextlib
from collections import defaultdict
from contextlib import nullcontext
from typing import Any, cast

from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.errors import KafkaError
from pydantic import SecretStr
from typing_extensions import override

from shared import limits
from shared.settings import KafkaSettings


class _Connections(AIOKafkaClient):
    """What holds a client's connections, with two of its ways changed."""

    turns: defaultdict[tuple[object, ConnectionGroup], asyncio.Lock]
    secret: SecretStr | None

    @property
    @override
    def _get_conn_lock(self) -> Any:
        """Return no lock: else a broker that stands still keeps the others waiting."""
        return nullcontext()

    @override
    async def _get_conn(
        self,
        node_id: object,
        *,
        group: ConnectionGroup = ConnectionGroup.DEFAULT,
        no_hint: bool = False,
    ) -> Any:
        """Connect to a broker, or return None; who waited for an attempt that failed makes none."""
        turn = self.turns[node_id, group]
        waits = turn.locked()
        async with turn:
            if waits and (node_id, group) not in self._conns:
                return None
            return await super()._get_conn(node_id, group=group, no_hint=no_hint)

    @property
    @override
    def _sasl_plain_password(self) -> str | None:
        return self.secret.get_secret_value() if self.secret else None


def change(client: object, settings: KafkaSettings) -> None:
    """Let a client that is not started make its connections as this module says."""
    told = cast("_Connections", _inside(client))
    told.__class__ = _Connections
    told.turns = defaultdict(asyncio.Lock)
    told.secret = settings.kafka_password


def check(client: object) -> None:
    """Ask the tasks inside of a started client: that one of them ended is told nowhere.

    It is enough that uvloop refuses to write to a connection that was just closed.

    Raises:
        KafkaError: one ended, and only a new client will do what it did.
    """
    tasks = {"learns who leads": _inside(client)._sync_task}
    if fetcher := getattr(client, "_fetcher", None):
        tasks["fetches"] = fetcher.error_future
    for does, task in tasks.items():
        if task.done():
            cause = None if task.cancelled() else task.exception()
            raise KafkaError(f"a task of the client ended: it no longer {does}") from cause


async def hang_up(client: object) -> None:
    """Close all connections, within the limit: the library leaves them where its stop fails."""
    inside = _inside(client)
    with contextlib.suppress(Exception):
        if inside._sync_task and inside._sync_task.done():
            inside._sync_task = None  # else its error ends this too
        async with asyncio.timeout(limits.KAFKA_STOP):
            await inside.close()


def _inside(client: object) -> Any:
    """Return what holds the connections of a consumer, or of a producer."""
    return getattr(client, "_client", None) or cast("Any", client).client
