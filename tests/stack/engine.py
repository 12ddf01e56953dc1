"""Whether the tests' Postgres and Kafka are containers: where an engine has the images; pulls none.

`HANDOFF_STACK=containers` or `embedded` insists on one.
"""

import os
from enum import StrEnum
from pathlib import Path

import httpx

POSTGRES_IMAGE = "postgres:18.6"
KAFKA_IMAGE = "apache/kafka:4.3.1"
_SOCKET = Path("/var/run/docker.sock")


class Stack(StrEnum):
    """What the tests run on."""

    CONTAINERS = "containers"
    EMBEDDED = "embedded"


def chosen() -> Stack:
    """Return what the tests run on.

    Raises:
        ValueError: `HANDOFF_STACK` names something else.
        RuntimeError: it insists on containers, which cannot be had.
    """
    wanted = os.environ.get("HANDOFF_STACK")
    if wanted is None:
        return Stack.CONTAINERS if has_images() else Stack.EMBEDDED
    if Stack(wanted) is Stack.CONTAINERS and not has_images():
        images = f"{POSTGRES_IMAGE} and {KAFKA_IMAGE}"
        raise RuntimeError(f"HANDOFF_STACK is containers, but no Docker engine has {images}")
    return Stack(wanted)


def has_images() -> bool:
    """Tell whether both images can be run without a registry."""
    host = os.environ.get("DOCKER_HOST", f"unix://{_SOCKET}")
    if not host.startswith("unix://") or not Path(host.removeprefix("unix://")).exists():
        return False
    transport = httpx.HTTPTransport(uds=host.removeprefix("unix://"))
    with httpx.Client(transport=transport, base_url="http://docker", timeout=2) as engine:
        try:
            return all(_has(engine, image) for image in (POSTGRES_IMAGE, KAFKA_IMAGE))
        except httpx.HTTPError:
            return False


def _has(engine: httpx.Client, image: str) -> bool:
    return engine.get(f"/images/{image}/json").status_code == httpx.codes.OK
