"""What a process answers that does not call itself ready, read as people would."""

import json

import pytest

from handoff.readiness import Readiness, read_report
from shared.telemetry.heartbeat import FOR_A_PERSON, Heartbeats


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            '{"ready": false, "troubles": {"loop relay": "breaker", "database": "is away"}}',
            "loop relay: breaker, database: is away",
        ),
        ("Internal Server Error", "Internal Server Error"),
    ],
)
def test_a_trouble_is_told(body: str, text: str) -> None:
    assert read_report(body) == Readiness(fine=False, text=text)


@pytest.mark.parametrize("advice", [None, "Restore it to its latest moment: see docs."])
@pytest.mark.parametrize("reason", sorted(FOR_A_PERSON))
def test_who_waits_for_a_person_has_come_up(reason: str, advice: str | None) -> None:
    heartbeats = Heartbeats()
    heartbeats.loop("relay").hold(reason, advice)

    assert read_report(json.dumps({"troubles": heartbeats.held()})).held


@pytest.mark.parametrize(
    "body",
    [
        '{"troubles": {"loop relay": "foreign_records", "database": "is away"}}',
        '{"troubles": {"loop relay": "infrastructure"}}',
        '{"troubles": {}}',
        "Internal Server Error",
    ],
)
def test_who_waits_for_anything_else_has_not(body: str) -> None:
    assert not read_report(body).held
