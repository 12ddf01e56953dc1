"""What a release brings, by which an overlay runs just its images: `images.yaml`."""

import subprocess
from collections.abc import Mapping

from tests.deploy.images import TARGETS
from tests.deploy.rendering import ROOT
from tests.deploy.versions import versions

PINNED = f"sha256:{'ab' * 32}"
RELEASED: Mapping[str, str] = {
    target: f"ghcr.io/owner/repository/{target}@{PINNED}" for target in TARGETS
}
"""The images as the workflow of a release has pushed them."""


def component() -> str:
    """Return the file that is among the assets of a release."""
    command = (str(ROOT / ".ci/pinned-images"), versions()["handoff"], *RELEASED.values())
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
