"""The tests' view of the stack: begun by whoever asks first, ended with the run."""

import fcntl
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from shared.settings import KafkaSettings

ROOT = Path(__file__).resolve().parents[2]
_MEMORY = Path("/dev/shm")  # noqa: S108  only a directory of our own in it is used
_ENOUGH_BYTES = 4 * 1024**3
_START_WITHIN = 90.0
_STOP_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Stack:
    """One Postgres and one Kafka that answer.

    Attributes:
        postgres_url: of an administrator.
        passwords: of the login roles, by name.
    """

    postgres_url: str
    kafka_bootstrap: str
    passwords: dict[str, str]
    directory: Path

    def url(self, role: str, database: str) -> str:
        """Return the URL under which a role enters a database."""
        address = urlsplit(self.postgres_url).netloc.rpartition("@")[2]
        return f"postgresql://{role}:{self.passwords[role]}@{address}/{database}"

    def kafka(self, prefix: str = "") -> KafkaSettings:
        """Return how to find Kafka, and topics whose names begin so."""
        return KafkaSettings(
            kafka_bootstrap=self.kafka_bootstrap, kafka_replication=1, topic_prefix=prefix
        )


def make_directory() -> Path:
    """Make a directory for one run: in memory if there is room, and open to Postgres's account."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES
    directory = Path(tempfile.mkdtemp(prefix="handoff-tests-", dir=_MEMORY if roomy else None))
    directory.chmod(0o711)
    return directory


def scatter_ports(ports: Path, names: Sequence[str] = ()) -> None:
    """Prefer ports at random, so that runs side by side on one machine do not meet."""
    all_names = ("postgres", "kafka", "kafka-controller", *names)
    first = 20_000 + 20 * secrets.randbelow(500)
    ports.parent.mkdir(parents=True, exist_ok=True)
    ports.write_text(json.dumps({name: first + step for step, name in enumerate(all_names)}))


def join(directory: Path, controller: int) -> Stack:
    """Return the run's stack, starting it if nobody has; takes up to ten seconds."""
    with alone(directory / "keeper.lock"):
        if not (directory / "keeper.pid").exists():
            (directory / "keeper.pid").write_text(str(_start_keeper(directory, controller)))
    found = directory / "stack.json"
    end = time.monotonic() + _START_WITHIN
    while not found.exists():
        if not _keeper_lives(directory) or time.monotonic() > end:
            raise RuntimeError((directory / "keeper.log").read_text()[-4000:])
        time.sleep(0.05)
    return Stack(**json.loads(found.read_text()), directory=directory)


def leave(directory: Path) -> None:
    """End the run's stack, if it was ever started, and remove what it wrote."""
    (directory / "stop").touch()
    end = time.monotonic() + _STOP_WITHIN
    while _keeper_lives(directory) and time.monotonic() < end:
        time.sleep(0.05)
    shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def alone(path: Path) -> Generator[None]:
    """Keep the run's other workers out while this one makes something for all."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start_keeper(directory: Path, controller: int) -> int:
    """Start it in a session of its own: Ctrl-C is for the tests, which then end it in order."""
    log = os.open(directory / "keeper.log", os.O_WRONLY | os.O_CREAT, 0o600)
    command = [sys.executable, "-m", "tests.stack.keeper", str(directory), str(controller)]
    outputs = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        return os.posix_spawn(command[0], command, environment, file_actions=outputs, setsid=True)
    finally:
        os.close(log)


def _keeper_lives(directory: Path) -> bool:
    """Tell whether the keeper still runs; a child of this very process is reaped on the way."""
    pid_file = directory / "keeper.pid"
    if not pid_file.exists():
        return False
    pid = int(pid_file.read_text())
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return _is_running(pid)


def _is_running(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"tests.stack.keeper" in command


def processes_of(directory: Path) -> list[str]:
    """Return the command lines of processes that name the directory."""
    lines = [" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(directory) in line]
