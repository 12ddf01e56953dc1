"""`deploy/versions.yaml`, the one source of versions."""

import re
from functools import cache
from typing import Any

import yaml
from tests.deploy.rendering import ROOT

CORE = {"v1", "apps/v1", "batch/v1", "policy/v1", "networking.k8s.io/v1"}


@cache
def versions() -> dict[str, Any]:
    """Return the file's content."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "versions.yaml").read_text())
    return read


def official(name: str) -> str:
    """Return an image of others by the name that Docker shows: without its own registry."""
    return re.sub(r"^docker\.io/(library/)?", "", versions()["images"][name])


def api_versions() -> set[str]:
    """Return every apiVersion that the manifests may use."""
    operators = versions()["operators"].values()
    return CORE | {name for each in operators for name in each["apiVersions"]}
