"""What the Kafka library leaves behind of a connection whose end it did not wait for."""

import gc

import pytest

LEFTOVERS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""For tests that freeze and kill brokers, or break a client: the complaint about it is known."""


def sweep_up() -> None:
    """Collect it now, in a test under `LEFTOVERS`, and not in the next one."""
    gc.collect()
