"""The intake's API that the crowds meet: a process for each module, on a database of its own."""

from collections.abc import AsyncGenerator

import pytest
from tests.hostile.crowds.intake import Intake, serving
from tests.stack.fixtures import DatabaseFor


@pytest.fixture(scope="module")
async def intake(
    database_for: DatabaseFor, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Intake]:
    """Run it."""
    url = await database_for("marketing_intake")
    async with serving(url, tmp_path_factory.mktemp("intake") / "api.log") as intake:
        yield intake
