"""The product on fresh databases and topics of its own, for each file of benchmarks."""

from collections.abc import AsyncGenerator

import pytest
from tests.load.product import Product, make
from tests.stack.fixtures import DatabaseFor
from tests.stack.running import Stack

from shared.settings import KafkaSettings


@pytest.fixture(scope="module")
async def product(
    stack: Stack,
    kafka_settings: KafkaSettings,
    database_for: DatabaseFor,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Product]:
    product = await make(stack, kafka_settings, database_for, tmp_path_factory.mktemp("logs"))
    yield product
    await product.stop()
