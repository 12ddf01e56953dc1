"""Secrets are exchanged while leads come in, and nobody notices (S1)."""

from pathlib import Path

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure
from tests.faults.scenarios.exchanging import exchanging

REFUSED_WITHIN = 5.0


@pytest.mark.timeout(600)
async def test_passwords_and_keys_are_exchanged_under_load_without_one_request_that_fails(
    make_rig: MakeRig, figure: Figure, tmp_path: Path
) -> None:
    rig = await make_rig("marketing_intake", "lead_scoring")

    seen = await exchanging(rig, tmp_path)

    failed = seen.not_taken + seen.asked.total() - seen.asked[200]
    figure("secrets exchanged under load: requests that failed", failed, goal="0")
    figure("a revoked key is refused after, seconds", seen.refused_after, goal="≤ 5")
    assert seen.broken == {}
    assert seen.not_taken == 0
    assert set(seen.asked) == {200}
    assert min(seen.opened) > 0
    assert seen.refused_after <= REFUSED_WITHIN
