"""How each program of a node is started: what runs pods, what leads to them, what names them."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.apiserver.parts import Ask
from tests.deploy.node import network
from tests.deploy.node.images import PAUSE

from handoff.supervisor.spec import Spec, at_once

NAME = "node-a"
DOMAIN = "cluster.local"
_CONTAINERD = """
version = 2
root = "{directory}/containerd"
state = "{directory}/run"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "{directory}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/{pause}"
restrict_oom_score_adj = true
cni = {cni}
"""
_KERNEL = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}
"""What a kubelet would set for the whole machine: it is shown files that say it is so."""
_KEEP = (
    *("--conntrack-max-per-core=0", "--conntrack-min=0"),
    *("--conntrack-tcp-timeout-established=0s", "--conntrack-tcp-timeout-close-wait=0s"),
)


@dataclass(frozen=True, slots=True)
class NodeParts:
    """The programs of one node, which keep what they have in a directory.

    Attributes:
        program: the kubelet and kube-proxy, by their first argument.
        kubeconfig: lets them find the API server.
    """

    program: Path
    directory: Path
    kubeconfig: Path

    @property
    def socket(self) -> Path:
        """Where containerd answers."""
        return self.directory / "containerd.sock"

    @property
    def names(self) -> Path:
        """The directory of what names are known in the cluster."""
        return self.directory / "names"

    def containerd(self) -> Spec:
        """What makes containers of images."""
        settings = self.directory / "containerd.toml"
        cni = network.plugins(self.directory)
        settings.write_text(_CONTAINERD.format(directory=self.directory, pause=PAUSE, cni=cni))
        return _spec("containerd", "containerd", "--config", str(settings), ready=self._answers)

    def kubelet(self) -> Spec:
        """What has containers made of pods."""
        self._show_a_kernel()
        settings = self.directory / "kubelet.json"
        settings.write_text(json.dumps(self._kubelet()))
        return self._client(
            *("kubelet", f"--config={settings}", f"--node-ip={network.NODE}"),
            *(f"--root-dir={self.directory}/kubelet", f"--cert-dir={self.directory}/kubelet-key"),
        )

    def proxy(self) -> Spec:
        """What leads from the address of a Service to its pods."""
        alone = ("--metrics-bind-address=127.0.0.1:10249", "--healthz-bind-address=127.0.0.1:10256")
        # A bridge without netfilter would send answers past the way that the questions came.
        how = ("--proxy-mode=iptables", "--masquerade-all", "--oom-score-adj=0")
        return self._client("kube-proxy", *how, *_KEEP, *alone)

    def dns(self) -> Spec:
        """What knows the names of Services, and asks nobody else."""
        self.names.mkdir()
        return _spec(
            *("dnsmasq", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null"),
            *("--no-resolv", "--no-hosts", f"--local=/{DOMAIN}/", f"--hostsdir={self.names}"),
            *(f"--listen-address={network.NODE}", "--bind-interfaces", "--user=root", "--pid-file"),
        )

    def ctr(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Ask containerd itself."""
        command = ("ctr", "--address", str(self.socket), "--namespace", "k8s.io", *words)
        return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

    async def _answers(self) -> bool:
        return self.ctr("version").returncode == 0

    def _client(self, name: str, *words: str) -> Spec:
        where = (f"--kubeconfig={self.kubeconfig}", f"--hostname-override={NAME}")
        return _spec(name, str(self.program), name, *where, *words)

    def _kubelet(self) -> dict[str, object]:
        everybody = {"anonymous": {"enabled": True}, "webhook": {"enabled": False}}
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": everybody,  # nobody else is in this network
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.directory.name}",
            "enforceNodeAllocatable": [],
            "failCgroupV1": False,
            "failSwapOn": False,
            "imageGCHighThresholdPercent": 100,  # what is gone could not be had again
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%"},
            "resolvConf": "",
            "clusterDNS": [network.NODE],
            "clusterDomain": DOMAIN,
            "oomScoreAdj": 0,
            "podLogsDir": str(self.directory / "pods"),
            "volumePluginDir": str(self.directory / "plugins"),
        }

    def _show_a_kernel(self) -> None:
        for name, value in _KERNEL.items():
            shown = self.directory / "kernel" / name
            shown.parent.mkdir(parents=True, exist_ok=True)
            shown.write_text(f"{value}\n")
            mount = ("mount", "--bind", str(shown), f"/proc/sys/{name}")
            subprocess.run(mount, check=True)  # noqa: S603  our own words


def _spec(name: str, *command: str, ready: Ask = at_once) -> Spec:
    return Spec(name, command, os.environ, ready)
