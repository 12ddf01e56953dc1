"""A Docker engine for the tests: the one that answers, else one of their own, which ends with them.

Where neither can be had, the tests that need one are skipped, with the reason and what to install.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.deploy import plugins
from tests.deploy.kept import cache

PACKAGES = {"dockerd": "docker.io", "mmdebstrap": "mmdebstrap"}
_READY_WITHIN = 60.0
_END_WITHIN = 30.0


class NoEngine(Exception):
    """There is no Docker engine, and none can be started; the text says why."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What `docker` needs in its environment to reach the engine."""

    environment: Mapping[str, str]

    def docker(self, *arguments: str, **more: str) -> str:
        """Run a command; return what it printed."""
        done = self.attempt(*arguments, **more)
        assert done.returncode == 0, f"docker {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def attempt(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command that may fail; `more` goes into its environment."""
        environment = {**self.environment, **more}
        command = ("nice", "docker", *arguments)
        return subprocess.run(  # noqa: S603  our own words
            command, env=environment, capture_output=True, text=True, check=False
        )


@contextmanager
def an_engine() -> Generator[Engine]:
    """Give the engine that answers, or start one.

    Raises:
        NoEngine: neither is possible.
    """
    if shutil.which("docker") and Engine(os.environ).attempt("info").returncode == 0:
        yield Engine(os.environ | plugins.environment())
        return
    _want_tools()
    with _started() as socket:
        yield Engine(os.environ | plugins.environment() | {"DOCKER_HOST": f"unix://{socket}"})


def _want_tools() -> None:
    missing = [package for tool, package in PACKAGES.items() if not shutil.which(tool)]
    if missing and os.environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing)
        subprocess.run(install, capture_output=True, check=False)  # noqa: S603  our own words
        missing = [package for tool, package in PACKAGES.items() if not shutil.which(tool)]
    if missing:
        packages = " ".join(missing)
        raise NoEngine(f"no Docker engine; apt-get install --no-install-recommends {packages}")
    if os.geteuid() != 0:
        raise NoEngine("no Docker engine answers, and only root can start one")


@contextmanager
def _started() -> Generator[Path]:
    """Run an engine whose images are kept between runs, and nothing else."""
    directory = Path(tempfile.mkdtemp(prefix="handoff-docker-"))
    (directory / "daemon.json").write_text("{}")
    with (directory / "log").open("w") as log:
        command = _command(directory)
        engine = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
    try:
        _wait(engine, directory)
        yield directory / "docker.sock"
    finally:
        engine.terminate()
        engine.wait(_END_WITHIN)
        shutil.rmtree(directory, ignore_errors=True)


def _command(directory: Path) -> list[str]:
    return [
        *("nice", "dockerd", "--config-file", str(directory / "daemon.json")),
        *("--data-root", str(cache() / "docker"), "--exec-root", str(directory / "exec")),
        *("--pidfile", str(directory / "pid"), "--host", f"unix://{directory}/docker.sock"),
    ]


def _wait(engine: subprocess.Popen[bytes], directory: Path) -> None:
    reached = Engine(os.environ | {"DOCKER_HOST": f"unix://{directory}/docker.sock"})
    end = time.monotonic() + _READY_WITHIN
    while reached.attempt("info").returncode:
        if engine.poll() is not None or time.monotonic() > end:
            told = (directory / "log").read_text()[-600:]
            raise NoEngine(f"dockerd does not run here: {told}")
        time.sleep(0.2)
