"""Reps and events change the same deals at once: nothing is lost, doubled or out of order."""

import time

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure, sized
from tests.faults.scenarios import racing


@pytest.mark.timeout(900)
async def test_edits_that_race_with_events_are_neither_lost_nor_doubled(
    make_rig: MakeRig, figure: Figure
) -> None:
    rig = await make_rig("sales_pipeline")
    times, began = sized(500, 10_000), time.monotonic()

    assert await racing.edits(rig, times=times) == {}

    figure("HTTP edits raced with events", times, goal="printed")
    figure(
        "HTTP edits raced with events, a second", times / (time.monotonic() - began), goal="printed"
    )
