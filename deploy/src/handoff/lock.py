"""One supervisor per installation: whoever holds the lock, and how others find that process."""

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil

_SAME_MOMENT = 1.0


class AlreadyRunning(Exception):
    """Another supervisor holds this installation."""


@contextmanager
def hold(path: Path) -> Generator[None]:
    """Hold the installation; the kernel lets go of it however this process ends.

    Raises:
        AlreadyRunning: somebody else holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor, path)
        yield
        os.truncate(descriptor, 0)
    finally:
        os.close(descriptor)


def find_holder(path: Path) -> psutil.Process | None:
    """Return the very process that holds the installation; None if it is gone."""
    text = path.read_text() if path.exists() else ""
    if not text:
        return None
    known = json.loads(text)
    try:
        process = psutil.Process(known["pid"])
        same = abs(process.create_time() - known["created"]) < _SAME_MOMENT
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = find_holder(path)
        who = f" (process {holder.pid})" if holder else ""
        raise AlreadyRunning(
            f"Handoff is running already{who}: `handoff status` shows it."
        ) from None
    own = psutil.Process()
    os.truncate(descriptor, 0)
    os.write(descriptor, json.dumps({"pid": own.pid, "created": own.create_time()}).encode())
