"""The project's images, as `deploy/images/Dockerfile` has them, and what is asked of one."""

import json
from pathlib import Path
from typing import Any

from tests.deploy.engine import Engine
from tests.deploy.standins.making import make
from tests.deploy.standins.table import PYTHON
from tests.deploy.versions import versions

from handoff.fleet import AUDITOR
from handoff.services import SERVICES

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy/images/Dockerfile"
TARGETS = (*(service.name for service in SERVICES), AUDITOR)
VERSION = versions()["handoff"]


def tag(target: str) -> str:
    """Return an image's name."""
    return f"handoff/{target}:{VERSION}"


def build(engine: Engine) -> None:
    """Build all of them; what did not change is there already."""
    make(PYTHON, engine)
    for target in TARGETS:
        options = ("--network", "host", "--file", str(DOCKERFILE), "--target", target)
        version = ("--build-arg", f"VERSION={VERSION}")
        engine.docker("build", "--quiet", *options, *version, "--tag", tag(target), str(ROOT))


def pins() -> dict[str, str]:
    """Return the versions that are locked, by package."""
    lines = (ROOT / "requirements/run.txt").read_text().splitlines()
    return dict(line.split(" ")[0].split("==") for line in lines if line[:1].isalpha())


def configuration(engine: Engine, target: str) -> dict[str, Any]:
    """Return how an image says that it is run."""
    return json.loads(engine.docker("image", "inspect", tag(target)))[0]["Config"]


def ask(engine: Engine, target: str, program: str, *options: str) -> Any:
    """Run a little Python inside an image, as its own user; return the JSON that it prints."""
    command = (
        "run",
        "--rm",
        "--network",
        "none",
        "--entrypoint",
        "python",
        *options,
        tag(target),
        "-c",
        program,
    )
    return json.loads(engine.docker(*command))
