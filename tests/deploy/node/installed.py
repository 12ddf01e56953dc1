"""The overlay `local` as it runs on the node, and the doors by which people reach it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
from tests.deploy.apiserver.cluster import NAMESPACE, Cluster
from tests.deploy.node.parts import DOMAIN, NodeParts
from tests.deploy.objects import WORKLOADS, Object, of_kind, title
from tests.deploy.rendering import PLAIN, objects_of, rendered
from tests.stack.keys import bearer

from handoff.keys import SCOPES

_LOCAL = next(each for each in PLAIN if each.name == "local")
_UP_WITHIN = 600.0


@dataclass(frozen=True, slots=True)
class Installed:
    """An installation that has rolled out."""

    cluster: Cluster
    keys: dict[str, str] = field(default_factory=dict[str, str])

    def do(self, *words: str, told: str | None = None) -> str:
        """Run a command of kubectl where all of it is."""
        return self.cluster.do("--namespace", NAMESPACE, *words, told=told)

    def handoff(self, *words: str) -> str:
        """Run the command `handoff` where people are told to."""
        return self.do("exec", "deployment/operations", "--", "handoff", *words)

    def client(self, service: str, **more: str) -> httpx.AsyncClient:
        """Return a client of a service's API, by its Service, with a key for everything."""
        if service not in self.keys:
            scopes = [part for scope in SCOPES[service] for part in ("--scope", scope)]
            told = self.handoff("keys", "create", "--service", service, *scopes, "--json")
            self.keys[service] = json.loads(told)["key"]
        address = self.do("get", f"service/{service}-api", "--output=jsonpath={.spec.clusterIP}")
        return httpx.AsyncClient(
            base_url=f"http://{address}",
            headers={**bearer(self.keys[service]), **more},
            timeout=30.0,
            trust_env=False,
        )

    def left_undone(self, within: float = _UP_WITHIN) -> list[str]:
        """Wait until all workloads have come to where they should be; return what has not."""
        workloads = {title(each) for each in of_kind(objects_of(_LOCAL), *WORKLOADS)}
        return self.cluster.left_undone(workloads, within)

    def wait_until_gone(self, pods: list[str]) -> None:
        """Wait until pods have ended, in their own time."""
        self.do("wait", "--for=delete", "pod", *pods, "--timeout=100s")

    def pods(self, service: str, component: str) -> list[str]:
        """Return the names of the pods of a service that are not about to end."""
        labels = f"app.kubernetes.io/name={service},app.kubernetes.io/component={component}"
        told = json.loads(self.do("get", "pods", "--selector", labels, "--output=json"))
        return [each["metadata"]["name"] for each in told["items"]
                if "deletionTimestamp" not in each["metadata"]]  # fmt: skip


def install(cluster: Cluster, node: NodeParts) -> Installed:
    """Apply it, and wait until it is up."""
    answer = cluster.apply(rendered(_LOCAL))
    assert (answer.stderr, answer.returncode) == ("", 0)
    installed = Installed(cluster)
    services: list[Object] = json.loads(installed.do("get", "services", "--output=json"))["items"]
    (node.names / NAMESPACE).write_text("".join(_names(services)))
    left = installed.left_undone()
    assert not left, "\n".join(left)
    return installed


def _names(services: list[Object]) -> Iterator[str]:
    for each in services:
        if (address := each["spec"]["clusterIP"]) != "None":
            yield f"{address} {each['metadata']['name']}.{NAMESPACE}.svc.{DOMAIN}\n"
