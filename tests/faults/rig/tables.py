"""Brings a service's tables up to date, by whichever code: `python -m <package>.migrate`."""

import asyncio
from asyncio.subprocess import STDOUT, Process
from pathlib import Path

from tests.faults.rig.code import Code
from tests.stack.services import NO_KAFKA, environment


async def begin(url: str, service: str, code: Code, log: Path) -> Process:
    """Start to migrate; what that tells goes to the end of the log."""
    told = environment(url, NO_KAFKA, "migrate")
    with log.open("ab") as said:
        return await asyncio.create_subprocess_exec(
            *(code.python, "-m", f"{service}.migrate"),
            env={**told, **code.environment},
            stdout=said,
            stderr=STDOUT,
        )
