"""`handoff bench` as somebody types it: cut off, and where it cannot run.

`tests/load` lets it go to its end.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.stack.running import make_directory, processes_of

from handoff.bench.benchmark import PARTS

_HANDOFF = Path(sys.executable).with_name("handoff")
_WITHIN = 240.0

pytestmark = pytest.mark.timeout(_WITHIN + 30)


@pytest.fixture
def directory() -> Generator[Path]:
    """A directory that must be empty again in the end."""
    directory = make_directory()
    yield directory
    directory.rmdir()


def bench(directory: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own command
        [str(_HANDOFF), "bench", "--dir", str(directory), *options],
        env={**os.environ, **environment},
        capture_output=True, text=True, check=False, timeout=_WITHIN,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_nothing_is_left(directory: Path, number: signal.Signals) -> None:
    with subprocess.Popen(  # noqa: S603  our own command
        [str(_HANDOFF), "bench", "--dir", str(directory)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("Making the databases"):
                break
        running.send_signal(number)
        _, said = running.communicate(timeout=_WITHIN)

    assert running.returncode == 130, said
    assert "nothing is left" in said
    assert list(directory.iterdir()) == []
    assert processes_of(directory) == []


def test_where_there_is_no_postgres_it_says_so(directory: Path) -> None:
    ran = bench(directory, HANDOFF_POSTGRES_BIN="/nowhere")

    assert ran.returncode == 1
    assert "No PostgreSQL 15 or newer was found" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_part_that_there_is_not_is_refused_with_those_that_there_are(directory: Path) -> None:
    ran = bench(directory, "--only", "speed")

    assert ran.returncode == 2
    assert all(part in ran.stderr for part in PARTS)
