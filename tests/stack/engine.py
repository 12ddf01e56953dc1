"""Whether a Docker engine answers here that already has the images; pulls nothing."""

import os
from pathlib import Path

import httpx

POSTGRES_IMAGE = "postgres:18.6"
KAFKA_IMAGE = "apache/kafka:4.3.1"
_SOCKET = Path("/var/run/docker.sock")


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
