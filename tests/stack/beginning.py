"""A role at its start: it refuses and ends, or says what is amiss and goes on."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stack.ports import free_port
from tests.stack.process import Process

_WITHIN = 60.0
_ASK_EVERY = 0.05
_AMISS = ("warning", "error", "critical")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended, and what it wrote."""

    code: int
    lines: Sequence[str]

    @property
    def warned(self) -> list[str]:
        """What it warned of and went on."""
        return [str(line["said"]) for line in read(self.lines) if line["level"] == "warning"]

    @property
    def last_words(self) -> str:
        """Why it refused: in the log's last line, or bare where there was no log yet."""
        (*_, last) = self.lines
        return str(json.loads(last)["said"]) if last.startswith("{") else last


async def ended(told: Mapping[str, str], *words: str) -> Ended:
    """Run a program of the product that ends by itself."""
    ports = {f"HANDOFF_{of}_PORT": str(free_port()) for of in ("HTTP", "OPERATIONS")}
    child = await asyncio.create_subprocess_exec(
        sys.executable, *words, env={**told, **ports},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_WITHIN):
            output, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode is not None
    return Ended(child.returncode, output.decode().strip().splitlines())


async def said(process: Process, event: str) -> str:
    """Wait until a process that runs logged it; return what it said."""
    async with asyncio.timeout(_WITHIN):
        while True:
            for line in read(process.log.read_text().splitlines()):
                if line["event"] == event:
                    return str(line["said"])
            await asyncio.sleep(_ASK_EVERY)


def amiss(log: Path) -> list[Mapping[str, Any]]:
    """Return all that a process warned of, by whatever logger."""
    return [line for line in read(log.read_text().splitlines()) if line["level"] in _AMISS]


def read(lines: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the lines of a log; what is no such line is a fault of the log's."""
    return [json.loads(line) for line in lines]
