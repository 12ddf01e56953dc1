"""Crash points: each is really passed, a wrong name is refused, and nothing dies while unset."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shared import crash_points

ROOT = Path(__file__).resolve().parents[3]
_REACHED = re.compile(r"crash_points\.reach\(\s*\"([a-z_.]+)\"")


def test_every_crash_point_stands_somewhere_in_the_code() -> None:
    sources = [*ROOT.glob("shared/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]
    reached = [name for path in sources for name in _REACHED.findall(path.read_text())]

    assert sorted(reached) == sorted(crash_points.POINTS)


def test_a_point_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match=r"'relay.before_lunch' is no crash point; there are"):
        crash_points.read("relay.before_lunch")


@pytest.mark.parametrize("passes", ["0", "-1", "soon", "1.5"])
def test_a_pass_that_is_no_number_is_refused(passes: str) -> None:
    with pytest.raises(ValueError, match="is no number of passes"):
        crash_points.read(f"relay.after_send:{passes}")


def test_nothing_dies_while_no_point_is_set() -> None:
    crash_points.arm(None)
    crash_points.reach("relay.after_send")


def test_the_process_is_killed_at_the_pass_that_was_named() -> None:
    code = (
        "from shared import crash_points as c; c.arm('timer.locked:2')\n"
        "for n in range(3): c.reach('relay.after_send'); c.reach('timer.locked'); print(n)"
    )
    answer = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-uc", code], capture_output=True, text=True, check=False
    )

    assert (answer.returncode, answer.stdout) == (-9, "0\n")


def test_a_service_refuses_a_wrong_crash_point_in_one_sentence() -> None:
    environment = {
        **os.environ,
        "HANDOFF_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "HANDOFF_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "HANDOFF_CRASH_AT": "relay.before_lunch",
    }
    answer = subprocess.run(
        [sys.executable, "-m", "lead_scoring.worker"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert answer.returncode == 2
    assert "HANDOFF_CRASH_AT: " in answer.stderr
    assert "'relay.before_lunch' is no crash point" in answer.stderr
    assert "Traceback" not in answer.stderr
