"""`handoff down`: stop what `handoff up` started."""

import psutil
import typer

from handoff.cli.places import this_layout
from handoff.cli.progress import err, out, step
from handoff.lock import find_holder

_GONE_WITHIN = 120.0


def down() -> None:
    """Stop everything that runs here, in order; data is kept.

    Example: handoff down
    """
    supervisor = find_holder(this_layout().lock)
    if supervisor is None:
        out.print("Nothing was running.")
        return
    with step("Stopping"):
        supervisor.terminate()
        try:
            supervisor.wait(_GONE_WITHIN)
        except psutil.TimeoutExpired:
            err.print(f"Process {supervisor.pid} has not ended after {_GONE_WITHIN:.0f} s.")
            raise typer.Exit(1) from None
