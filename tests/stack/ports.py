"""Ports for what the tests start: none is given twice in a run, nor to two of xdist's workers.

What listens there may be killed and wants its port back: out of the kernel's own range, an outgoing
connection might have it by then. The order is by chance, for runs side by side on one machine.
"""

import contextlib
import os
import random

from handoff.embedded.ports import listen

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_OURS = range(10_000, 20_000)[_WORKER::_WORKERS]
_left = iter(random.SystemRandom().sample(_OURS, len(_OURS)))


def free_port() -> int:
    """Return a port that is free now, and was never given before."""
    for port in _left:
        with contextlib.suppress(OSError), listen(port):
            return port
    raise RuntimeError("no port is left for this run")
