"""Stands a proxy between the processes of a rig and their databases."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from tests.faults.rig.proxy import Proxy, proxied
from tests.faults.rig.rig import Rig


@asynccontextmanager
async def between(rig: Rig) -> AsyncGenerator[tuple[Rig, Proxy]]:
    """Give the rig as it is from behind the proxy: make processes by it, ask by the other."""
    address = urlsplit(rig.stack.postgres_url)
    async with proxied(address.hostname or "", address.port or 0) as proxy:
        yield replace(rig, urls={name: _by(url, proxy) for name, url in rig.urls.items()}), proxy


def _by(url: str, proxy: Proxy) -> str:
    parts = urlsplit(url)
    who = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{who}@{proxy.address}").geturl()
