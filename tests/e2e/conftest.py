"""One running product for all end-to-end tests; it tells all it can, and a collector listens."""

from collections.abc import Generator

import pytest
from tests.stack import system as whole
from tests.stack.collector import Collector, collecting
from tests.stack.system import System


@pytest.fixture(scope="session")
def collector() -> Generator[Collector]:
    """What takes the spans of the product."""
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="session")
def system(collector: Collector) -> Generator[System]:
    """Start the product as `make run` does, and stop it at the end."""
    told = {
        "HANDOFF_OTLP_ENDPOINT": collector.url,
        "HANDOFF_TRACE_SHARE": "1",
        "HANDOFF_LOG_LEVEL": "debug",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    with whole.running(**told) as system:
        yield system
