"""Docker's plugins `compose` and `buildx`, fetched out of Debian where the machine has none."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.deploy.kept import cache

# Debian 12 has neither; those of Debian 13 run there too.
_SUITE = "trixie"
_PACKAGES = ("docker-compose", "docker-buildx")


def environment() -> dict[str, str]:
    """Return what lets `docker` find both."""
    if all(_has(name) for name in ("compose", "buildx")):
        return {}
    directory = cache() / "docker-config"
    if not (directory / "cli-plugins").exists():
        _fetch(directory)
    return {"DOCKER_CONFIG": str(directory)}


def _has(name: str) -> bool:
    done = subprocess.run(["docker", name, "version"], capture_output=True, check=False)  # noqa: S603, S607
    return done.returncode == 0


def _fetch(directory: Path) -> None:
    """Unpack the packages beside the machine's own, which are left as they are."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        place.chmod(0o755)
        (place / "lists" / "partial").mkdir(parents=True)
        (place / "sources").write_text(f"deb {_mirror()} {_SUITE} main\n")
        options = [
            *("-o", f"Dir::Etc::SourceList={place}/sources", "-o", "Dir::Etc::SourceParts=-"),
            *("-o", f"Dir::State::Lists={place}/lists"),
        ]
        _run(place, "apt-get", *options, "update")
        _run(place, "apt-get", *options, "download", *_PACKAGES)
        for package in place.glob("*.deb"):
            _run(place, "dpkg-deb", "--extract", str(package), "unpacked")
        found = place / "unpacked/usr/libexec/docker/cli-plugins"
        shutil.copytree(found, directory / "cli-plugins")


def _mirror() -> str:
    """Return where this machine gets its own packages from."""
    asked = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    told = subprocess.run(asked, capture_output=True, text=True, check=True)  # noqa: S603
    return told.stdout.split()[0]


def _run(directory: Path, *command: str) -> None:
    quiet = {**os.environ, "LC_ALL": "C"}
    subprocess.run(command, cwd=directory, env=quiet, capture_output=True, check=True)  # noqa: S603
