"""How far each hearer has read in Kafka: the committed offsets of its group.

They tell what is still on its way from what was passed over. Kafka not answering is no error.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient

from shared.kafka import lag
from shared.kafka.admin import administrator
from shared.kafka.errors import KafkaError
from shared.kafka.topics import logical
from shared.settings import KafkaSettings

Marks = Mapping[tuple[str, int], int]
"""Committed offset by topic and partition."""

_ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Groups:
    """The consumer groups of the hearers; without a client, nobody answers."""

    settings: KafkaSettings | None
    admin: AIOKafkaAdminClient | None

    async def marks(self, hearer: str) -> Marks | None:
        """Return how far a hearer has read; None: Kafka did not say."""
        if self.admin is None or self.settings is None:
            return None
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                read = await lag.committed(self.admin, self.settings, hearer)
        except (KafkaError, OSError, TimeoutError):
            return None
        return {
            (logical(self.settings, place.topic), place.partition): offset
            for place, offset in read.items()
            if offset >= 0
        }


@asynccontextmanager
async def open_groups(settings: KafkaSettings | None) -> AsyncGenerator[Groups]:
    """Ask Kafka for the block."""
    async with AsyncExitStack() as stack:
        yield Groups(settings, await _started(settings, stack) if settings else None)


async def _started(settings: KafkaSettings, stack: AsyncExitStack) -> AIOKafkaAdminClient | None:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await stack.enter_async_context(administrator(settings))
    except (KafkaError, OSError, TimeoutError):
        return None
