"""A Kubernetes without machines, as tests ask it: what it says to manifests, and makes of them.

Its nodes are played, so pods come up without a container, and of operators it is played that they
are done; all else is what runs in clusters. It ends with who started it, however that ends.
"""

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.apiserver.building import programs
from tests.deploy.apiserver.definitions import definitions
from tests.deploy.apiserver.parts import Parts
from tests.deploy.apiserver.rollout import unfinished
from tests.deploy.objects import Object, Objects
from tests.stack.secured import Authority

from handoff.embedded.machine import Missing
from handoff.supervisor.supervisor import Supervisor

NAMESPACE = "handoff"
_READY_WITHIN = 120.0
_ANSWER_WITHIN = 120.0
_GONE_WITHIN = 60.0
_ASK_EVERY = 0.5
_ROOM = {"cpu": "4", "memory": "16Gi", "pods": "110"}
"""Of each of three nodes: what `small` is said to be for."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that answers.

    Attributes:
        kubectl: the program.
        kubeconfig: lets it find the API server.
    """

    kubectl: str
    kubeconfig: Path

    @property
    def environment(self) -> dict[str, str]:
        """By which kubectl finds this cluster, and none of the machine's own."""
        discovered = self.kubeconfig.with_name("discovered")
        places = {"KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(discovered)}
        return {**os.environ, **places}

    def ask(self, *words: str, told: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of kubectl that may fail, and tell it something."""
        return subprocess.run(  # noqa: S603  our own words
            (self.kubectl, *words),
            env=self.environment,
            input=told,
            capture_output=True,
            text=True,
            check=False,
            timeout=_ANSWER_WITHIN,
        )

    def do(self, *words: str, told: str | None = None) -> str:
        """Run a command of kubectl; return what it printed."""
        done = self.ask(*words, told=told)
        assert done.returncode == 0, f"kubectl {' '.join(words)}:\n{done.stderr}"
        return done.stdout

    def apply(self, manifests: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Apply manifests as people are told to, with an eye on every field."""
        how = ("--server-side", "--validate=strict", *options)
        return self.ask("apply", *how, "--filename=-", told=manifests)

    def workloads(self) -> list[Object]:
        """Return all workloads as they stand."""
        told = self.do("get", "deployments,statefulsets,jobs", "-n", NAMESPACE, "-o", "json")
        found: list[Object] = json.loads(told)["items"]
        return found

    def left_undone(self, expected: set[str], within: float) -> list[str]:
        """Wait until all workloads have come to where they should be; return what has not."""
        end = time.monotonic() + within
        while left := list(unfinished(expected, self.workloads())):
            if time.monotonic() > end:
                return [*left, self.warnings()]
            time.sleep(_ASK_EVERY)
        return []

    def warnings(self) -> str:
        """Return what the parts of the cluster complain of."""
        return self.do("get", "events", "-n", NAMESPACE, "--field-selector=type=Warning")

    def remove(self, objects: Objects) -> None:
        """Delete objects, and see that they are gone; what was made of them goes in a moment.

        kubectl itself would wait for each of them in turn, a fifth of a second at least.
        """
        told, which = written(objects), ("--ignore-not-found", "--filename=-")
        self.do("delete", "--cascade=background", "--wait=false", *which, told=told)
        end = time.monotonic() + _GONE_WITHIN
        while left := self.do("get", "--output=name", *which, told=told):
            assert time.monotonic() < end, f"still there: {left}"
            time.sleep(_ASK_EVERY)


def find_kubectl() -> str:
    """Return the program.

    Raises:
        Missing: there is none.
    """
    found = shutil.which("kubectl")
    if found is None:
        raise Missing(
            "No kubectl was found: it is all that the manifests need, and what tries them."
        )
    return found


def written(objects: Objects) -> str:
    """Return manifests; one after the other, as kubectl itself judges the fields of a list."""
    return "".join(f"---\n{json.dumps(each)}\n" for each in objects)


@asynccontextmanager
async def a_cluster(directory: Path) -> AsyncGenerator[Cluster]:
    """Run a cluster that knows the kinds of all operators, and has three nodes.

    Raises:
        Missing: something is not there that it takes.
    """
    kubectl, kinds = find_kubectl(), await definitions()
    authority = Authority.made(directory / "authority")
    built = await programs()
    parts = Parts(built.kubernetes, directory, secrets.token_urlsafe(16), authority)
    supervisor = Supervisor(directory / "logs")
    try:
        await supervisor.start([parts.etcd()], limit=_READY_WITHIN)
        await supervisor.start([parts.api_server()], limit=_READY_WITHIN)
        cluster = Cluster(kubectl, parts.kubeconfig)
        _define(cluster, kinds)  # first: what is played must be a kind that there is
        others = [parts.controllers(), parts.scheduler(), parts.nodes(built)]
        await supervisor.start(others, limit=_READY_WITHIN)
        _furnish(cluster, built.storage)
        yield cluster
    finally:
        await supervisor.stop()


def _define(cluster: Cluster, kinds: Path) -> None:
    cluster.do("apply", "--server-side", f"--filename={kinds}")
    cluster.do("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")


def _furnish(cluster: Cluster, storage: Path) -> None:
    cluster.do("apply", "--server-side", f"--filename={storage}")
    for zone in "abc":
        cluster.do("create", "--filename=-", told=json.dumps(_node(zone)))


def _node(zone: str) -> Object:
    name = f"node-{zone}"
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"allocatable": _ROOM, "capacity": _ROOM},
    }
