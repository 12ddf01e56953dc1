"""What the supervisor must know of a program to run it; says nothing of how it is kept running."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


async def at_once() -> bool:
    """Serve as the readiness of a program that has nothing to wait for."""
    return True


@dataclass(frozen=True, slots=True)
class Account:
    """An operating system account that a program is started under."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Spec:
    """A program to run.

    Attributes:
        name: unique among all; also the name of its log file.
        command: the program's path and arguments.
        environment: the whole environment it gets.
        ready: answers whether it can be used now; asked again until it says yes.
        alive: answers whether it still works: False is its own word that it does not, None no
            answer at all. It is asked for as long as the program runs; without it, only a death
            is noticed.
        silence: after so many seconds without a good answer it is replaced.
        start: for so many seconds from its start, giving no answer yet is no silence.
        stop_signal: asks it to end by itself within `grace` seconds.
        death_signal: what the kernel sends it if the supervisor itself is killed.
        inherited: file descriptors that it shares with the supervisor, such as a listening socket.
        account: whom to run it as; None is whoever runs the supervisor.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[], Awaitable[bool]] = at_once
    alive: Callable[[], Awaitable[bool | None]] | None = None
    silence: float = 30.0
    start: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace: float = 20.0
    inherited: tuple[int, ...] = ()
    account: Account | None = None
    directory: Path | None = None
