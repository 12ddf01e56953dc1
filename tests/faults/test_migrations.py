"""A migration that is killed leaves what the next one finishes, at whichever statement it was."""

import pytest
from tests.faults.figures import Figure, sized
from tests.faults.rig.code import expand
from tests.faults.rig.rig import SERVICES
from tests.faults.scenarios import migrating
from tests.stack.running import Stack

PLACES = sized(3, 1_000)
TRIED = sized(1, len(SERVICES))


@pytest.mark.parametrize("service", SERVICES[-TRIED:])
@pytest.mark.timeout(sized(120, 1_200))
async def test_a_migration_that_is_killed_is_finished_by_the_next(
    service: str,
    stack: Stack,
    tmp_path_factory: pytest.TempPathFactory,
    figure: Figure,
    seed: int,
) -> None:
    code = expand(into=tmp_path_factory.mktemp("new"))

    odd, kills = await migrating.killed_on_the_way(stack, service, code, most=PLACES, seed=seed)

    figure(f"migrations of {service} killed at a statement and finished", kills, goal="> 1")
    assert odd == {}
    assert kills > 1
