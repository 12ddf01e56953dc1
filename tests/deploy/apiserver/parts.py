"""How each part of a cluster is started: on loopback, to be killed when it is over."""

import json
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from signal import SIGKILL

import httpx
from tests.deploy.apiserver.building import Programs
from tests.stack.ports import free_port
from tests.stack.secured import Authority

from handoff.supervisor.spec import Spec, at_once

Ask = Callable[[], Awaitable[bool]]
_HOST = "127.0.0.1"
_OPERATORS = Path(__file__).with_name("operators.yaml")


@dataclass(frozen=True)
class Parts:
    """The parts of one cluster, which keep what they have in a directory.

    Attributes:
        kubernetes: every part of a control plane, by its first argument.
        token: of the one user there is, who may do everything.
    """

    kubernetes: Path
    directory: Path
    token: str
    authority: Authority

    @cached_property
    def url(self) -> str:
        """Where the API server is."""
        return f"https://{_HOST}:{free_port()}"

    @cached_property
    def etcd_url(self) -> str:
        """Where the API server's store is."""
        return f"http://{_HOST}:{free_port()}"

    @cached_property
    def kubeconfig(self) -> Path:
        """The file by which the others find the API server; JSON is YAML."""
        cluster = {"server": self.url, "certificate-authority": str(self.authority.path)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": cluster}],
            "users": [{"name": "tests", "user": {"token": self.token}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
            "current-context": "tests",
        }
        path = self.directory / "kubeconfig"
        path.touch(mode=0o600)
        path.write_text(json.dumps(content))
        return path

    def etcd(self) -> Spec:
        """What the API server keeps everything in."""
        command = (str(self.kubernetes), "etcd", str(self.directory / "etcd"))
        ready = partial(self._answers, f"{self.etcd_url}/health")
        return _spec("etcd", *command, self.etcd_url, ready=ready)

    def api_server(self) -> Spec:
        """The API server: with one key, for TLS and for the tokens of service accounts."""
        key = self.authority.certify(self.directory / "server.pem")
        users = self.directory / "users.csv"
        users.write_text(f"{self.token},tests,tests,system:masters\n")
        return _spec(
            *("kube-apiserver", str(self.kubernetes), "kube-apiserver"),
            f"--etcd-servers={self.etcd_url}",
            f"--bind-address={_HOST}",
            f"--secure-port={self.url.rpartition(':')[2]}",
            "--endpoint-reconciler-type=none",
            "--kubelet-preferred-address-types=InternalIP",  # nobody knows nodes by their names
            f"--cert-dir={self.directory}",
            f"--tls-cert-file={key}",
            f"--tls-private-key-file={key}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={users}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            ready=partial(self._answers, f"{self.url}/readyz"),
        )

    def controllers(self) -> Spec:
        """What makes pods of workloads, and clears up behind them."""
        return self._client("kube-controller-manager")

    def scheduler(self) -> Spec:
        """What finds a node for each pod."""
        return self._client("kube-scheduler")

    def nodes(self, programs: Programs) -> Spec:
        """What plays the kubelets of all nodes, the driver of their volumes, and operators."""
        return _spec(
            *("kwok", str(programs.kwok), f"--kubeconfig={self.kubeconfig}"),
            f"--config={programs.stages}",
            f"--config={_OPERATORS}",
            "--manage-all-nodes",
            "--node-lease-duration-seconds=40",
        )

    def _client(self, name: str) -> Spec:
        return _spec(
            *(name, str(self.kubernetes), name, f"--kubeconfig={self.kubeconfig}"),
            *("--leader-elect=false", "--secure-port=0"),  # it is alone, and nobody asks it
        )

    async def _answers(self, url: str) -> bool:
        trusted = ssl.create_default_context(cafile=str(self.authority.path))
        try:
            async with httpx.AsyncClient(verify=trusted, timeout=5, trust_env=False) as client:
                return (await client.get(url)).is_success
        except httpx.TransportError:
            return False


def _spec(name: str, *command: str, ready: Ask = at_once) -> Spec:
    return Spec(name, command, os.environ, ready, stop_signal=SIGKILL)
