"""Somebody who types what they read of deploy/, into the cluster, from a checkout of their own."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from tests.deploy.apiserver.cluster import Cluster
from tests.deploy.readme import blocks

_ENDS_WITHIN = 300.0
_ON_A_NODE = "no process runs on a played node; `make kubernetes-run` reaches into real ones"
_OF_OPERATORS = "operators are played, and make nothing of what they are asked for"
_OF_IMAGES = "a played node runs no image; `make test-images` builds them and runs them"
SECTIONS_LEFT_OUT = {
    "What you need": _OF_IMAGES,
    "The first key and the first lead": _ON_A_NODE,
    "cert-manager": _OF_OPERATORS,
    "CloudNativePG and its plugin": _OF_OPERATORS,
    "Strimzi": _OF_OPERATORS,
}
"""What is not typed here, and why; the tests of the words look at it all the same."""
COMMANDS_LEFT_OUT = {
    "kubectl exec ": _ON_A_NODE,
    "kubectl port-forward ": _ON_A_NODE,
    "make images": _OF_IMAGES,
    "kind create ": "the cluster is there",
    "kind load ": _OF_IMAGES,
    "kubectl wait -n handoff --for=condition=Ready pod ": _OF_OPERATORS,
    "sleep ": "it is for kubelets that bring Secrets into pods; these are played",
}
"""The same of single commands, by how they begin."""
THEIR_OWN = {
    "GATEWAYS": "gateways",
    "MONITORING": "monitoring",
    "TRACING": "tracing",
}
"""The namespaces that people put in for what is left to them."""
FORMER = "former"
NODE = "node-a"
PUT_IN = {**THEIR_OWN, "FORMER": FORMER, "NODE": NODE}
"""All that they put in."""


@dataclass(frozen=True, slots=True)
class Typist:
    """Who types.

    Attributes:
        cluster: where it is typed.
        checkout: the directory of the repository's copy.
        overlay: their own overlay there.
        printed: what was printed, block by block.
    """

    cluster: Cluster
    checkout: Path
    overlay: Path
    printed: list[str] = field(default_factory=list[str])

    def wants(self, kustomization: dict[str, Any]) -> None:
        """Write down what is to be installed."""
        (self.overlay / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))

    def types(self, heading: str) -> None:
        """Type all that stands under a heading and can be done here, block by block."""
        for block in blocks()[heading]:
            done = self.run(possible(block))
            assert done.returncode == 0, f"{heading}:\n{done.stdout}\n{done.stderr}"
            self.printed.append(done.stdout)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run commands that may fail, up to the first that does."""
        return subprocess.run(  # noqa: S603  what our own README says
            ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607  the one on the path
            cwd=self.checkout,
            env=self.cluster.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_ENDS_WITHIN,
        )


def possible(block: str) -> str:
    """Return of a block what can be done here, with what people put in."""
    for place, own in PUT_IN.items():
        block = block.replace(place, own)
    left_out = tuple(COMMANDS_LEFT_OUT)
    return "\n".join(line for line in block.splitlines() if not line.startswith(left_out))
