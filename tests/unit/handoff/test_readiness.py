"""What a process answers that does not call itself ready, read as people would."""

import pytest

from handoff.readiness import Readiness, read_report


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
