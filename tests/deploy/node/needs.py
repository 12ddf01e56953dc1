"""What a machine must have to be a node for a while: root, and some programs of Debian."""

import os
import shutil
import subprocess
from pathlib import Path

from handoff.embedded.machine import Missing

PLUGINS = Path("/usr/lib/cni")
_PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "unshare": "util-linux",
    "dnsmasq": "dnsmasq-base",
    str(PLUGINS / "bridge"): "containernetworking-plugins",
}


def want() -> None:
    """See that all is there; on a machine that is made for tests alone, install it.

    Raises:
        Missing: something is not, and how to get it.
    """
    if os.geteuid() != 0:
        raise Missing("only root can make a machine a node")
    lacking = _lacking()
    if lacking and os.environ.get("HANDOFF_INSTALL") and shutil.which("apt-get"):
        _install(lacking)
        lacking = _lacking()
    if lacking:
        packages = " ".join(lacking)
        raise Missing(f"no node; apt-get install --no-install-recommends {packages}")


def _lacking() -> list[str]:
    return [package for program, package in _PACKAGES.items() if not shutil.which(program)]


def _install(packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages)
    for command in (("apt-get", "update", "--quiet"), install):
        subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603
