"""`deploy/images/sbom.sh`: what is in an image, as CycloneDX, by a tool that others keep."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from tests.deploy import images
from tests.deploy.engine import Engine
from tests.deploy.images import TARGETS
from tests.deploy.kept import tool

pytestmark = pytest.mark.timeout(1800)  # the first one waits until all is made
_CYCLONEDX = "cyclonedx-bom==7.5.0"


def normal(name: str) -> str:
    """Return a package's name as the lock has it."""
    return re.sub("[-_.]+", "-", name).lower()


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_in_an_image_can_be_told(target: str, built: Engine, tmp_path: Path) -> None:
    script = str(images.ROOT / "deploy/images/sbom.sh")
    place = tmp_path / "sbom.json"
    tools = str(tool(_CYCLONEDX, "cyclonedx-py").parent)
    environment = {**built.environment, "PATH": f"{tools}:{os.environ['PATH']}"}
    subprocess.run([script, images.tag(target), str(place)], env=environment, check=True)  # noqa: S603
    told = json.loads(place.read_text())
    versions = {normal(each["name"]): each["version"] for each in told["components"]}
    own = {"shared", "handoff" if target == "operations" else target}

    assert told["bomFormat"] == "CycloneDX"
    assert {name: versions.pop(name) for name in own} == dict.fromkeys(own, images.VERSION)
    assert {"pydantic"} <= versions.keys()
    assert versions.items() <= images.pins().items()
