"""`handoff bench` as somebody types it: very small, cut off, and where it cannot run."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest
from tests.stack.running import make_directory

from handoff.bench.benchmark import PARTS
from handoff.bench.figures import KINDS
from handoff.services import SERVICES

_HANDOFF = Path(sys.executable).with_name("handoff")
_SMALL = ("--rounds", "1", "--seconds", "0.3", "--patience", "0")
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


def left_of(directory: Path) -> list[str]:
    """Return the command lines of processes that know the directory."""
    lines = [" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(directory) in line]


def test_it_measures_every_figure_and_leaves_nothing_behind(
    directory: Path, tmp_path: Path
) -> None:
    file = tmp_path / "bench.json"
    ran = bench(directory, *_SMALL, "--json", str(file))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = json.loads(file.read_text())
    figures = {each["name"]: each for each in told["figures"]}

    assert figures.keys() == {kind.name for kind in KINDS}
    assert all(each["min"] <= each["median"] <= each["max"] for each in figures.values())
    assert figures["accept_rate"]["median"] > 0
    assert len(told["idle"]) == len(SERVICES)
    assert {"intake api", "Postgres", "Kafka"} <= {each["name"] for each in told["stages"]}
    assert "stored and answered, 64 at once, ÷ the no-op" in ran.stdout
    assert list(directory.iterdir()) == []
    assert left_of(directory) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_nothing_is_left(directory: Path, number: signal.Signals) -> None:
    with subprocess.Popen(  # noqa: S603  our own command
        [str(_HANDOFF), "bench", "--dir", str(directory), *_SMALL],
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
    assert left_of(directory) == []


def test_where_there_is_no_postgres_it_says_so(directory: Path) -> None:
    ran = bench(directory, HANDOFF_POSTGRES_BIN="/nowhere")

    assert ran.returncode == 1
    assert "No PostgreSQL 15 or newer was found" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_part_that_there_is_not_is_refused_with_those_that_there_are(directory: Path) -> None:
    ran = bench(directory, "--only", "speed")

    assert ran.returncode == 2
    assert all(part in ran.stderr for part in PARTS)
