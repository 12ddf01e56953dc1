"""Runs a program of somebody else's to its end, and says what it said if it failed."""

import subprocess
from pathlib import Path

from handoff.supervisor.spec import Account

_SAID_BYTES = 2000


class ToolFailed(Exception):
    """A program ended with another code than 0; the text holds the end of what it said."""


def run_tool(*command: str, account: Account | None = None, directory: Path | None = None) -> str:
    """Return what a program wrote, both streams together.

    Raises:
        ToolFailed: it ended with another code than 0.
    """
    answer = subprocess.run(  # noqa: S603  programs that `machine` found, arguments of our own
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        check=False,
        cwd=directory,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if answer.returncode != 0:
        program = Path(command[0]).name
        raise ToolFailed(
            f"{program} ended with {answer.returncode}:\n{answer.stdout[-_SAID_BYTES:]}"
        )
    return answer.stdout
