"""Builds the programs of a Kubernetes, and tools, out of Go modules: minutes at first, then kept.

`python -m tests.deploy.apiserver.building` does so alone, and says what it does.
"""

import asyncio
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.deploy.kept import made

from handoff.embedded.machine import Missing
from handoff.embedded.tool import run_tool
from handoff.supervisor.spec import Spec
from handoff.supervisor.supervisor import Supervisor

Build = Callable[[Path, Path], Awaitable[None]]
_SOURCE = Path(__file__).with_name("source")
_WITHIN = 1800.0
_OLDEST_GO = (1, 21)  # since then it gets a newer one by itself, where a module wants one
_FLAGS = ("-trimpath", "-gcflags=all=-dwarf=false")  # nobody debugs it, and it compiles sooner
_VERSION = "k8s.io/component-base/version"
_STAGES = ("node/fast/node-*.yaml", "node/heartbeat-with-lease/node-*.yaml",
           "pod/fast/pod-*.yaml", "volume/fast/pv*.yaml")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Programs:
    """What was built.

    Attributes:
        kubernetes: every part of a control plane, by its first argument.
        kwok: plays the nodes of a cluster.
        stages: what kwok makes of nodes, pods and volumes, one after the other.
        storage: the class of the volumes that kwok gives.
    """

    kubernetes: Path
    kwok: Path
    stages: Path
    storage: Path


async def programs() -> Programs:
    """Return them, built first if need be.

    Raises:
        Missing: there is no Go to build them with.
    """
    kubernetes = await control_plane()
    kwok = await _built("kwok", _kwok)
    return Programs(kubernetes, kwok / "kwok", kwok / "stages.yaml", kwok / "storage.yaml")


async def control_plane() -> Path:
    """Return the program that is every part of a control plane, built first if need be.

    Raises:
        Missing: there is no Go to build it with.
    """
    place = await _built("control-plane", partial(_of_kubernetes, "kubernetes"))
    return place / "kubernetes"


async def node() -> Path:
    """Return the program by which this machine becomes a node, built first if need be.

    Raises:
        Missing: there is no Go to build it with.
    """
    place = await _built("node", partial(_of_kubernetes, "node"))
    return place / "node"


async def tool(name: str, package: str) -> Path:
    """Return a program out of a module of its own, built first if need be.

    Raises:
        Missing: there is no Go to build it with.
    """
    place = await _built(name, partial(_tool, package))
    return place / name


async def _tool(package: str, source: Path, target: Path) -> None:
    await _compile(source, target / source.name, package)


async def _of_kubernetes(name: str, source: Path, target: Path) -> None:
    """Build a program of Kubernetes' own packages, which says of which version it is."""
    version = _told(source, "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes")
    major, minor, _ = version.removeprefix("v").split(".")
    said = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    stamp = " ".join(f"-X {_VERSION}.{key}={value}" for key, value in said.items())
    await _compile(source, target / name, ".", stamp)


async def _kwok(source: Path, target: Path) -> None:
    """Build it, and take along what its module has for it to play."""
    await _compile(source, target / "kwok", "sigs.k8s.io/kwok/cmd/kwok")
    played = Path(_told(source, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok"))
    played /= "kustomize/stage"
    texts = [path.read_text() for each in _STAGES for path in sorted(played.glob(each))]
    (target / "stages.yaml").write_text("\n---\n".join(texts))
    shutil.copyfile(played / "volume/fast/storage-class.yaml", target / "storage.yaml")


async def _built(name: str, build: Build) -> Path:
    source = _SOURCE / name
    return await made(f"kubernetes/{name}-{_digest(source)}", partial(build, source))


async def _compile(source: Path, target: Path, package: str, stamp: str = "") -> None:
    """Compile under the supervisor: with it ends what it runs."""
    command = ("nice", go(), "build", *_FLAGS, f"-ldflags=-s -w {stamp}", "-o", str(target))
    spec = Spec(target.name, (*command, package), {**os.environ, "CGO_ENABLED": "0"},
                directory=source)  # fmt: skip
    began = time.monotonic()
    sys.stdout.write(f"building {target.name} out of Go modules, for minutes\n")
    await Supervisor(target.parent).run([spec], limit=_WITHIN)
    target.with_suffix(".log").unlink()
    sys.stdout.write(f"{target.name}: built in {time.monotonic() - began:.0f} s\n")


def go() -> str:
    """Return the program.

    Raises:
        Missing: there is none, or it is too old to get a newer one by itself.
    """
    advice = f"Go {'.'.join(map(str, _OLDEST_GO))} or newer is needed to build a Kubernetes"
    found = shutil.which("go")
    if found is None:
        raise Missing(f"No Go was found. {advice}.")
    version = re.search(r"go(\d+)\.(\d+)", run_tool(found, "version"))
    if version is None or tuple(map(int, version.groups())) < _OLDEST_GO:
        raise Missing(f"{found} is too old. {advice}.")
    return found


def _told(source: Path, *words: str) -> str:
    """Return what Go says of a module, and only that: downloads are told elsewhere."""
    return run_tool(go(), *words, directory=source).splitlines()[-1]


def _digest(source: Path) -> str:
    made_of = [path.read_bytes() for path in sorted(source.iterdir())]
    made_of += [repr((_FLAGS, _STAGES)).encode()]
    return hashlib.sha256(b"".join(made_of)).hexdigest()[:12]


if __name__ == "__main__":
    with suppress(Missing):  # the tests say so, and are skipped
        asyncio.run(programs())
