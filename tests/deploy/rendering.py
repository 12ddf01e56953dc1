"""What `kubectl kustomize` makes of deploy/kubernetes: each overlay, alone and with components."""

import shutil
import subprocess
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from tests.deploy.objects import Object

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("local", "small", "production")
OPTIONAL = ("keda", "gateway", "ingress", "external-secrets", "monitoring", "tracing")


@dataclass(frozen=True, slots=True)
class Installation:
    """What somebody may install: something to begin with, and components on top of it."""

    name: str
    resource: str
    components: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it as a test names it."""
        return self.name

    def kustomization(self) -> dict[str, Any]:
        """Return what that somebody would write, in a folder beside the overlays."""
        pairs = {
            "app.kubernetes.io/part-of": "handoff",
            "app.kubernetes.io/managed-by": "kustomize",
        }
        return {
            "namespace": "handoff",
            "resources": [f"../{self.resource}"],
            "components": [f"../../components/{name}" for name in self.components],
            "labels": [{"pairs": pairs}],
        }


PLAIN = [Installation(name, name) for name in OVERLAYS]
WITH_COMPONENTS = [
    *(Installation(f"production, {name}", "production", (name,)) for name in OPTIONAL),
    *(Installation(f"{name}, all", name, OPTIONAL) for name in ("small", "production")),
    Installation("local, ingress, tracing", "local", ("ingress", "tracing")),
    Installation("local, gateway, monitoring", "local", ("gateway", "monitoring")),
    Installation("their kafka", "../base", ("postgres-per-service", "external-kafka")),
    Installation("their postgres", "../base", ("external-postgres", "kafka-dedicated", "keda")),
    Installation("both theirs", "../base", ("external-postgres", "external-kafka", *OPTIONAL[1:])),
]
INSTALLATIONS = [*PLAIN, *WITH_COMPONENTS]


class NotBuilt(Exception):
    """kustomize refused, or warned; the text is what it said."""


@cache
def rendered(installation: Installation) -> str:
    """Return the manifests as they are applied."""
    if installation in PLAIN:
        return build(KUBERNETES / "overlays" / installation.resource)
    with TemporaryDirectory() as folder:
        return build(copied(Path(folder), installation.kustomization()))


def copied(folder: Path, kustomization: dict[str, Any]) -> Path:
    """Copy the manifests, and put an overlay of somebody's own beside them; return where it is."""
    shutil.copytree(KUBERNETES.parent / "observability", folder / "observability")
    place = shutil.copytree(KUBERNETES, folder / "kubernetes") / "overlays" / "ours"
    place.mkdir()
    (place / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return place


def objects_of(installation: Installation) -> list[Object]:
    """Return the manifests, anew for each caller: who plants a fault may change them."""
    return deepcopy(_read(installation))


@cache
def _read(installation: Installation) -> list[Object]:
    return [each for each in yaml.safe_load_all(rendered(installation)) if each]


def build(folder: Path) -> str:
    """Run `kubectl kustomize` on a folder; it needs no cluster and no network.

    Raises:
        NotBuilt: kustomize refused, or warned.
    """
    command = [shutil.which("kubectl") or "kubectl", "kustomize", str(folder)]
    answer = subprocess.run(  # noqa: S603  our own words
        command, capture_output=True, text=True, check=False, timeout=60
    )
    if answer.returncode or answer.stderr:
        raise NotBuilt(answer.stderr)
    return answer.stdout
