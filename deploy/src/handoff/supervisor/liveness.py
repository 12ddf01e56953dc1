"""Decides that a program which runs does nothing any more; what is done about it is not its matter.

A program that waits on purpose says that it is alive, and so is left alone.
"""

import asyncio
import time

from handoff.supervisor.spec import Spec

_LOOK_EVERY = 3.0
_LOOKS_A_SILENCE = 5.0
_BAD_ANSWERS = 3


async def until_silent(spec: Spec) -> str:
    """Return why, once the program gave no good answer for too long; for ever while it does."""
    if spec.alive is None:
        await asyncio.Event().wait()
        raise AssertionError
    pause = min(_LOOK_EVERY, spec.silence / _LOOKS_A_SILENCE)
    deadline = time.monotonic() + max(spec.start, spec.silence)
    bad_answers = 0
    while time.monotonic() < deadline:
        await asyncio.sleep(pause)
        said = await spec.alive()
        bad_answers = bad_answers + 1 if said is False else 0
        if said:
            deadline = time.monotonic() + spec.silence
        if bad_answers >= _BAD_ANSWERS:
            return f"said {bad_answers} times that it does not work any more"
    return "gave no good answer for too long"
