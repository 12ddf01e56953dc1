"""The logs of what is supervised: programs write to them directly, here they are kept small."""

import asyncio
import os
import shutil
from pathlib import Path

LOG_BYTES = 16 * 1024 * 1024
_LOOK_EVERY = 30.0
_TAIL_LINES = 15


def open_log(path: Path) -> int:
    """Open a log for appending, as a file descriptor that a child may get as its output."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def note(log: Path, line: str) -> None:
    """Add a line of the supervisor's own."""
    with open(open_log(log), "a") as opened:
        opened.write(f"{line}\n")


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])


def turn_over(directory: Path, limit: int = LOG_BYTES) -> None:
    """Move each log that has outgrown `limit` bytes to `.1`; its writer keeps its descriptor.

    Lines written between the copy and the cut are lost: a log, not a record.
    """
    for log in directory.glob("*.log"):
        if log.stat().st_size > limit:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)


async def keep_small(directory: Path) -> None:
    """Turn over what grows too large, for as long as this is awaited."""
    while True:
        await asyncio.to_thread(turn_over, directory)
        await asyncio.sleep(_LOOK_EVERY)
