"""The tiny service as a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.stack.ports import free_port

PROGRAM = Path(__file__).with_name("tiny_service.py")
POST = b"POST /v1/leads HTTP/1.1\r\nHost: tiny\r\nContent-Type: application/json\r\n"


@dataclass(frozen=True, slots=True)
class Tiny:
    """A process of the tiny service."""

    process: subprocess.Popen[bytes]
    public_port: int
    operations_port: int
    log: Path

    @property
    def public(self) -> str:
        return f"http://127.0.0.1:{self.public_port}"

    @property
    def operations(self) -> str:
        return f"http://127.0.0.1:{self.operations_port}"

    def has_begun(self) -> bool:
        return self.process.poll() is not None or '"listening"' in self.log.read_text()


@contextmanager
def running(
    directory: Path,
    *words: str,
    database: str = "127.0.0.1:1",
    inherited: socket.socket | None = None,
) -> Generator[Tiny]:
    public_port, operations_port = free_port(), free_port()
    environment = os.environ | {
        "HANDOFF_DATABASE_URL": f"postgresql://nobody@{database}/nothing",
        "HANDOFF_HTTP_PORT": str(public_port),
        "HANDOFF_OPERATIONS_PORT": str(operations_port),
    }
    handed_on = [inherited.fileno()] if inherited else []
    if inherited:
        environment["HANDOFF_HTTP_FD"] = str(inherited.fileno())
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, PROGRAM, *words], env=environment, stderr=output, pass_fds=handed_on
        )
    tiny = Tiny(process, public_port, operations_port, log)
    try:
        wait_until(tiny.has_begun)
        yield tiny
    finally:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def answers(tiny: Tiny) -> bool:
    try:
        return httpx.get(f"{tiny.public}/nothing").status_code == 404
    except httpx.TransportError:
        return False
