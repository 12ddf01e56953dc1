"""The engine, the images and the composed system, for all tests of `deploy/` that ask for them."""

from collections.abc import Generator

import pytest
from tests.deploy import images
from tests.deploy.composed import Composed, composed_system
from tests.deploy.engine import Engine, NoEngine, an_engine


@pytest.fixture(scope="session")
def engine() -> Generator[Engine]:
    """A Docker engine; where there is none, the test is skipped and says so."""
    try:
        with an_engine() as engine:
            yield engine
    except NoEngine as reason:
        pytest.skip(f"NOT TESTED: {reason}")


@pytest.fixture(scope="session")
def built(engine: Engine) -> Engine:
    """The engine with the project's images."""
    images.build(engine)
    return engine


@pytest.fixture(scope="session")
def composed(built: Engine, tmp_path_factory: pytest.TempPathFactory) -> Generator[Composed]:
    """The whole system as `make compose-up` starts it, on volumes, secrets and ports of its own."""
    with composed_system(built, tmp_path_factory.mktemp("secrets")) as system:
        yield system
