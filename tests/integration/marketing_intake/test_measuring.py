"""What is measured of submissions: what became of them, and what waits."""

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from tests.integration.marketing_intake.conftest import Intake

from marketing_intake.adapters.submissions import oldest_unresolved
from shared.ids import new_id

_HOUR_OLD = text("""
    UPDATE submission SET state = :state, received_at = now() - interval '1 hour'
    WHERE id = CAST(:id AS uuid)
""")


def outcomes(name: str) -> float:
    return REGISTRY.get_sample_value("handoff_submissions_total", {"outcome": name}) or 0.0


def resolved() -> float:
    return REGISTRY.get_sample_value("handoff_submission_age_seconds_count") or 0.0


def stored() -> float:
    return REGISTRY.get_sample_value("handoff_capture_seconds_count") or 0.0


async def resolve(intake: Intake) -> None:
    while await intake.resolver.turn():
        pass


async def test_each_submission_is_counted_once_by_its_outcome(quiet_intake: Intake) -> None:
    email, key = f"{new_id()}@counted.example.com", {"Idempotency-Key": str(new_id())}
    await resolve(quiet_intake)
    before = outcomes("created"), outcomes("quarantined"), resolved(), stored()
    await quiet_intake.post(key, email=email)
    await quiet_intake.post(key, email=email)
    await quiet_intake.post(email=email, is_test=True)
    await resolve(quiet_intake)
    after = outcomes("created"), outcomes("quarantined"), resolved(), stored()

    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1, 3]


@pytest.mark.parametrize("state", ["received", "waiting", "parked"])
async def test_the_oldest_without_outcome_is_told_by_its_state(
    quiet_intake: Intake, state: str
) -> None:
    await resolve(quiet_intake)
    receipt = (await quiet_intake.post(email=f"{new_id()}@old.example.com")).json()["receipt_id"]
    async with quiet_intake.engine.connect() as connection:
        before = await oldest_unresolved(connection)
        await connection.execute(_HOUR_OLD, {"state": state, "id": receipt})
        found = await oldest_unresolved(connection)
        await connection.rollback()

    assert {name for name in found if found[name] - before[name] > 3000} == {state}
