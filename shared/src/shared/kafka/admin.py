"""The library's client for topics and groups, started and stopped within limits."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

from shared import limits
from shared.kafka import security
from shared.kafka.errors import KafkaError
from shared.settings import KafkaSettings


@asynccontextmanager
async def administrator(settings: KafkaSettings) -> AsyncGenerator[AIOKafkaAdminClient]:
    """Connect for the block; one that does not come to close is left to itself.

    Raises:
        KafkaError, OSError, TimeoutError: no broker answers.
    """
    admin = AIOKafkaAdminClient(
        bootstrap_servers=settings.kafka_bootstrap,
        client_id=settings.instance,
        **security.of(settings),
    )
    try:
        async with asyncio.timeout(limits.KAFKA_START):
            await admin.start()
        yield admin
    finally:
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(limits.KAFKA_STOP):
                await admin.close()
