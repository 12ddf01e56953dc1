"""What was measured on: the machine, the versions, the settings, and how quick its disk is."""

import os
import platform
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import psutil
from pydantic import BaseModel

from handoff.bench import postgres
from handoff.bench.installation import Installation
from handoff.embedded.jars import kafka_version

_SYNCS = 40
_MILLION = 1_000_000
_GIGABYTE = 1024**3


class Machine(BaseModel):
    """What a figure must be read with."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    kafka: str
    libraries: dict[str, str]
    postgres: dict[str, str]
    fdatasync_us: float


async def describe(installation: Installation) -> Machine:
    """Return what this machine is; the disk is tried where Postgres keeps its data."""
    async with installation.opened() as administrator:
        settings = await postgres.settings(administrator)
    return Machine(
        processor=_processor(),
        cores=psutil.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / _GIGABYTE, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        kafka=kafka_version(installation.layout.kafka_pom),
        libraries={name: version(name) for name in ("fastapi", "uvicorn", "asyncpg", "aiokafka")},
        postgres=settings,
        fdatasync_us=round(_sync_seconds(installation.layout.run) * _MILLION),
    )


def _processor() -> str:
    models = [
        line.partition(":")[2].strip()
        for line in _lines(Path("/proc/cpuinfo"))
        if line.startswith("model name")
    ]
    return models[0] if models else platform.machine()


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _sync_seconds(directory: Path) -> float:
    """Return the median time in which a page gets to the disk."""
    took: list[float] = []
    with tempfile.TemporaryFile(dir=directory) as file:
        for _ in range(_SYNCS):
            file.write(bytes(8192))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took)
