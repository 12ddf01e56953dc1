"""A cluster of one real node: pods are containers, Services lead to them, disks are directories."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.deploy.apiserver.building import control_plane, node
from tests.deploy.apiserver.cluster import Cluster, find_kubectl
from tests.deploy.apiserver.parts import Parts
from tests.deploy.node import network
from tests.deploy.node.parts import NAME, NodeParts
from tests.deploy.objects import Object
from tests.stack.secured import Authority

from handoff.supervisor.supervisor import Supervisor

_READY_WITHIN = 120.0
_DISKS = 2
"""Of what `local` runs Postgres and Kafka have one each."""


@asynccontextmanager
async def a_node(directory: Path) -> AsyncGenerator[tuple[Cluster, NodeParts]]:
    """Run one, in the namespaces that this process is in, with the images of an archive there."""
    network.lay()
    authority = Authority.made(directory / "authority")
    parts = Parts(await control_plane(), directory, secrets.token_urlsafe(16), authority)
    of_node = NodeParts(await node(), directory, parts.kubeconfig)
    supervisor = Supervisor(directory / "logs")
    try:
        for stage in ([parts.etcd(), of_node.containerd()], [parts.api_server()]):
            await supervisor.start(stage, limit=_READY_WITHIN)
        await asyncio.to_thread(_import, of_node, directory / "images.tar")
        others = [parts.controllers(), parts.scheduler()]
        others += [of_node.kubelet(), of_node.proxy(), of_node.dns()]
        await supervisor.start(others, limit=_READY_WITHIN)
        cluster = Cluster(find_kubectl(), parts.kubeconfig)
        await asyncio.to_thread(_furnish, cluster, directory)
        yield cluster, of_node
    finally:
        await supervisor.stop()


def _import(node: NodeParts, archive: Path) -> None:
    done = node.ctr("images", "import", str(archive))
    assert done.returncode == 0, done.stderr
    archive.unlink()


def _furnish(cluster: Cluster, directory: Path) -> None:
    for number in range(_DISKS):
        place = directory / f"disk-{number}"
        place.mkdir()
        cluster.do("create", "--filename=-", told=json.dumps(_disk(place)))
    cluster.do("wait", "--for=create", f"node/{NAME}", f"--timeout={_READY_WITHIN:.0f}s")
    cluster.do("wait", "--for=condition=Ready", f"node/{NAME}", f"--timeout={_READY_WITHIN:.0f}s")


def _disk(place: Path) -> Object:
    """Return a volume that waits for who claims one of no class."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": place.name},
        "spec": {
            "capacity": {"storage": "5Gi"},
            "accessModes": ["ReadWriteOnce"],
            "local": {"path": str(place)},
            "nodeAffinity": {
                "required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]},
            },
        },
    }
