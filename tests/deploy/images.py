"""The project's images, as `deploy/images/Dockerfile` has them, and what is asked of one."""

import json
from pathlib import Path
from typing import Any

from tests.deploy.engine import Engine
from tests.deploy.standins.making import make
from tests.deploy.standins.table import PYTHON

from handoff.fleet import AUDITOR
from handoff.services import SERVICES

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy/images/Dockerfile"
TARGETS = (*(service.name for service in SERVICES), AUDITOR)
VERSION = "0.1.0"


def tag(target: str) -> str:
    """Return an image's name."""
    return f"handoff/{target}:{VERSION}"


def build(engine: Engine) -> None:
    """Build all of them; what did not change is there already."""
    make(PYTHON, engine)
    for target in TARGETS:
        options = ("--network", "host", "--file", str(DOCKERFILE), "--target", target)
        engine.docker("build", "--quiet", *options, "--tag", tag(target), str(ROOT))


def configuration(engine: Engine, target: str) -> dict[str, Any]:
    """Return how an image says that it is run."""
    return json.loads(engine.docker("image", "inspect", tag(target)))[0]["Config"]


def ask(engine: Engine, target: str, program: str, *options: str) -> Any:
    """Run a little Python inside an image, as its own user; return the JSON that it prints."""
    command = ("run", "--rm", "--entrypoint", "python", *options, tag(target), "-c", program)
    return json.loads(engine.docker(*command))
