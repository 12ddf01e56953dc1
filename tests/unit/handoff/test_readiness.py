"""What a process answers that does not call itself ready, read as people would."""

import pytest

from handoff.readiness import Readiness, read_report


def test_a_worker_without_the_lease_stands_by() -> None:
    body = '{"ready": false, "troubles": {"loop relay": "no_lease"}}'

    assert read_report(body) == Readiness(fine=True, text="standing by")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            '{"ready": false, "troubles": {"loop relay": "no_lease", "database": "is away"}}',
            "loop relay: no_lease, database: is away",
        ),
        ("Internal Server Error", "Internal Server Error"),
    ],
)
def test_any_other_trouble_is_told(body: str, text: str) -> None:
    assert read_report(body) == Readiness(fine=False, text=text)
