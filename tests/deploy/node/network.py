"""The node's network, in a namespace of its own that leads nowhere else."""

import json
import subprocess
from pathlib import Path

from tests.deploy.node.needs import PLUGINS

NODE = "10.200.0.1"
_NOBODY = "10.200.0.254"
_PODS = "10.201.0.0/24"
_COMMANDS = (
    "ip link set lo up",
    "ip link add node0 type veth peer name node1",
    f"ip address add {NODE}/24 dev node0",
    "ip link set node1 up",
    "ip link set node0 up",
    f"ip route add default via {_NOBODY} dev node0",  # the kubelet wants to see one
)


def lay() -> None:
    """Give the namespace that this process is in an address and a way out that leads nowhere."""
    for command in _COMMANDS:
        subprocess.run(command.split(), check=True, capture_output=True)  # noqa: S603  our own words
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def plugins(directory: Path) -> str:
    """Write how pods are joined to it; return what containerd is to know of that."""
    place = directory / "cni"
    place.mkdir()
    ranges = {"type": "host-local", "dataDir": str(directory / "addresses"),
              "ranges": [[{"subnet": _PODS}]], "routes": [{"dst": "0.0.0.0/0"}]}  # fmt: skip
    bridge = {"type": "bridge", "bridge": "pods", "isGateway": True, "hairpinMode": True}
    content = {"cniVersion": "0.4.0", "name": "pods", "plugins": [{**bridge, "ipam": ranges}]}
    (place / "10-pods.conflist").write_text(json.dumps(content))
    return f'{{bin_dir = "{PLUGINS}", conf_dir = "{place}"}}'
