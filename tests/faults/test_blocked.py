"""A handler that blocks its whole process (P9): replaced, and its lead parked like other poison."""

import time
from functools import partial
from pathlib import Path

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure
from tests.faults.invariants import balance
from tests.faults.rig.code import plant
from tests.faults.rig.waiting import until
from tests.stack.feeder import captured, feeding

from handoff.readiness import has_come_up, is_alive
from handoff.supervisor.spec import Spec
from handoff.supervisor.supervisor import Supervisor
from shared.ids import new_id

SILENCE = 4.0
START = 20.0  # it may stand still before it has ever answered
WITHIN = 180.0
TRIES = 3
SCORED = "SELECT count(*) > 0 FROM lead_score WHERE lead_id = $1"
PARKED = "SELECT count(*) > 0 FROM parked_event WHERE subject = $1"


@pytest.mark.timeout(240)
async def test_an_event_that_blocks_its_process_costs_its_own_lead_and_no_other(
    make_rig: MakeRig, tmp_path: Path, figure: Figure
) -> None:
    code = plant("deploys/blocked-by-an-event", into=tmp_path / "code")
    rig = await make_rig("lead_scoring", code=code)
    worker = rig.process("lead_scoring", silence_seconds=str(SILENCE), session_seconds="6")
    spec = Spec(
        name="worker",
        command=tuple(worker.command),
        environment=worker.environment,
        ready=partial(has_come_up, worker.operations_url),
        alive=partial(is_alive, worker.operations_url),
        silence=SILENCE,
        start=START,
    )
    supervisor = Supervisor(tmp_path / "logs")
    blocking, other = new_id(), new_id()
    try:
        await supervisor.start([spec], limit=60)
        async with feeding(rig.kafka) as feeder:
            await feeder.say(captured(blocking, company="block"), captured(other))
        began = time.monotonic()
        for question, lead in ((SCORED, other), (PARKED, blocking)):
            await until(rig, "lead_scoring", question, lead, within=WITHIN)
        took = time.monotonic() - began
        restarts = supervisor.processes[0].restarts
        broken = await balance(rig, fed=feeder.said)
    finally:
        await supervisor.stop()
    figure("restarts until what blocks its process is parked", restarts, goal=f"≤ {TRIES + 1}")
    print(f"parked after {took:.1f} s and {restarts} restarts")

    assert broken == {}
    assert TRIES <= restarts <= TRIES + 1
