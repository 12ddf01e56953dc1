"""What people write after `handoff replay`, and in which words they are answered."""

import pytest
from typer.testing import CliRunner

from handoff.cli.replay import app
from handoff.cli.replay_shown import in_options, option, progress

WRONG = [
    (["--service", "billing", "--since", "2026-01-01T00:00:00Z"], "is none of marketing-intake"),
    (["--service", "notifier", "--since", "yesterday"], "--since: 'yesterday' is no time"),
    (["--service", "notifier", "--since", "2026-01-01T00:00:00"], "is no time with its zone"),
    (["--service", "notifier", "--until", "25:00"], "--until: '25:00' is no time"),
    (["--service", "notifier", "--partition", "one"], "'--partition'"),
    (["--since", "2026-01-01T00:00:00Z"], "'--service'"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_what_cannot_be_read_is_wrong_use_and_names_the_option(words: list[str], said: str) -> None:
    answer = CliRunner().invoke(app, ["heal", *words])

    assert answer.exit_code == 2
    assert said in " ".join(answer.output.replace("\u2502", " ").split())


def test_what_is_no_lead_is_wrong_use() -> None:
    answer = CliRunner().invoke(app, ["republish", "--service", "notifier", "--lead", "anna"])

    assert answer.exit_code == 2
    assert "is not an id" in answer.output


def test_what_the_service_says_of_its_fields_is_said_of_the_options() -> None:
    assert option("lead_id") == "--lead"
    assert in_options("from_offset must be at most to_offset") == "--from must be at most --to"


def test_a_held_order_says_why_while_it_is_waited_for() -> None:
    counts = {"read": 200, "applied": 3, "duplicates": 197, "passed": 0, "parked": 0}
    order = {
        "verb": "heal", "state": "held", "held": "breaker",
        "counts": [{"topic": "handoff.leads.v1", "unreadable": 0, **counts}],
    }  # fmt: skip

    assert progress("notifier", order).startswith(
        "notifier heal, held: breaker: 200 read, 3 applied"
    )
