"""Gets all that a node takes, and runs the tests of this folder on it: `make kubernetes-run`.

They run in namespaces of their own: what they start has another network, other mounts and other
numbers of processes, so that the machine stays as it is, and ends with them however they end.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.deploy.apiserver.building import control_plane, node
from tests.deploy.node import images, needs
from tests.deploy.node.cgroups import a_cgroup

from handoff.embedded.machine import Missing

_PROXY = re.compile("_proxy$", re.IGNORECASE)
"""Nothing leads there from a network that ends at the node."""
_HERE = Path(__file__).parent
_INSIDE = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"),
    str(_HERE / "inside.sh"),
)


async def _build() -> None:
    await control_plane()
    await node()


def main() -> int:
    """Return with what pytest does, or say what is missing and return 0."""
    try:
        needs.want()
        asyncio.run(_build())
        with TemporaryDirectory(prefix="handoff-node-") as directory:
            images.save(Path(directory) / "images.tar")
            with a_cgroup(Path(directory).name):
                return _run_tests(Path(directory))
    except Missing as reason:
        sys.stdout.write(f"\n    NOT TESTED: {reason}\n\n")
        return 0


def _run_tests(directory: Path) -> int:
    pytest = (sys.executable, *("-m", "pytest", "-q", "-rs"), *sys.argv[1:], str(_HERE))
    environment = {name: value for name, value in os.environ.items() if not _PROXY.search(name)}
    environment["HANDOFF_NODE"] = str(directory)
    return subprocess.run((*_INSIDE, *pytest), env=environment, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # also then it takes away what it made
    sys.exit(main())
