"""One running product for all end-to-end tests."""

from collections.abc import Generator

import pytest
from tests.stack import system as whole
from tests.stack.system import System


@pytest.fixture(scope="session")
def system() -> Generator[System]:
    """Start the product as `make run` does, and stop it at the end."""
    with whole.running() as system:
        yield system
