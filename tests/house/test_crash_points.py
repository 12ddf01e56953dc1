"""Each place at which a process can be made to die is one at which some test makes it die."""

import re

from tests.house import code

from shared.crash_points import POINTS

_ARMED = re.compile(r'"([a-z]+\.[a-z_]+)(?::\d+)?"')
_WHERE = ("tests/faults/test_crash_points.py", "tests/integration/replay/test_killed_half_way.py")


def test_a_process_dies_at_every_crash_point() -> None:
    armed = {name for place in _WHERE for name in _ARMED.findall((code.ROOT / place).read_text())}

    assert sorted(set(POINTS) - armed) == []
