"""Named places at which a test can have the process killed, as by SIGKILL: nothing while unset.

`HANDOFF_CRASH_AT=relay.after_send:3` kills the process the third time that it comes to that place.
Each stands between two steps of a handoff, where a death must cost nothing.
"""

import os
import signal
from typing import Literal, get_args

Point = Literal[
    "capture.before_write",
    "capture.after_commit",
    "resolve.after_read",
    "resolve.before_commit",
    "resolve.after_commit",
    "relay.after_read",
    "relay.after_send",
    "relay.after_ack",
    "relay.before_archive",
    "relay.after_archive",
    "consumer.joined",
    "consumer.after_poll",
    "consumer.counted",
    "consumer.before_commit",
    "consumer.after_commit",
    "consumer.after_offset",
    "consumer.before_park",
    "timer.locked",
    "timer.before_commit",
    "timer.after_commit",
    "orders.before_done",
    "replay.before_commit",
    "replay.after_batch",
    "replay.after_send",
]
POINTS: tuple[Point, ...] = get_args(Point)

_passes_left: dict[str, int] = {}


def read(text: str) -> tuple[str, int]:
    """Return the place and the pass that a text such as `relay.after_send:3` names.

    Raises:
        ValueError: there is no such place, or the pass is no number from 1 on.
    """
    name, _, passes = text.partition(":")
    if name not in POINTS:
        raise ValueError(f"{name!r} is no crash point; there are {', '.join(POINTS)}")
    if passes and not (passes.isdecimal() and int(passes)):
        raise ValueError(f"{passes!r} is no number of passes: write {name}:3 for the third")
    return name, int(passes or 1)


def arm(text: str | None) -> None:
    """Kill this process where the text says, from now on; None: nowhere."""
    _passes_left.clear()
    if text is not None:
        point, passes = read(text)
        _passes_left[point] = passes


def reach(point: Point) -> None:
    """Say that the process is here. Does not return where it is to die."""
    if not _passes_left or point not in _passes_left:
        return
    _passes_left[point] -= 1
    if _passes_left[point] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
