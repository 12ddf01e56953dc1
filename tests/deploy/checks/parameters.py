"""A Postgres takes what it is told to be, by its name and its value.

This machine's own says so, which may be older than that of the manifests: what only a newer one
knows is refused here.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.deploy.objects import Object, Objects, at, of_kind, pods, title

from handoff.embedded.machine import find_postgres


def parameters(objects: Objects) -> Iterator[str]:
    """Each parameter is one that there is, with a value that it may have."""
    told = [*map(_of_cluster, of_kind(objects, "Cluster"))]
    told += [(title(pod.owner), said) for pod in pods(objects) for said in _of_program(pod.spec)]
    for name, said in told:
        for each in said.items():
            if refused := _refused(*each):
                yield f"{name}: {refused}"


def _of_cluster(cluster: Object) -> tuple[str, Mapping[str, str]]:
    return title(cluster), at(cluster, "spec.postgresql.parameters") or {}


def _of_program(pod: Object) -> Iterator[Mapping[str, str]]:
    """Give what a Postgres that no operator runs is told on its command line."""
    for container in pod["containers"]:
        if "/postgres:" in container["image"]:
            words = [word for word in container["args"] if word != "-c"]
            yield dict(word.split("=", 1) for word in words)


@cache
def _refused(name: str, value: str) -> str:
    """Return what Postgres' own program says against a parameter; it starts no server for that."""
    with TemporaryDirectory() as directory:
        (Path(directory) / "postgresql.conf").touch()
        answer = subprocess.run(  # noqa: S603  our own words
            [find_postgres(os.environ) / "postgres", "-C", name, "-D", directory,
             "-c", f"{name}={value}"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    if answer.returncode == 0:
        return ""
    return answer.stderr.partition("FATAL: ")[2].strip().splitlines()[0]
