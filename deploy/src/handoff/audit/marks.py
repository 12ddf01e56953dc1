"""How far each hearer has read in Kafka: the committed offsets of its group.

They tell what is still on its way from what was passed over. Kafka not answering is no error.
"""

# pyright: basic
# aiokafka does not type what its admin client answers.

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.kafka.topics import logical
from shared.settings import KafkaSettings

log = structlog.get_logger(__name__)

Marks = Mapping[tuple[str, int], int]
"""Committed offset by topic and partition."""

_ANSWER_SECONDS = 5.0
_STOP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Groups:
    """The consumer groups of the hearers; without a client, nobody answers."""

    settings: KafkaSettings | None
    admin: AIOKafkaAdminClient | None

    async def marks(self, hearer: str) -> Marks | None:
        """Return how far a hearer has read; None: Kafka did not say."""
        if self.admin is None or self.settings is None:
            return None
        group = f"{self.settings.topic_prefix}{hearer}"
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                found = await self.admin.list_consumer_group_offsets(group)
        except (KafkaError, OSError, TimeoutError):
            return None
        return {
            (logical(self.settings, place.topic), place.partition): mark.offset
            for place, mark in found.items()
            if mark.offset >= 0
        }


@asynccontextmanager
async def open_groups(settings: KafkaSettings | None) -> AsyncGenerator[Groups]:
    """Ask Kafka for the block."""
    admin = await _started(settings) if settings else None
    try:
        yield Groups(settings, admin)
    finally:
        if admin is not None:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await admin.close()


async def _started(settings: KafkaSettings) -> AIOKafkaAdminClient | None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await admin.start()
    except (KafkaError, OSError, TimeoutError):
        with contextlib.suppress(KafkaError, OSError):
            await admin.close()
        return None
    return admin
