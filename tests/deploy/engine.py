"""A Docker engine for the tests: the one that answers, else one of their own, which ends with them.

Where neither can be had, the tests that need one are skipped, with the reason and what to install.
Nothing of ours runs on the network that is there by default (`docker0`): engines that run beside
each other have it in common, and each gives its addresses away.
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
from tests.stack.running import alone

from handoff.embedded.machine import Missing

PACKAGES = {"dockerd": "docker.io", "mmdebstrap": "mmdebstrap"}
_READY_WITHIN = 60.0
_END_WITHIN = 60.0


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
        Missing: neither is possible.
    """
    if shutil.which("docker") and Engine(os.environ).attempt("info").returncode == 0:
        yield Engine(os.environ | plugins.environment())
        return
    _want_tools()
    with _alone(), _started() as engine:
        _tidy(engine)
        yield Engine(engine.environment | plugins.environment())


def _want_tools() -> None:
    missing = [package for tool, package in PACKAGES.items() if not shutil.which(tool)]
    may = os.environ.get("HANDOFF_INSTALL") and os.geteuid() == 0 and shutil.which("apt-get")
    if missing and may:
        _install(*missing)
        missing = [package for tool, package in PACKAGES.items() if not shutil.which(tool)]
    if missing:
        packages = " ".join(missing)
        raise Missing(f"no Docker engine; apt-get install --no-install-recommends {packages}")
    if os.geteuid() != 0:
        raise Missing("no Docker engine answers, and only root can start one")


def _install(*packages: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages)
    for command in (("apt-get", "update", "--quiet"), install):
        subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603


@contextmanager
def _alone() -> Generator[None]:
    """Wait for another run that has started one: what is kept is there for one at a time."""
    cache().mkdir(parents=True, exist_ok=True)
    with alone(cache() / "docker.lock"):
        yield


@contextmanager
def _started() -> Generator[Engine]:
    """Run an engine whose images are kept between runs, and nothing else."""
    directory = Path(tempfile.mkdtemp(prefix="handoff-docker-"))
    (directory / "daemon.json").write_text("{}")
    with (directory / "log").open("w") as log:
        command = _command(directory)
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
    try:
        yield _wait(process, directory)
    finally:
        _end(process)
        shutil.rmtree(directory, ignore_errors=True)


def _command(directory: Path) -> list[str]:
    """Return what starts it: it ends its containers and itself also when this process is killed."""
    return [
        *("setpriv", "--pdeathsig", "TERM", "nice", "dockerd"),
        *("--config-file", str(directory / "daemon.json")),
        *("--data-root", str(cache() / "docker"), "--exec-root", str(directory / "exec")),
        *("--pidfile", str(directory / "pid"), "--host", f"unix://{directory}/docker.sock"),
    ]


def _wait(process: subprocess.Popen[bytes], directory: Path) -> Engine:
    engine = Engine(os.environ | {"DOCKER_HOST": f"unix://{directory}/docker.sock"})
    end = time.monotonic() + _READY_WITHIN
    while engine.attempt("info").returncode:
        if process.poll() is not None or time.monotonic() > end:
            told = (directory / "log").read_text()[-600:]
            raise Missing(f"dockerd does not run here: {told}")
        time.sleep(0.2)
    return engine


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tidy(engine: Engine) -> None:
    """Take away what a run left that was killed, and images that no tag names any more."""
    if left := engine.docker("ps", "--all", "--quiet").split():
        engine.docker("rm", "--force", "--volumes", *left)
    for kind in ("network", "volume", "image"):
        engine.docker(kind, "prune", "--force")
